import BPF
import CPseudowireObject
import Glibc
import Testing

/// The datapath's object, small: it has maps of every kind that the module knows.
private func object() throws -> LoadedObject {
    let image = UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size())
    let file = try ObjectFile(image: image, name: "test")
    for map in ["access", "sessions", "pseudowires", "ports", "session_drops"] {
        try file.setMaxEntries(3000, ofMap: map)
    }
    try file.setMaxEntries(8, ofMap: "counters")
    return try file.load()
}

@Suite("maps", .enabled(if: geteuid() == 0, "needs root"))
struct MapTests {
    @Test("insert, look up, update, remove; absence is nil, presence is EEXIST")
    func life() throws {
        let ports: Map<UInt32, pw_port> = try object().map("ports")
        var port = pw_port()
        port.flags = 7
        #expect(try ports[5] == nil)
        try ports.insert(key: 5, value: port)
        #expect(try ports[5]?.flags == 7)
        #expect(throws: BPFError.self) { try ports.insert(key: 5, value: port) }
        port.flags = 8
        try ports.update(key: 5, value: port)
        #expect(try ports[5]?.flags == 8)
        #expect(try ports.remove(key: 5))
        #expect(try !ports.remove(key: 5))
    }

    @Test("a listing has every entry once, whatever the batch size", arguments: [0, 1, 7, 1024, 2999])
    func entries(count: Int) throws {
        let ports: Map<UInt32, pw_port> = try object().map("ports")
        for index in 0..<count {
            var port = pw_port()
            port.flags = UInt32(index) * 3
            try ports.insert(key: UInt32(index), value: port)
        }
        let entries = try ports.entries()
        #expect(entries.count == count)
        #expect(Set(entries.map(\.key)) == Set((0..<count).map(UInt32.init)))
        #expect(entries.allSatisfy { $0.value.flags == $0.key * 3 })
    }

    @Test("a full map says so")
    func full() throws {
        let ports: Map<UInt32, pw_port> = try object().map("ports")
        let error = #expect(throws: BPFError.self) {
            for index in 0..<4000 { try ports.insert(key: UInt32(index), value: pw_port()) }
        }
        #expect(error?.description.contains("full: 3000 entries") == true)
    }

    @Test("per-CPU values: one for each possible CPU")
    func perCPU() throws {
        let counters: Map<UInt32, pw_counters> = try object().map("counters")
        let all = try #require(try counters.valuesPerCPU(of: 3))
        #expect(all.count >= sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        var value = pw_counters()
        value.tx_frames = 11
        try counters.updateOnEveryCPU(key: 3, value: value)
        #expect(try counters.valuesPerCPU(of: 3)?.allSatisfy { $0.tx_frames == 11 } == true)
        #expect(throws: BPFError.self) { _ = try counters[3] }
    }

    @Test("types of the wrong size are refused, all differences named")
    func wrongTypes() throws {
        let loaded = try object()
        let error = #expect(throws: BPFError.self) {
            _ = try loaded.map("ports", as: Map<UInt64, UInt64>.self)
        }
        #expect(error?.description.contains("keys have 4 octets, not 8") == true)
        #expect(error?.description.contains("values have 48 octets, not 8") == true)
    }

    @Test("a type whose values would lie further apart than the kernel's is refused, and no map is made of it")
    func padded() throws {
        struct Padded: BitwiseCopyable {
            var word: UInt32 = 0
            var octet: UInt8 = 0
        }
        let error = #expect(throws: BPFError.self) {
            _ = try Map<UInt32, Padded>(creating: hashMap, name: "padded", maxEntries: 8)
        }
        #expect(error?.description.contains("Padded has 5 octets, but takes 8 in a row") == true)
        #expect(throws: BPFError.self) { _ = try object().map("ports", as: Map<Padded, pw_port>.self) }
        #expect(try !MapInfo.all().contains { $0.name == "padded" })
    }

    @Test("a cgroup's storage of every CPU's own is known as that: the kernel writes one value for each CPU")
    func cgroupStorage() throws {
        let map = try Map<UInt64, UInt32>(creating: 21, name: "storage", maxEntries: 0)
        #expect(map.info.isPerCPU)
        let error = #expect(throws: BPFError.self) { _ = try map[1] }
        #expect(error?.description.contains("it has a value per CPU") == true)
    }

    @Test("constants are set by name and size")
    func constants() throws {
        let image = UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size())
        let file = try ObjectFile(image: image, name: "test")
        try file.setConstant("has_decap_l3", to: UInt32(1))
        #expect(throws: BPFError.self) { try file.setConstant("has_decap_l3", to: UInt64(1)) }
        #expect(throws: BPFError.self) { try file.setConstant("no_such_constant", to: UInt32(1)) }
    }
}

@Suite("programs", .enabled(if: geteuid() == 0, "needs root"))
struct ProgramTests {
    /// A program of two instructions that returns a value.
    private func returning(_ value: Int32) throws -> Program {
        try Program(
            instructions: [0xb7 | UInt64(UInt32(bitPattern: value)) << 32, 0x95], type: 3, name: "test")
    }

    @Test("a test run gives the verdict and leaves the frame alone")
    func testRun() throws {
        let frame = [UInt8](repeating: 0x5a, count: 64)
        let result = try returning(-1).testRun(frame)
        #expect(result.verdict == -1)
        #expect(result.frame == frame)
    }

    @Test("programs are told apart by number")
    func identity() throws {
        let first = try returning(0)
        let second = try returning(0)
        #expect(first.id != second.id)
    }

    @Test("what the verifier refuses is an error, not a trap")
    func refused() {
        // Reads a register that nothing was put into.
        #expect(throws: BPFError.self) { _ = try Program(instructions: [0x95], type: 3, name: "test") }
        let nonsense: [UInt8] = Array("not an object".utf8)
        nonsense.withUnsafeBytes { bytes in
            _ = #expect(throws: BPFError.self) { _ = try ObjectFile(image: bytes, name: "nonsense") }
        }
    }
}
