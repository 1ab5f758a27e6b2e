import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("sequence numbers", .enabled(if: geteuid() == 0, "needs root"))
struct SequenceTests {
    private static let frame = Sample.all[0].frame

    private static func bench(_ cell: Cell, _ direction: PseudowireConfiguration.Direction) throws -> Bench {
        var configuration = cell.configuration
        configuration.session.sequencing = direction
        return try Bench(configuration)
    }

    /// Which of the numbers are taken, in the order in which they come.
    private static func taken(_ bench: borrowing Bench, _ cell: Cell, _ numbers: [UInt32]) throws -> [UInt32] {
        var taken: [UInt32] = []
        for number in numbers {
            var codec = cell.codec(outbound: false)
            codec.header.sublayer = SublayerWord(sequence: SequenceNumber(truncating: number))
            let packet = cell.ethernet + (try codec.encapsulate(frame: frame))
            if try bench.decap.testRun(packet).verdict == Verdict.redirect { taken.append(number) }
        }
        return taken
    }

    @Test("frames are numbered from zero, wrap at 24 bits, and have right checksums", arguments: Cell.basic)
    func numbering(cell: Cell) throws {
        let bench = try Self.bench(cell, .send)
        var codec = cell.codec(outbound: true)
        for number: UInt32 in 0..<4 {
            codec.header.sublayer = SublayerWord(sequence: SequenceNumber(truncating: number))
            for sample in [Sample.all[Int(number)]] {
                let result = try bench.encap.testRun(sample.frame)
                #expect(result.frame == cell.ethernet + (try codec.encapsulate(frame: sample.frame)))
            }
        }
        try bench.sequences.update(key: Bench.slot, value: pw_sequence(send: 0xff_ffff, receive: 0))
        for number: UInt32 in [0xff_ffff, 0] {
            codec.header.sublayer = SublayerWord(sequence: SequenceNumber(truncating: number))
            let result = try bench.encap.testRun(Self.frame)
            #expect(result.frame == cell.ethernet + (try codec.encapsulate(frame: Self.frame)))
        }
    }

    @Test(
        "Q1 to Q5: the window is half of the numbers", arguments: [0, 1, 8_388_606, 8_388_607, 16_777_215] as [UInt32])
    func window(number: UInt32) throws {
        let bench = try Self.bench(Cell.basic[0], .receive)
        let isInside = number < 8_388_607
        #expect(try Self.taken(bench, Cell.basic[0], [number]) == (isInside ? [number] : []))
        #expect(try bench.reasons()["sequence"] == (isInside ? nil : 1))
        // Whoever joins late has missed nothing.
        #expect(try bench.sessionReasons()["sequence_gap"] == nil)
    }

    @Test("Q6: what comes late is refused; a loss costs only what was lost")
    func late() throws {
        let bench = try Self.bench(Cell.basic[1], .receive)
        #expect(try Self.taken(bench, Cell.basic[1], [0, 2, 1, 3, 3, 4]) == [0, 2, 3, 4])
        #expect(try bench.reasons() == ["sequence": 2, "sequence_gap": 1])
    }

    @Test("Q7: a peer that starts anew is taken back after five refusals, and not before")
    func restart() throws {
        let bench = try Self.bench(Cell.basic[2], .receive)
        #expect(try Self.taken(bench, Cell.basic[2], [1000] + Array(0...8)) == [1000, 5, 6, 7, 8])
        #expect(try bench.reasons()["sequence"] == 5)
    }

    @Test("old packets played back in any order do not move the window")
    func playback() throws {
        let bench = try Self.bench(Cell.basic[0], .receive)
        #expect(try Self.taken(bench, Cell.basic[0], [1000, 3, 9, 3, 7, 1, 5, 2, 8, 6, 1001]) == [1000, 1001])
    }

    @Test("the window goes round", arguments: Cell.basic)
    func wrap(cell: Cell) throws {
        let bench = try Self.bench(cell, .both)
        try bench.sequences.update(key: Bench.slot, value: pw_sequence(send: 0, receive: 0xff_fffe))
        #expect(try Self.taken(bench, cell, [0xff_fffe, 0xff_ffff, 0, 1]) == [0xff_fffe, 0xff_ffff, 0, 1])
        #expect(try bench.reasons().isEmpty)
    }

    @Test("Q8: required but missing is dropped; unexpected is delivered, noticed, and answered with no number")
    func oneSided() throws {
        let cell = Cell.basic[0]
        let strict = try Self.bench(cell, .receive)
        let plain = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: Self.frame))
        #expect(try strict.decap.testRun(plain).verdict == Verdict.drop)
        #expect(try strict.reasons() == ["sequence_missing": 1])

        let indifferent = try Self.bench(cell, .none)
        #expect(try Self.taken(indifferent, cell, [5, 9, 1]) == [5, 9, 1])
        #expect(try indifferent.reasons() == ["sequence_unexpected": 3])
        #expect(
            try indifferent.encap.testRun(Self.frame).frame
                == cell.ethernet + (try cell.codec(outbound: true).encapsulate(frame: Self.frame)))
    }

    @Test(
        "what is not a frame is not delivered as one",
        arguments: [
            (0x8000_0000, "control_channel"), (0xc000_0001, "control_channel"), (0x5000_0000, "pseudowire_fragment"),
            (0x6000_0000, "pseudowire_fragment"), (0x7000_0000, "pseudowire_fragment"),
        ] as [(UInt32, String)])
    func special(word: UInt32, reason: String) throws {
        let cell = Cell.basic[0]
        let bench = try Self.bench(cell, .none)
        var codec = cell.codec(outbound: false)
        codec.header.sublayer = SublayerWord(rawValue: word)
        let packet = cell.ethernet + (try codec.encapsulate(frame: Self.frame))
        #expect(try bench.decap.testRun(packet).verdict == Verdict.drop)
        #expect(try bench.reasons() == [reason: 1])
    }

    @Test("QEMU's counter without the S bit is no number and no mismatch")
    func counterWithoutS() throws {
        let cell = Cell.basic[0]
        let bench = try Self.bench(cell, .none)
        for sample in Sample.all {
            var codec = cell.codec(outbound: false)
            codec.header.sublayer = SublayerWord(rawValue: 77)
            let packet = cell.ethernet + (try codec.encapsulate(frame: sample.frame))
            #expect(try bench.decap.testRun(packet).verdict == Verdict.redirect, "\(sample.testDescription)")
        }
    }

    @Test("a super-frame of a numbered session goes through the splitter: its segments need numbers of their own")
    func superFrame() throws {
        var configuration = Cell.basic[0].configuration
        configuration.session.sequencing = .send
        let bench = try Bench(configuration, splitter: OwnPair.Indexes(outer: Bench.loopback, inner: 0))
        let payload = PayloadPattern.bytes(count: 3000, seed: 1)
        let frame = Sample.frame(
            Sample.ip(.tcp(TCPSegment(sourcePort: 1, destinationPort: 2, payload: payload)), .v4)
        ).bytes
        let result = try bench.encap.testRun(frame, context: TestRunContext(segmentSize: 750, segments: 4))
        #expect(result.verdict == Verdict.redirect)
        #expect(result.frame == frame)
    }
}
