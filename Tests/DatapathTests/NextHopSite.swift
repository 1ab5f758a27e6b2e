import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

/// A namespace with a next hop that is known, and the datapath as it is in it.
final class NextHopSite {
    static let first: MACAddress = "02:00:5e:00:53:01"
    static let own: MACAddress = "02:00:5e:00:53:aa"

    let namespace: NetworkNamespace
    let client: RouteClient
    let bench: Bench
    let cell: Cell
    let underlay: LinkIndex

    /// - Parameter change: what the pseudowire is like beyond the cell.
    init(
        _ cell: Cell, mtu: UInt32? = nil, programs: [String] = [DatapathObject.encap],
        _ change: (inout PseudowireConfiguration) -> Void = { _ in }
    ) throws {
        namespace = try NetworkNamespace.anonymous()
        client = try RouteClient(in: namespace)
        self.cell = cell
        underlay = try client.links.create(.veth("under0", peer: .init(name: "far0"))).index
        for link in try client.links.list() where link.name == "far0" || link.index == underlay {
            var update = LinkUpdate(isUp: true)
            update.mtu = mtu
            if link.index == underlay { update.address = Self.own }
            try client.links.update(link.index, update)
        }
        let prefix: IPPrefix = cell.family == .v4 ? "192.0.2.21/24" : "2001:db8::21/64"
        try client.addresses.add(prefix, to: underlay, flags: .noDuplicateDetection)
        let splitter = try Splitter.create(client, in: namespace)
        var configuration = cell.configuration
        configuration.oversize = .drop
        configuration.repliesTooBig = false
        change(&configuration)
        bench = try Bench(configuration, underlay: underlay.rawValue, splitter: splitter, programs: programs)
        try describe(isEthernet: true)
        try resolve(Self.first)
    }

    /// The underlay interface, and loopback, which is the access interface and where XDP test runs arrive.
    ///
    /// - Parameter flags: `PW_PORT_*`, beside what each is anyhow.
    func describe(isEthernet: Bool, flags: Int = 0, address: MACAddress = NextHopSite.own) throws {
        var port = pw_port()
        port.flags = UInt32(flags) | UInt32(PW_PORT_UNDERLAY) | (isEthernet ? UInt32(PW_PORT_ETHERNET) : 0)
        Octets.write(address.bytes, to: &port.address)
        try bench.ports.update(key: underlay.rawValue, value: port)
        port.flags |= UInt32(PW_PORT_ACCESS)
        try bench.ports.update(key: Bench.loopback, value: port)
    }

    func resolve(_ address: MACAddress?) throws {
        let peer = cell.configuration.tunnel.peer
        if let address {
            try client.neighbors.replace(Neighbor(address: peer, link: underlay, macAddress: address))
        } else {
            try client.neighbors.delete(peer, on: underlay)
        }
    }

    /// What becomes of a frame, so many times over; each time it is looked whether it is right.
    func run(_ frame: [UInt8], times: Int) throws -> [[UInt8]] {
        let expected = try cell.codec(outbound: true).encapsulate(frame: frame)
        let results = try namespace.run { () throws in
            try (0..<times).map { _ in try bench.encap.testRun(frame) }
        }
        for result in results {
            #expect(result.verdict == Verdict.redirect)
            #expect(Array(result.frame.dropFirst(12)) == Array(cell.ethernet.dropFirst(12)) + expected)
        }
        return results.map { Array($0.frame.prefix(12)) }
    }

    /// More than the longest tick.
    func outlastTick() { usleep(50_000) }
}
