@testable import BPF
import Glibc
import SystemPackage
import Testing

/// An XDP program that looks up key 0 in a map, so that it uses it.
private func using(_ map: borrowing Map<UInt32, UInt32>, name: String) throws -> Program {
    let descriptor = UInt64(UInt32(bitPattern: map.fileDescriptor))
    return try Program(
        instructions: [
            0x0000_0000_0000_0a62 | UInt64(0xfffc) << 16,  // *(u32 *)(r10 - 4) = 0
            0x0000_0000_0000_a2bf, 0xffff_fffc_0000_0207,  // r2 = r10 - 4
            0x1118 | descriptor << 32, 0,  // r1 = map
            0x0000_0001_0000_0085,  // call bpf_map_lookup_elem
            0x0000_0002_0000_00b7, 0x95,  // return XDP_PASS
        ], type: 6, name: name)
}

@Suite("enumeration", .enabled(if: geteuid() == 0, "needs root"))
struct EnumerationTests {
    @Test("a program's number, name, tag, time, maps")
    func programInfo() throws {
        let map = try Map<UInt32, UInt32>(creating: hashMap, name: "used", maxEntries: 4)
        var before = timespec()
        clock_gettime(CLOCK_BOOTTIME, &before)
        let program = try using(map, name: "a_user")
        var after = timespec()
        clock_gettime(CLOCK_BOOTTIME, &after)
        let info = try program.info()
        #expect(info.id == program.id)
        #expect(info.type == 6)
        #expect(info.name == "a_user")
        #expect(info.mapIDs == [map.info.id])
        #expect(info.verifiedInstructions == 7)
        #expect(info.tag.count == 8 && info.tag.contains { $0 != 0 })
        func duration(_ time: timespec) -> Duration { .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec) }
        #expect((duration(before)...duration(after)).contains(info.loadedAt))
        let other = try Program(instructions: [0xb7, 0x95], type: 6, name: "no_maps")
        #expect(try other.info().mapIDs == [])
        #expect(try other.info().tag != info.tag)
    }

    @Test("what is there is found by number, once")
    func found() throws {
        let map = try Map<UInt32, UInt32>(creating: hashMap, name: "used", maxEntries: 4)
        let program = try using(map, name: "a_user")
        #expect(try ProgramInfo.all().filter { $0.id == program.id } == [try program.info()])
        #expect(try MapInfo.all().filter { $0.id == map.info.id } == [map.info])
        #expect(try Program(id: program.id).info() == program.info())
        let again = try Map<UInt32, UInt32>(id: map.info.id, expecting: MapShape(type: hashMap))
        try again.insert(key: 1, value: 2)
        #expect(try map[1] == 2)
        for number in [0, UInt32.max] {
            let noProgram = #expect(throws: BPFError.self) { _ = try Program(id: number) }
            #expect(noProgram?.isNotFound == true)
            let noMap = #expect(throws: BPFError.self) { _ = try Map<UInt32, UInt32>(id: number) }
            #expect(noMap?.isNotFound == true)
        }
    }

    @Test("what vanishes before it is opened, or is still being made, is left out; other errors are not swallowed")
    func vanishing() throws {
        func next(_ id: UInt32, _ result: UnsafeMutablePointer<UInt32>) -> Int32 {
            guard id < 5 else { return 0 - ENOENT }
            result.pointee = id + 1
            return 0
        }
        let found = try Enumeration.of("tests", next: next) { id throws(BPFError) in
            if id == 2 { throw BPFError("open", "test", .noSuchFileOrDirectory) }
            // A link that is still being made.
            if id == 4 { throw BPFError("open", "test", .resourceTemporarilyUnavailable) }
            return id
        }
        #expect(found == [1, 3, 5])
        let error = #expect(throws: BPFError.self) {
            _ = try Enumeration.of("tests", next: next) { _ throws(BPFError) -> UInt32 in
                throw BPFError("open", "test", .notPermitted)
            }
        }
        #expect(error?.errno == .notPermitted)
    }

    @Test("enumerating while programs and maps come and go")
    func churn() async throws {
        let map = try Map<UInt32, UInt32>(creating: hashMap, name: "stays", maxEntries: 4)
        let program = try using(map, name: "stays")
        let churn = Task.detached {
            var rounds = 0
            while !Task.isCancelled {
                let map = try Map<UInt32, UInt32>(creating: hashMap, name: "passes", maxEntries: 4)
                _ = try using(map, name: "passes")
                rounds += 1
            }
            return rounds
        }
        for _ in 0..<200 {
            #expect(try ProgramInfo.all().count { $0.id == program.id } == 1)
            #expect(try MapInfo.all().count { $0.id == map.info.id } == 1)
        }
        churn.cancel()
        #expect(try await churn.value > 0)
    }
}
