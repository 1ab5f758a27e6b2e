import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

/// Frames that follow each other within one tick of the kernel's clock go the way that the first one found.
@Suite("the way that was found last", .enabled(if: geteuid() == 0, "needs root"))
struct RecentWayTests {
    private static let first: MACAddress = "02:00:5e:00:53:01"
    private static let second: MACAddress = "02:00:5e:00:53:02"
    private static let own: MACAddress = "02:00:5e:00:53:aa"

    /// A namespace with a next hop that is known, and the datapath as it is in it.
    private final class Site {
        let namespace: NetworkNamespace
        let client: RouteClient
        let bench: Bench
        let cell: Cell
        let underlay: LinkIndex

        init(_ cell: Cell) throws {
            namespace = try NetworkNamespace.anonymous()
            client = try RouteClient(in: namespace)
            self.cell = cell
            underlay = try client.links.create(.veth("under0", peer: .init(name: "far0"))).index
            for link in try client.links.list() where link.name == "far0" || link.index == underlay {
                var update = LinkUpdate(isUp: true)
                if link.index == underlay { update.address = RecentWayTests.own }
                try client.links.update(link.index, update)
            }
            let prefix: IPPrefix = cell.family == .v4 ? "192.0.2.21/24" : "2001:db8::21/64"
            try client.addresses.add(prefix, to: underlay, flags: .noDuplicateDetection)
            let splitter = try Splitter.create(client, in: namespace)
            var configuration = cell.configuration
            configuration.oversize = .drop
            configuration.repliesTooBig = false
            bench = try Bench(configuration, underlay: underlay.rawValue, splitter: splitter)
            try describe(isEthernet: true)
            try resolve(RecentWayTests.first)
        }

        func describe(isEthernet: Bool) throws {
            var port = pw_port()
            port.flags = UInt32(PW_PORT_UNDERLAY) | (isEthernet ? UInt32(PW_PORT_ETHERNET) : 0)
            try bench.ports.update(key: underlay.rawValue, value: port)
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

    private static let addressless = [UInt8](repeating: 0, count: 12)
    private static let frame = Sample.frame(
        Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3])), .v4)
    ).bytes

    @Test(
        "the first frame of a tick is the kernel's to address, the others are addressed like it", arguments: Cell.basic)
    func addressed(cell: Cell) throws {
        let site = try Site(cell)
        site.outlastTick()
        let headers = try site.run(Self.frame, times: 1000)
        #expect(headers.first == Self.addressless)
        let known = Self.first.bytes + Self.own.bytes
        #expect(Set(headers) == [Self.addressless, known])
        // A thousand runs last some ticks, and more are in each.
        #expect(headers.count { $0 == known } > 500)
    }

    @Test("a changed next hop is followed in the next tick, and none is an end of it", arguments: Cell.basic)
    func changed(cell: Cell) throws {
        let site = try Site(cell)
        _ = try site.run(Self.frame, times: 100)
        try site.resolve(Self.second)
        site.outlastTick()
        let headers = try site.run(Self.frame, times: 1000)
        #expect(headers.first == Self.addressless)
        #expect(Set(headers) == [Self.addressless, Self.second.bytes + Self.own.bytes])
        try site.resolve(nil)
        site.outlastTick()
        #expect(try Set(site.run(Self.frame, times: 100)) == [Self.addressless])
    }

    @Test("a frame that is longer than what the way takes is not let through by shorter ones", arguments: Cell.basic)
    func tooLong(cell: Cell) throws {
        let site = try Site(cell)
        let long = Sample.frame(
            Sample.ip(
                .udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 7, count: 1460))), .v4)
        ).bytes
        for _ in 0..<100 {
            _ = try site.run(Self.frame, times: 2)
            let verdict = try site.namespace.run { () throws in try site.bench.encap.testRun(long).verdict }
            #expect(verdict == Verdict.drop)
        }
    }

    @Test("a pseudowire to another peer never gets it", arguments: Cell.basic)
    func otherPeer(cell: Cell) throws {
        let site = try Site(cell)
        _ = try site.run(Self.frame, times: 100)
        // The entry is replaced in place, as by a changed setting; the new peer's address is not known.
        var configuration = cell.configuration
        configuration.tunnel.peer = cell.family == .v4 ? "192.0.2.23" : "2001:db8::23"
        let splitter = try #require(try Splitter.find(site.client))
        let value = pw_encap(
            configuration, slot: Bench.slot, underlay: site.underlay.rawValue, splitter: splitter)
        for _ in 0..<100 {
            _ = try site.run(Self.frame, times: 1)
            let before = try #require(try site.bench.access[site.bench.accessKey])
            try site.bench.access.update(key: site.bench.accessKey, value: value)
            let other = try site.namespace.run { () throws in try site.bench.encap.testRun(Self.frame) }
            try site.bench.access.update(key: site.bench.accessKey, value: before)
            #expect(other.verdict == Verdict.redirect)
            #expect(Array(other.frame.prefix(12)) == Self.addressless)
        }
    }

    @Test("what the kernel must address itself is left to it", arguments: Cell.basic)
    func leftToKernel(cell: Cell) throws {
        let site = try Site(cell)
        // Not IP: the kernel does not know where the outer IP header begins until it sends the packet.
        let request = EthernetFrame.arpRequest(from: Sample.near, "198.51.100.1", whoHas: "198.51.100.2").bytes
        #expect(try Set(site.run(request, times: 100)) == [Self.addressless])
        // An interface with other link-layer addresses than Ethernet's.
        try site.describe(isEthernet: false)
        site.outlastTick()
        #expect(try Set(site.run(Self.frame, times: 100)) == [Self.addressless])
    }
}
