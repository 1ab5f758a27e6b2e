import BPF
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("encapsulation, octet for octet", .enabled(if: geteuid() == 0, "needs root"))
struct EncapTests {
    @Test("every sample in every cell equals what the Swift codec makes", arguments: Cell.all)
    func sameAsCodec(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let codec = cell.codec(outbound: true)
        for sample in Sample.all {
            let result = try bench.encap.testRun(sample.frame)
            let expected = cell.ethernet + (try codec.encapsulate(frame: sample.frame))
            #expect(result.verdict == Verdict.redirect, "\(sample.testDescription)")
            #expect(result.frame == expected, "\(sample.testDescription)")
        }
        let counted = try bench.counted()
        #expect(counted.txFrames == UInt64(Sample.all.count))
        #expect(counted.txOctets == UInt64(Sample.all.map(\.frame.count).reduce(0, +)))
        #expect(try bench.reasons().isEmpty)
    }

    @Test("frames of every length from the shortest, odd and even", arguments: Cell.basic)
    func everyLength(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let codec = cell.codec(outbound: true)
        for length in 14...200 {
            let frame =
                Sample.far.bytes + Sample.near.bytes + [0x88, 0xb5]
                + PayloadPattern.bytes(count: length - 14, seed: UInt64(length))
            let result = try bench.encap.testRun(frame)
            #expect(result.frame == cell.ethernet + (try codec.encapsulate(frame: frame)), "\(length) octets")
        }
    }

    @Test("a second opinion finds no fault in what is sent", arguments: Cell.all)
    func inspected(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        var inspector = PacketInspector(
            pseudowire: .init(cookieLength: cell.cookie.length, sublayer: cell.sublayer, ports: [1701, 1702]), mtu: nil)
        inspector.allowsZeroChecksumOverIPv6 = cell.checksum == .zero
        for sample in Sample.all where !sample.testDescription.hasPrefix("lying") {
            let result = try bench.encap.testRun(sample.frame)
            // The kernel fills in both addresses on the way out; these stand for them.
            let sent = Sample.far.bytes + Sample.near.bytes + result.frame[12...]
            let report = inspector.inspect(frame: sent)
            #expect(report.faults.isEmpty, "\(sample.testDescription): \(report.summary)")
            #expect(report.innerFrame == sample.frame, "\(sample.testDescription)")
        }
    }

    @Test("a frame on an interface without pseudowire is untouched")
    func foreignInterface() throws {
        let bench = try Bench(Cell.basic[0].configuration)
        let frame = Sample.all[0].frame
        // Interface 1 has the pseudowire; the splitter's program goes by the mark, which says 9.
        let result = try bench.encapSplit.testRun(frame, context: TestRunContext(mark: 9))
        #expect(result.verdict == Verdict.drop)
        #expect(try bench.reasons() == ["stray": 1])
    }

    @Test("the splitter's program goes by the mark, and clears it", arguments: Cell.basic)
    func splitter(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let frame = Sample.all[0].frame
        let result = try bench.encapSplit.testRun(frame, context: TestRunContext(mark: Bench.loopback))
        #expect(result.verdict == Verdict.redirect)
        #expect(result.frame == cell.ethernet + (try cell.codec(outbound: true).encapsulate(frame: frame)))
    }

    @Test("without a way out the frame is dropped, not leaked", arguments: Cell.basic)
    func noRoute(cell: Cell) throws {
        let bench = try Bench(cell.configuration, underlay: 0)
        let result = try bench.encap.testRun(Sample.all[0].frame)
        #expect(result.verdict == Verdict.drop)
        #expect(try bench.reasons() == ["no_route": 1])
        #expect(try bench.counted().txDropped == 1)
    }

    /// A test run's super-frames have a segment size but no type, so the kernel refuses to put headers before one that
    /// would keep its offload; those are tested with real traffic.
    @Test(
        "a super-frame that needs the splitter goes there whole, and is dropped where there is none",
        arguments: Cell.basic.filter { $0.encapsulation == .ip || $0.family == .v6 })
    func superFrame(cell: Cell) throws {
        let payload = PayloadPattern.bytes(count: 3000, seed: 1)
        let frame = Sample.frame(
            Sample.ip(.tcp(TCPSegment(sourcePort: 1, destinationPort: 2, payload: payload)), .v4)
        ).bytes
        let context = TestRunContext(segmentSize: 750, segments: 4)
        let with = try Bench(cell.configuration, splitter: OwnPair.Indexes(outer: Bench.loopback, inner: 0))
        let result = try with.encap.testRun(frame, context: context)
        #expect(result.verdict == Verdict.redirect)
        #expect(result.frame == frame)
        // It is counted when it comes out of the splitter.
        #expect(try with.counted().txFrames == 0)
        let without = try Bench(cell.configuration)
        #expect(try without.encap.testRun(frame, context: context).verdict == Verdict.drop)
        #expect(try without.reasons() == ["no_segmentation": 1])
    }

    /// Which of a few frames go round, one right after the other.
    private static func goRound(
        _ bench: borrowing Bench, _ frames: [(frame: [UInt8], segmentSize: UInt32)]
    ) throws -> [Bool] {
        try frames.map { frame, size in
            let result = try bench.encap.testRun(
                frame, context: TestRunContext(segmentSize: size, segments: size == 0 ? 0 : 4))
            #expect(result.verdict == Verdict.redirect)
            // Whole, and with the mark by which the other end knows it.
            if result.mark != 0 { #expect(result.frame == frame && result.mark == Bench.loopback) }
            return result.mark != 0
        }
    }

    private static func segment(
        _ octets: Int, port: UInt16 = 1, _ family: IPAddress.Family, flags: TCPSegment.Flags = .ack
    ) -> [UInt8] {
        let segment = TCPSegment(
            sourcePort: port, destinationPort: 2, flags: flags, payload: PayloadPattern.bytes(count: octets, seed: 1))
        return Sample.frame(Sample.ip(.tcp(segment), family)).bytes
    }

    @Test(
        "what follows a super-frame in its flow goes round as well, until the flow pauses", arguments: Cell.basic,
        [IPAddress.Family.v4, .v6])
    func order(cell: Cell, family: IPAddress.Family) throws {
        let hasOrder = cell.encapsulation == .ip || cell.family == .v6
        guard hasOrder else { return }
        let large = Self.segment(3000, family)
        let datagram = Sample.frame(
            Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [1, 2])), family)
        ).bytes
        let other = Sample.far.bytes + Sample.near.bytes + [0x88, 0xb5] + PayloadPattern.bytes(count: 60, seed: 3)
        // On a machine that is not so busy that the flow pauses in between.
        for _ in 0..<100 {
            let bench = try Bench(cell.configuration, splitter: OwnPair.Indexes(outer: Bench.loopback, inner: 0))
            let begun = ContinuousClock.now
            let found = try Self.goRound(
                bench,
                [
                    (Self.segment(3, family), 0), (large, 750), (Self.segment(3, family), 0),
                    (Self.segment(0, family), 0), (Self.segment(0, family, flags: [.ack, .fin]), 0),
                    (Self.segment(3, port: 3, family), 0), (other, 0),
                    (Self.segment(3, family == .v4 ? .v6 : .v4), 0), (Self.segment(1000, family), 0), (datagram, 0),
                ])
            guard ContinuousClock.now - begun < .milliseconds(8) else { continue }
            // A datagram between the same ports is taken for one of them.
            #expect(found == [false, true, true, true, true, false, false, false, true, true])
            usleep(120_000)
            #expect(try Self.goRound(bench, [(Self.segment(3, family), 0)]) == [false])
            return
        }
        Issue.record("too slow a machine")
    }
}
