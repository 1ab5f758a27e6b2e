import BPF
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("pseudowires of one VLAN", .enabled(if: geteuid() == 0, "needs root"))
struct VLANTests {
    private static func bench(
        _ cell: Cell, _ vlan: PseudowireConfiguration.VLANSelection, _ tag: PseudowireConfiguration.VLANTag = .keep
    ) throws -> Bench {
        var configuration = cell.configuration
        configuration.vlan = vlan
        configuration.vlanTag = tag
        return try Bench(configuration)
    }

    private static func frame(_ tags: [VLANTag]) -> [UInt8] {
        let segment = TCPSegment(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3, 4, 5, 6, 7])
        return Sample.frame(Sample.ip(.tcp(segment), .v4), tags: tags).bytes
    }

    /// What leaves for a frame with `tags`: nil if it passes, else the frame inside.
    private static func sent(_ bench: borrowing Bench, _ cell: Cell, _ tags: [VLANTag]) throws -> [UInt8]? {
        let result = try bench.encap.testRun(frame(tags))
        if result.verdict == Verdict.pass {
            #expect(result.frame == frame(tags))
            return nil
        }
        #expect(result.verdict == Verdict.redirect)
        let codec = cell.codec(outbound: true)
        let back = try PacketCodec.decapsulate(
            packet: Array(result.frame[14...]), cookieLength: codec.header.cookie.length, sublayer: cell.sublayer)
        #expect(result.frame == cell.ethernet + (try codec.encapsulate(frame: back.frame)))
        return back.frame
    }

    /// What is delivered of a frame with `tags` from the peer: nil if it is dropped.
    private static func delivered(_ bench: borrowing Bench, _ cell: Cell, _ tags: [VLANTag]) throws -> [UInt8]? {
        let packet = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: frame(tags)))
        let result = try bench.decap.testRun(packet)
        return result.verdict == Verdict.redirect ? result.frame : nil
    }

    @Test("only the frames of the VLAN are carried; the others pass", arguments: Cell.basic)
    func selection(cell: Cell) throws {
        let bench = try Self.bench(cell, .id(42))
        for tags in [[VLANTag.customer(42)], [.customer(42, priority: 6)], [.customer(42), .customer(7)]] {
            #expect(try Self.sent(bench, cell, tags) == Self.frame(tags))
        }
        for tags in [
            [], [VLANTag.customer(41)], [.customer(0, priority: 3)], [.service(42)], [.service(7), .customer(42)],
        ] {
            #expect(try Self.sent(bench, cell, tags) == nil)
        }
        #expect(try bench.reasons().isEmpty)
    }

    @Test("a service VLAN is another one than the customer's of the same number", arguments: Cell.basic)
    func serviceTag(cell: Cell) throws {
        let bench = try Self.bench(cell, .id(42, .service))
        let tags = [VLANTag.service(42), .customer(5)]
        #expect(try Self.sent(bench, cell, tags) == Self.frame(tags))
        #expect(try Self.sent(bench, cell, [.customer(42)]) == nil)
    }

    @Test("frames without a tag, and those with a priority tag", arguments: Cell.basic)
    func untagged(cell: Cell) throws {
        let bench = try Self.bench(cell, .none)
        for tags in [[], [VLANTag.customer(0, priority: 5)]] {
            #expect(try Self.sent(bench, cell, tags) == Self.frame(tags))
        }
        #expect(try Self.sent(bench, cell, [.customer(1)]) == nil)
        #expect(try Self.delivered(bench, cell, []) == Self.frame([]))
        #expect(try Self.delivered(bench, cell, [.customer(3)]) == nil)
        #expect(try bench.reasons() == ["vlan": 1])
    }

    @Test("the tag is stripped on the way out and put on again on the way in", arguments: Cell.basic)
    func strip(cell: Cell) throws {
        let bench = try Self.bench(cell, .id(42), .strip)
        #expect(try Self.sent(bench, cell, [.customer(42)]) == Self.frame([]))
        #expect(
            try Self.sent(bench, cell, [.customer(42), .customer(7, priority: 1)])
                == Self.frame([.customer(7, priority: 1)]))
        // The new tag lies beside the frame, where a test run does not show it; a second one shows up in it.
        #expect(try Self.delivered(bench, cell, []) == Self.frame([]))
        #expect(try Self.delivered(bench, cell, [.customer(7)]) == Self.frame([.customer(7)]))
    }

    @Test("the id is rewritten to the peer's and back; priority stays", arguments: Cell.basic)
    func rewrite(cell: Cell) throws {
        let bench = try Self.bench(cell, .id(42), .rewrite(99))
        #expect(try Self.sent(bench, cell, [.customer(42, priority: 5)]) == Self.frame([.customer(99, priority: 5)]))
        #expect(try Self.delivered(bench, cell, [.customer(99)]) == Self.frame([]))
        #expect(try Self.delivered(bench, cell, [.customer(42)]) == nil)
        #expect(try Self.delivered(bench, cell, []) == nil)
        #expect(try bench.reasons() == ["vlan": 2])
    }

    @Test("the peer cannot reach other VLANs of the interface", arguments: Cell.basic)
    func isolation(cell: Cell) throws {
        let bench = try Self.bench(cell, .id(42))
        #expect(try Self.delivered(bench, cell, [.customer(42)]) == Self.frame([]))
        for tags in [[], [VLANTag.customer(43)], [.customer(0)], [.customer(43), .customer(42)]] {
            #expect(try Self.delivered(bench, cell, tags) == nil)
        }
        #expect(try bench.reasons() == ["vlan": 4])
        #expect(try bench.counted().rxDropped == 4)
    }
}
