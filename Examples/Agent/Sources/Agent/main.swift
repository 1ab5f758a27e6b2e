// An orchestrator in small: it keeps one pseudowire on eth1, to whichever peer it was told of last.
//
// It needs root. Peers come by standard input, an address a line:
//
//     (echo 192.0.2.22; sleep 60; echo 192.0.2.23) | Agent
//
// eth1, the route and the address may come and go meanwhile. At the input's end it goes on with what it was told last,
// until it is killed; the traffic flows on then.

import InternetAddress
import Pseudowire

func document(peer: IPAddress) -> PseudowireDocument {
    let wire = PseudowireConfiguration(
        name: "pw0", access: "eth1", tunnel: .udp(local: "192.0.2.21", peer: peer),
        session: .init(local: 1012, peer: 1021))
    return PseudowireDocument([wire])
}

let agent = PseudowireAgent(keeping: .document(PseudowireDocument([])))
// Not here: reading lines takes this thread.
let keeping = Task.detached { try await agent.run { event in print(event) } }
while let line = readLine() {
    if let peer = IPAddress(line), peer.family == .v4 {
        agent.keep(document(peer: peer))
    } else {
        print("\"\(line)\" is no IPv4 address")
    }
}
_ = try await keeping.value
