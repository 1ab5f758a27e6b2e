import Foundation
import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// Packets that were put into one tunnel by this very kernel before they come to ours: it remembers that.
@Suite("a customer's own tunnel inside", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct TunnelInsideTests {
    /// Runs iproute2 in one of the four namespaces.
    private static func ip(_ wire: borrowing Wire, _ place: FourNamespaces.Place, _ words: String) throws {
        let descriptor = wire.network.withNamespace(place) { $0.fileDescriptor }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        process.arguments =
            ["--net=/proc/\(getpid())/fd/\(descriptor)", "ip"] + words.split(separator: " ").map(String.init)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "ip \(words)")
    }

    /// Packets of which pieces came and that could not be put together.
    private static func reassemblyFailures(_ namespace: borrowing NetworkNamespace) throws -> Int {
        let text = try namespace.run { () throws in
            try String(contentsOfFile: "/proc/thread-self/net/snmp", encoding: .utf8)
        }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("Ip:") }.map { $0.split(separator: " ") }
        let column = try #require(lines.first?.firstIndex(of: "ReasmFails"))
        return try #require(Int(lines[1][column]))
    }

    @Test(
        "VXLAN between the hosts: small packets and segmentation-offload frames", arguments: Cell.all,
        [PseudowireConfiguration.Offload.auto, .keep])
    func vxlan(cell: Cell, offload: PseudowireConfiguration.Offload) throws {
        let wire = try Wire(innerMTU: 1400)
        try wire.connect(cell) { $0.offload = offload }
        for (place, own, other, number) in [
            (FourNamespaces.Place.host0, "192.0.1.100", "192.0.1.103", 1), (.host3, "192.0.1.103", "192.0.1.100", 3),
        ] {
            try Self.ip(wire, place, "link add vx0 mtu 1350 type vxlan id 7 dstport 4789 local \(own) remote \(other)")
            try Self.ip(wire, place, "address add 203.0.113.\(number)/24 dev vx0")
            try Self.ip(wire, place, "link set vx0 up")
        }
        for size in [0, 56, 1200] {
            let echo = Echo(to: "203.0.113.3", payloadSize: size, count: 3)
            #expect(try echo.run(in: wire.network.host0).isPerfect, "\(size) octets")
        }
        let stream = PseudowireTestbed.Stream(to: "203.0.113.3", amount: .octets(8 << 20), timeout: .seconds(20))
        #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        #expect(try wire.first.pseudowire(named: "pw0").statistics.drops.isEmpty)
        try wire.takeDown()
    }

    @Test(
        "a tunnelled packet that does not fit and may be cut is cut, and put together by its own tunnel's end",
        arguments: Cell.all)
    func cut(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell)
        for (place, own, other, number) in [
            (FourNamespaces.Place.host0, "192.0.1.100", "192.0.1.103", 1), (.host3, "192.0.1.103", "192.0.1.100", 3),
        ] {
            try Self.ip(wire, place, "link add vx0 mtu 1450 type vxlan id 7 dstport 4789 local \(own) remote \(other)")
            try Self.ip(wire, place, "address add 203.0.113.\(number)/24 dev vx0")
            try Self.ip(wire, place, "link set vx0 up")
        }
        let tap = try FrameTap(on: "veth21", in: wire.network.edge2)
        for size in [1300, 1370, 1422] {
            let echo = Echo(to: "203.0.113.3", payloadSize: size, count: 3)
            #expect(try echo.run(in: wire.network.host0).isPerfect, "\(size) octets")
        }
        #expect(try tap.frames().allSatisfy { $0.bytes.count <= 1514 })
        // Bursts of more packets than may come between two pieces of one.
        let stream = PseudowireTestbed.Stream(to: "203.0.113.3", amount: .octets(2 << 20), timeout: .seconds(20))
        for _ in 0..<4 {
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        }
        #expect(try Self.reassemblyFailures(wire.network.host3) == 0)
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    @Test("a tunnelled packet that does not fit and may not be cut is answered as well", arguments: Cell.all)
    func tooBig(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell)
        try Self.ip(
            wire, .host0,
            "link add vx0 mtu 1450 type vxlan id 7 dstport 4789 local 192.0.1.100 remote 192.0.1.103 df set")
        try Self.ip(wire, .host0, "address add 203.0.113.1/24 dev vx0")
        try Self.ip(wire, .host0, "link set vx0 up")
        try Self.ip(wire, .host0, "neighbor add 203.0.113.3 lladdr 02:00:00:00:00:33 dev vx0")
        let tap = try FrameTap(on: "veth01", in: wire.network.host0, directions: .received)
        let echo = Echo(to: "203.0.113.3", payloadSize: 1422, count: 2, timeout: .milliseconds(200))
        _ = try? echo.run(in: wire.network.host0)
        let replies = try tap.frames().filter { $0.bytes.count > 36 && $0.bytes[23] == 1 && $0.bytes[34] == 3 }
        #expect(!replies.isEmpty)
        for reply in replies { #expect(PacketInspector().inspect(frame: reply.bytes).faults.isEmpty) }
        let statistics = try wire.first.pseudowire(named: "pw0").statistics
        #expect(statistics.replies >= 1 && statistics.drops.map(\.reason.identifier) == ["too_big"])
        try wire.takeDown()
    }
}
