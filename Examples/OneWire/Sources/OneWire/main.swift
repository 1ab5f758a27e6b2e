// An embedder's whole program: one pseudowire on eth1, and what it has carried.
//
// `OneWire create` makes it, `OneWire` alone shows what is there. It needs root, an interface eth1, and a peer.

import Pseudowire

let manager = try PseudowireManager()
if CommandLine.arguments.dropFirst().first == "create" {
    let wire = PseudowireConfiguration(
        name: "pw0", access: "eth1",
        tunnel: .udp(local: "192.0.2.21", peer: "192.0.2.22"),
        session: .init(local: 1012, peer: 1021, expecting: ["89abcdef"], sending: "01234567"))
    let plan = try manager.plan(adding: [wire])
    for step in plan.steps { print(step) }
    try manager.execute(plan)
}
for wire in try manager.pseudowires() {
    print(wire.name, wire.health, wire.statistics.txFrames, wire.statistics.rxFrames)
}
