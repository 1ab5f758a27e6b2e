import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

/// Loopback plays the joiner as well: what goes there has the access interface's index in its mark.
@Suite("which frames go to be joined", .enabled(if: geteuid() == 0, "needs root"))
struct JoinTests {
    /// A TCP segment of a flow.
    private struct Segment {
        var octets = 1000
        var flags: TCPSegment.Flags = .ack
        var port: UInt16 = 5000
        var family: IPAddress.Family = .v4
        var tags: [VLANTag] = []
        var segmentSize = 0

        func frame(_ sequence: UInt32 = 1) -> [UInt8] {
            let segment = TCPSegment(
                sourcePort: port, destinationPort: 80, sequence: sequence, flags: flags,
                payload: PayloadPattern.bytes(count: octets, seed: 3))
            let (source, destination): (IPAddress, IPAddress) =
                family == .v4 ? ("198.51.100.1", "198.51.100.2") : ("2001:db8:1::1", "2001:db8:1::2")
            return EthernetFrame(
                destination: Sample.far, source: Sample.near, tags: tags,
                payload: .ip(IPPacket(source: source, destination: destination, transport: .tcp(segment)))
            ).bytes
        }
    }

    private static func bench(_ cell: Cell, coalesces: Bool = true, joiner: UInt32 = Bench.loopback) throws -> Bench {
        let bench = try Bench(cell.configuration)
        var meta = pw_meta()
        meta.joiner_outer = joiner
        try bench.meta.update(key: 0, value: meta)
        try bench.sessions.update(
            key: cell.configuration.session.local.rawValue,
            value: pw_decap(cell.configuration, slot: Bench.slot, access: Bench.loopback, coalesces: coalesces))
        return bench
    }

    /// Which of the frames, one right after the other, go there; nil for one that is joined already, which the kernel
    /// does not decapsulate in a test run.
    private static func ways(_ bench: borrowing Bench, _ cell: Cell, _ segments: [Segment]) throws -> [Bool?] {
        let packets = try segments.map {
            (cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: $0.frame())), $0.segmentSize)
        }
        return try packets.map { packet, size in
            let context = TestRunContext(segmentSize: UInt32(size))
            let result = try bench.decap.testRun(packet, context: context)
            if size > 0 { return nil }
            #expect(result.verdict == Verdict.redirect)
            #expect(result.mark == 0 || result.mark == Bench.loopback)
            return result.mark != 0
        }
    }

    /// The same, on a machine that is not so busy that a flow pauses in between.
    private static func promptWays(
        _ cell: Cell, _ segments: [Segment], within limit: Duration = .milliseconds(30)
    ) throws -> [Bool?] {
        for _ in 0..<100 {
            let bench = try bench(cell)
            let begun = ContinuousClock.now
            let found = try ways(bench, cell, segments)
            if ContinuousClock.now - begun < limit { return found }
        }
        Issue.record("too slow a machine")
        return []
    }

    @Test("large segments do, and what follows in the flow, but for pure acknowledgements", arguments: Cell.basic)
    func order(cell: Cell) throws {
        for family in [IPAddress.Family.v4, .v6] {
            let found = try Self.promptWays(
                cell,
                [
                    Segment(octets: 3, family: family), Segment(family: family), Segment(octets: 3, family: family),
                    Segment(octets: 0, family: family), Segment(octets: 0, flags: [.ack, .fin], family: family),
                    Segment(octets: 0, flags: .rst, family: family),
                    Segment(octets: 3, port: 5001, family: family), Segment(octets: 512, port: 5002, family: family),
                    Segment(octets: 511, port: 5003, family: family),
                ])
            #expect(found == [false, true, true, false, true, true, false, true, false], "inner \(family)")
        }
    }

    @Test("tagged ones do as well", arguments: [[VLANTag.customer(5)], [.service(7), .customer(5)]])
    func tags(tags: [VLANTag]) throws {
        let found = try Self.promptWays(
            Cell.basic[0], [Segment(tags: tags), Segment(octets: 1, tags: tags), Segment(octets: 0, tags: tags)])
        #expect(found == [true, true, false])
    }

    @Test("a flow whose frames come in joined goes straight, unless one of them may still be in the joiner")
    func whole() throws {
        let cell = Cell.basic[0]
        let large = Segment(octets: 2000, segmentSize: 1000)
        #expect(try Self.promptWays(cell, [large, Segment(), Segment(octets: 1)]) == [nil, false, false])
        #expect(try Self.promptWays(cell, [Segment(), large, Segment()]) == [true, nil, true])
    }

    @Test("a flow that has paused starts anew")
    func pause() throws {
        let cell = Cell.basic[0]
        let bench = try Self.bench(cell)
        #expect(try Self.ways(bench, cell, [Segment()]) == [true])
        usleep(120_000)
        #expect(try Self.ways(bench, cell, [Segment(octets: 1), Segment()]) == [false, true])
    }

    @Test("nothing does where it is off, or where there is no joiner")
    func off() throws {
        let cell = Cell.basic[0]
        let off = try Self.bench(cell, coalesces: false)
        #expect(try Self.ways(off, cell, [Segment(), Segment()]) == [false, false])
        let without = try Self.bench(cell, joiner: 0)
        #expect(try Self.ways(without, cell, [Segment(), Segment()]) == [false, false])
    }

    @Test("what is not TCP does not", arguments: Sample.all)
    func others(sample: Sample) throws {
        let cell = Cell.basic[0]
        let bench = try Self.bench(cell)
        let packet = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: sample.frame))
        let isTCP = sample.testDescription.contains("TCP")
        let result = try bench.decap.testRun(packet)
        #expect(result.verdict == Verdict.redirect)
        if !isTCP { #expect(result.mark == 0) }
    }

    @Test("joined frames leave without a mark; those for an interface that is not there are counted")
    func joined() throws {
        let bench = try Self.bench(Cell.basic[0])
        let frame = Segment().frame()
        let good = try bench.join.testRun(frame, context: TestRunContext(mark: Bench.loopback))
        #expect(good.verdict == Verdict.redirect && good.mark == 0 && good.frame == frame)
        for mark: UInt32 in [0, 4_000_000] {
            #expect(try bench.join.testRun(frame, context: TestRunContext(mark: mark)).verdict == Verdict.drop)
        }
        #expect(try bench.reasons() == ["stray": 2])
    }
}
