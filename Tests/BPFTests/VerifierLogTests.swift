import CPseudowireObject
import Glibc
import SystemPackage
import Testing

@testable import BPF

@Suite("the verifier's log")
struct VerifierLogTests {
    @Test("the reason is found among statistics")
    func classic() {
        let log = VerifierLog("0: R1=ctx()\n1: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000)\n\n")
        #expect(log.summary == "1: (95) exit R0 !read_ok")
        #expect(log.tail(1) == ["processed 1 insns (limit 1000000)"])
        #expect(log.processedInstructions == 1)
    }

    @Test(
        "lines that speak of the one before bring it along",
        arguments: [
            ("R1 invalid mem access 'inv'", "2: (61) r0 = *(u32 *)(r1 +0) R1 invalid mem access 'inv'"),
            (
                "invalid bpf_context access off=76 size=8",
                "2: (61) r0 = *(u32 *)(r1 +0) invalid bpf_context access off=76 size=8"
            ),
            ("\tBTF type 7", "2: (61) r0 = *(u32 *)(r1 +0) BTF type 7"),
            ("BPF program is too large. Processed 1000001 insn", "BPF program is too large. Processed 1000001 insn"),
        ])
    func predecessor(reason: String, summary: String) {
        let tail = "verification time 17 usec\nstack depth 8\nprocessed 3 insns (limit 1000000)\n"
        #expect(VerifierLog("0: R1=ctx()\n2: (61) r0 = *(u32 *)(r1 +0)\n\(reason)\n\(tail)").summary == summary)
    }

    @Test("the source line is added")
    func source() {
        let log = VerifierLog("; first @ a.c:1\n; if (x > y) @ a.c:42\n7: (95) exit\nmath between fp and pointer\n")
        #expect(log.summary == "math between fp and pointer [if (x > y) @ a.c:42]")
    }

    @Test("the structured report of newer kernels is understood")
    func structured() {
        let log = VerifierLog(
            "Verification failed:\nReason: invalid access to packet\nAt: a.c:7\nSuggestion: check bounds\n")
        #expect(log.summary == "invalid access to packet; check bounds")
        #expect(VerifierLog("Reason:   no exit\nprocessed 9 insns\n").summary == "no exit")
        #expect(VerifierLog("Reason: old\nReason: new\n").summary == "new")
    }

    @Test("nothing gives nothing")
    func empty() {
        #expect(VerifierLog("").summary == "")
        #expect(VerifierLog("\n\n").summary == "")
        #expect(VerifierLog("Reason:\n").summary == "")
        #expect(VerifierLog("no numbers").processedInstructions == nil)
        #expect(VerifierLog("processed many insns").processedInstructions == nil)
    }

    @Test("room grows while the log does not fit, and no further")
    func growth() {
        var rooms: [Int] = []
        let (result, log) = VerifierLog.collect(from: 16) { buffer in
            rooms.append(buffer.count)
            guard buffer.count >= 1024 else { return 0 - ENOSPC }
            buffer[0] = CChar(UInt8(ascii: "x"))
            buffer[1] = 0
            return 0 - EACCES
        }
        #expect(rooms == [16, 64, 256, 1024])
        #expect(result == 0 - EACCES)
        #expect(log?.full == "x")
        var attempts = 0
        let hopeless = VerifierLog.collect(from: 16 << 20) { _ in
            attempts += 1
            return 0 - ENOSPC
        }
        #expect(hopeless.result == 0 - ENOSPC && hopeless.log == nil && attempts == 2)
    }
}

@Suite("the verifier's log, from the kernel", .enabled(if: geteuid() == 0, "needs root"))
struct KernelVerifierLogTests {
    @Test("a program that is refused says why")
    func reason() {
        let error = #expect(throws: BPFError.self) { _ = try Program(instructions: [0x95], type: 3, name: "test") }
        #expect(error?.errno.rawValue == EACCES)
        #expect(error?.verifier?.summary.contains("R0 !read_ok") == true)
        #expect(error?.description.hasPrefix("load program test: Permission denied: ") == true)
    }

    @Test("a log longer than the first attempt has room for does not hide the reason")
    func long() {
        // r0 = 0, then r0 += 1 many times, then a read through r0, which is no pointer.
        let instructions = [0xb7] + [UInt64](repeating: 0x0000_0001_0000_0007, count: 8000) + [0x0061, 0x95]
        let error = #expect(throws: BPFError.self) {
            _ = try Program(instructions: instructions, type: 3, name: "long")
        }
        #expect(error?.errno.rawValue == EACCES)
        #expect(error?.verifier?.full.utf8.count ?? 0 > 128 << 10)
        #expect(error?.verifier?.summary.contains("R0 invalid mem access") == true)
        #expect(error?.verifier?.processedInstructions == 8002)
    }

    @Test("an object with a program that is refused says why, and loads nothing")
    func object() throws {
        var image = Array(UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size()))
        // The first instruction that ends a function becomes one that does nothing.
        let exit: [UInt8] = [0x95, 0, 0, 0, 0, 0, 0, 0]
        let places = stride(from: 64, to: image.count - 8, by: 8)
        let place = try #require(places.first { Array(image[$0..<$0 + 8]) == exit })
        image[place] = 0xbf
        let error = #expect(throws: BPFError.self) {
            _ = try image.withUnsafeBytes { image in
                let file = try ObjectFile(image: image, name: "broken")
                for map in ["access", "sessions", "pseudowires", "ports", "session_drops", "paths"] {
                    try file.setMaxEntries(16, ofMap: map)
                }
                try file.setMaxEntries(8, ofMap: "counters")
                _ = try file.load()
            }
        }
        #expect(error?.errno == .invalidArgument)
        #expect(error?.verifier?.summary.isEmpty == false)
        #expect(error?.description.hasPrefix("load object broken: Invalid argument: ") == true, "\(error as Any)")
    }

    @Test("a program that is left out is not loaded, and the others are; one that there is not is named")
    func leftOut() throws {
        let image = UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size())
        let file = try ObjectFile(image: image, name: "test")
        for map in ["access", "sessions", "pseudowires", "ports", "session_drops", "paths"] {
            try file.setMaxEntries(16, ofMap: map)
        }
        try file.setMaxEntries(8, ofMap: "counters")
        try file.leaveOut("pw_decap_l3")
        var missing: BPFError?
        do throws(BPFError) { try file.leaveOut("pw_nothing") } catch { missing = error }
        #expect(missing?.errno == .noSuchFileOrDirectory && missing?.description.contains("pw_nothing") == true)
        let object = try file.load()
        #expect(try object.program("pw_decap").id != 0)
        var absent: BPFError?
        do throws(BPFError) { _ = try object.program("pw_decap_l3") } catch { absent = error }
        #expect(absent?.errno == .noSuchFileOrDirectory, "\(absent as Any)")
    }
}
