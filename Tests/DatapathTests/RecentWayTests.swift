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
    private static let second: MACAddress = "02:00:5e:00:53:02"

    private static let addressless = [UInt8](repeating: 0, count: 12)
    private static let frame = Sample.frame(
        Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3])), .v4)
    ).bytes

    @Test(
        "the first frame of a tick is the kernel's to address, the others are addressed like it", arguments: Cell.basic)
    func addressed(cell: Cell) throws {
        let site = try NextHopSite(cell)
        site.outlastTick()
        let headers = try site.run(Self.frame, times: 1000)
        #expect(headers.first == Self.addressless)
        let known = NextHopSite.first.bytes + NextHopSite.own.bytes
        #expect(Set(headers) == [Self.addressless, known])
        // A thousand runs last some ticks, and more are in each.
        #expect(headers.count { $0 == known } > 500)
    }

    @Test("a changed next hop is followed in the next tick, and none is an end of it", arguments: Cell.basic)
    func changed(cell: Cell) throws {
        let site = try NextHopSite(cell)
        _ = try site.run(Self.frame, times: 100)
        try site.resolve(Self.second)
        site.outlastTick()
        let headers = try site.run(Self.frame, times: 1000)
        #expect(headers.first == Self.addressless)
        #expect(Set(headers) == [Self.addressless, Self.second.bytes + NextHopSite.own.bytes])
        try site.resolve(nil)
        site.outlastTick()
        #expect(try Set(site.run(Self.frame, times: 100)) == [Self.addressless])
    }

    @Test("a frame that is longer than what the way takes is not let through by shorter ones", arguments: Cell.basic)
    func tooLong(cell: Cell) throws {
        let site = try NextHopSite(cell)
        for number in 0..<30 {
            // Of a flow of its own each, since what follows in a flow of which a packet was cut goes round.
            let long = Sample.frame(
                Sample.ip(
                    .udp(
                        UDPDatagram(
                            sourcePort: UInt16(1000 + number), destinationPort: 2,
                            payload: [UInt8](repeating: 7, count: 1460))), .v4)
            ).bytes
            _ = try site.run(Self.frame, times: 2)
            let verdict = try site.namespace.run { () throws in try site.bench.encap.testRun(long).verdict }
            #expect(verdict == Verdict.drop)
        }
    }

    @Test("a pseudowire to another peer never gets it", arguments: Cell.basic)
    func otherPeer(cell: Cell) throws {
        let site = try NextHopSite(cell)
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
        let site = try NextHopSite(cell)
        // Not IP: the kernel does not know where the outer IP header begins until it sends the packet.
        let request = EthernetFrame.arpRequest(from: Sample.near, "198.51.100.1", whoHas: "198.51.100.2").bytes
        #expect(try Set(site.run(request, times: 100)) == [Self.addressless])
        // An interface with other link-layer addresses than Ethernet's.
        try site.describe(isEthernet: false)
        site.outlastTick()
        #expect(try Set(site.run(Self.frame, times: 100)) == [Self.addressless])
    }
}
