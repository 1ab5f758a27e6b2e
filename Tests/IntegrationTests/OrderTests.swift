import Foundation
import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// Frames of one flow of which some go round through the splitter and others need not.
@Suite("a flow's order around the splitter", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct OrderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let cell: Cell
        let inner: IPAddress.Family
        let offload: PseudowireConfiguration.Offload
        let isSequenced: Bool

        var testDescription: String {
            "\(cell.testDescription) \(isSequenced ? "numbered " : "")offload \(offload.rawValue), inner IPv\(inner.rawValue)"
        }

        /// All that need the splitter for segments, and not only what is too long.
        static let all: [Case] = {
            var cases: [Case] = []
            for cell in Cell.all {
                let needsSplitter = cell.encapsulation == .ip || cell.family == .v6
                for inner in [IPAddress.Family.v4, .v6] {
                    if needsSplitter {
                        cases.append(Case(cell: cell, inner: inner, offload: .keep, isSequenced: false))
                    }
                    cases.append(Case(cell: cell, inner: inner, offload: .finish, isSequenced: false))
                    cases.append(Case(cell: cell, inner: inner, offload: .keep, isSequenced: true))
                }
            }
            return cases
        }()
    }

    /// Has frames that come from the host wait for another processor than the sender's, where they come to lie one
    /// behind the other, as they do where a stack sends several in one softirq.
    private static func spread(_ wire: borrowing Wire) throws {
        let descriptor = wire.network.withNamespace(.edge1) { $0.fileDescriptor }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        process.arguments = [
            "--net=/proc/\(getpid())/fd/\(descriptor)", "unshare", "--mount", "sh", "-c",
            "mount -t sysfs none /sys && echo 3 >/sys/class/net/veth10/queues/rx-0/rps_cpus",
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    private static let segment = 1000
    private static let large = 60

    /// A segment, or many in one frame, with whole checksums as far as there can be.
    private static func frame(_ family: IPAddress.Family, port: UInt16, sequence: UInt32, octets: Int) -> [UInt8] {
        let segment = TCPSegment(
            sourcePort: port, destinationPort: 9, sequence: sequence, flags: .ack,
            payload: [UInt8](repeating: 7, count: octets))
        return octets > Self.segment
            ? UnfinishedFrame(family, .tcp(segment)).bytes : UnfinishedFrame.whole(family, .tcp(segment)).bytes
    }

    @Test("nothing overtakes the segments of a large frame of the same flow", arguments: Case.all)
    func order(one: Case) throws {
        let wire = try Wire(innerMTU: 1400)
        try wire.connect(one.cell) {
            $0.offload = one.offload
            if one.isSequenced { $0.session.sequencing = .both }
        }
        try Self.spread(wire)
        let near = try FrameTap(on: "veth01", in: wire.network.host0, directions: .received)
        let between = try FrameTap(on: "veth21", in: wire.network.edge2, bufferSize: 64 << 20)
        let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)
        let start = one.inner == .v4 ? 34 : 54
        let offload = Offload(
            checksumStart: UInt16(start), checksumOffset: 16, segmentation: one.inner == .v4 ? .tcp4 : .tcp6,
            segmentSize: UInt16(Self.segment), headerLength: UInt16(start + 20))
        var (swapped, steady) = (0, 0)
        for repetition in 0..<40 {
            let port = UInt16(1000 + repetition)
            let octets = Self.segment * Self.large
            var sequence: UInt32 = 1
            let begun = ContinuousClock.now
            for length in [10, octets, 10, 20, octets, 30, 0] {
                try near.send(
                    Self.frame(one.inner, port: port, sequence: sequence, octets: length),
                    offload: length > Self.segment ? offload : nil)
                sequence += UInt32(length)
            }
            let sent = ContinuousClock.now
            func segments() throws -> [(number: UInt32, octets: Int)] {
                try between.frames(quiet: .milliseconds(20)).compactMap { captured in
                    guard !captured.isOutgoing, let frame = inspector.inspect(frame: captured.bytes).innerFrame,
                        frame.count >= start + 20, frame[start] == UInt8(port >> 8),
                        frame[start + 1] == UInt8(port & 0xff)
                    else { return nil }
                    let number = frame[(start + 4)..<(start + 8)].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
                    return (number, frame.count - start - 20)
                }
            }
            var found = try segments()
            func isWhole() -> Bool { found.reduce(0) { $0 + $1.octets } == Int(sequence) - 1 }
            // A flow that has paused for twenty milliseconds may go straight; a machine with other work may make it pause.
            let isSteady = isWhole() && sent - begun < .milliseconds(10)
            while !isWhole(), ContinuousClock.now - sent < .seconds(2) { found += try segments() }
            #expect(isWhole())
            guard isSteady else { continue }
            steady += 1
            swapped += zip(found, found.dropFirst()).count { $0.number > $1.number }
        }
        #expect(swapped == 0)
        #expect(steady > 0)
        #expect(try wire.first.pseudowire(named: "pw0").statistics.drops.isEmpty)
        try wire.takeDown()
    }
}
