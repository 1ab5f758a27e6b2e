import BPF
import CPseudowireObject
import Foundation
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

/// The reasons that no other suite comes by.
@Suite("drop reasons", .enabled(if: geteuid() == 0, "needs root"))
struct ReasonTests {
    @Test("every reason has a test that reaches it")
    func complete() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        var text = ""
        // Two are reached only where the kernel refuses something: by real frames, or by a helper that is made to fail.
        for folder in [".", "../IntegrationTests", "../Fuzz/native"] {
            let folder = tests.appendingPathComponent(folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.hasSuffix(".swift") || name.hasSuffix(".c") {
                text += try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            }
        }
        #expect(DropReason.allCases.count > 25)
        for reason in DropReason.allCases { #expect(text.contains("\"\(reason.identifier)\""), "\(reason.identifier)") }
    }

    @Test("a tag that is cut off", arguments: Cell.basic)
    func tooShort(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        for count in 14...17 {
            let frame = Array((Sample.far.bytes + Sample.near.bytes + [0x81, 0x00, 0, 5, 8, 0]).prefix(count))
            #expect(try bench.encap.testRun(frame).verdict == Verdict.drop)
        }
        #expect(try bench.reasons() == ["frame_too_short": 4])
    }

    @Test("three tags", arguments: Cell.basic)
    func tooDeep(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let frame = EthernetFrame(
            destination: Sample.far, source: Sample.near, tags: [.service(1), .customer(2), .customer(3)],
            payload: .raw(etherType: 0x88b5, [1, 2, 3]))
        #expect(try bench.encap.testRun(frame.bytes).verdict == Verdict.drop)
        #expect(try bench.reasons() == ["vlan_depth": 1])
    }

    @Test("control messages, and other versions for a session of ours, are left to the stack and counted")
    func control() throws {
        for cell in Cell.basic {
            let bench = try Bench(cell.configuration)
            let l2tp = (cell.family == .v4 ? 20 : 40) + (cell.encapsulation == .udp ? 8 : 0)
            var control = try cell.codec(outbound: false).encapsulate(frame: Sample.all[0].frame)
            if cell.encapsulation == .udp {
                control.replaceSubrange(l2tp..<(l2tp + 2), with: [0xc8, 0x03])
            } else {
                control.replaceSubrange(l2tp..<(l2tp + 4), with: [0, 0, 0, 0])
            }
            #expect(try bench.decap.testRun(cell.ethernet + control).verdict == Verdict.pass)
            guard cell.encapsulation == .udp else {
                #expect(try bench.reasons() == ["control": 1])
                continue
            }
            control.replaceSubrange(l2tp..<(l2tp + 2), with: [0x00, 0x02])
            #expect(try bench.decap.testRun(cell.ethernet + control).verdict == Verdict.pass)
            #expect(try bench.reasons() == ["control": 1, "other_version": 1])
        }
    }

    @Test("packets glued together by receive offload")
    func coalesced() throws {
        for cell in Cell.basic {
            let bench = try Bench(cell.configuration)
            let payload = PayloadPattern.bytes(count: 1000, seed: 2)
            let frame = Sample.frame(
                Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: payload)), .v4)
            ).bytes
            // One outer header over two frames: what the inner lengths say covers only the first.
            let glued = try cell.codec(outbound: false).encapsulate(frame: frame + frame)
            let context = TestRunContext(segmentSize: 1042, segments: 2)
            #expect(try bench.decap.testRun(cell.ethernet + glued, context: context).verdict == Verdict.drop)
            #expect(try bench.reasons() == ["coalesced": 1])
        }
    }
}
