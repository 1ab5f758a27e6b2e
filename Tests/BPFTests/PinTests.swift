import BPF
import CPseudowireLinux
import CPseudowireObject
import Glibc
import SystemPackage
import Testing

/// A directory of its own on the BPF file system; goes with everything in it.
final class PinDirectory: Sendable {
    let path = "\(BPFFileSystem.conventionalPath)/test:\(getpid()):\(UInt32.random(in: 0 ... .max))"

    init() throws {
        try #require(mkdir(path, 0o700) == 0)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// What is in it, in alphabetical order.
    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }
}

/// `BPF_MAP_TYPE_*`.
let (hashMap, arrayMap, perCPUHashMap, ringBufferMap): (UInt32, UInt32, UInt32, UInt32) = (1, 2, 5, 27)

@Suite("pins", .enabled(if: geteuid() == 0, "needs root"))
struct PinTests {
    /// Every kind under its own name.
    private func pinAll(in directory: String) throws {
        let map = try Map<UInt32, UInt32>(creating: hashMap, name: "kinds", maxEntries: 4)
        try map.pin(at: "\(directory)/map")
        let program = try Program(instructions: [0xb7, 0x95], type: 6, name: "kinds")
        try program.pin(at: "\(directory)/program")
        try ProgramLink(xdp: program, interfaceIndex: 1, mode: .generic).pin(at: "\(directory)/link")
    }

    private func open(_ path: String, as kind: ObjectKind) throws(BPFError) {
        switch kind {
        case .map: _ = try Map<UInt32, UInt32>(pinnedAt: path)
        case .program: _ = try Program(pinnedAt: path)
        case .link: _ = try ProgramLink(pinnedAt: path)
        }
    }

    @Test("a pin of another kind is refused, and both kinds are named", arguments: [ObjectKind.map, .program, .link])
    func kinds(asked: ObjectKind) throws {
        try inNewNamespace {
            let pins = try PinDirectory()
            try withExtendedLifetime(pins) {
                let directory = pins.path
                try pinAll(in: directory)
                for found in [ObjectKind.map, .program, .link] {
                    let path = "\(directory)/\(found)"
                    guard found != asked else {
                        try open(path, as: asked)
                        continue
                    }
                    let error = #expect(throws: BPFError.self) { try open(path, as: asked) }
                    #expect(error?.cause == .wrongKind(expected: asked, found: found))
                    #expect(error?.description.hasSuffix("it is a \(found), not a \(asked)") == true)
                }
                let error = #expect(throws: BPFError.self) { try open("\(directory)/absent", as: asked) }
                #expect(error?.isNotFound == true)
                #expect(error?.cause == nil)
            }
        }
    }

    @Test("a pinned map that is another one: every difference is listed")
    func differences() throws {
        let pins = try PinDirectory()
        try withExtendedLifetime(pins) {
            let path = "\(pins.path)/map"
            try Map<UInt32, UInt32>(creating: hashMap, name: "old", maxEntries: 4, flags: 1).pin(at: path)
            let shape = MapShape(type: arrayMap, maxEntries: 8, flags: 0)
            let error = #expect(throws: BPFError.self) {
                _ = try Map<UInt64, UInt16>(pinnedAt: path, expecting: shape)
            }
            #expect(
                error?.cause
                    == .mapDiffers([
                        MapDifference(property: .type, expected: 2, found: 1),
                        MapDifference(property: .keySize, expected: 8, found: 4),
                        MapDifference(property: .valueSize, expected: 2, found: 4),
                        MapDifference(property: .maxEntries, expected: 8, found: 4),
                        MapDifference(property: .flags, expected: 0, found: 1),
                    ]))
            #expect(error?.description.contains("its type is hash, not array") == true)
            #expect(error?.description.contains("its flags are 0x1, not 0x0") == true)
            let same = MapShape(type: hashMap, maxEntries: 4, flags: 1)
            #expect(try Map<UInt32, UInt32>(pinnedAt: path, expecting: same).info.flags == 1)
        }
    }

    @Test("a map is what its object declares, and not what another one does")
    func declared() throws {
        let image = UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size())
        let file = try ObjectFile(image: image, name: "test")
        for map in ["access", "sessions", "pseudowires", "ports", "session_drops", "paths"] {
            try file.setMaxEntries(16, ofMap: map)
        }
        try file.setMaxEntries(8, ofMap: "counters")
        let ports = try file.shape(ofMap: "ports")
        let drops = try file.shape(ofMap: "session_drops")
        #expect(ports == MapShape(type: hashMap, keySize: 4, valueSize: 48, maxEntries: 16, flags: 1))
        let object = try file.load()
        let pins = try PinDirectory()
        try withExtendedLifetime(pins) {
            try object.map("ports", as: Map<UInt32, pw_port>.self).pin(at: "\(pins.path)/ports")
            let map = try Map<UInt32, pw_port>(pinnedAt: "\(pins.path)/ports", expecting: ports)
            #expect(drops.differences(from: map.info).map(\.property) == [.keySize, .valueSize])
        }
    }

    @Test("a replaced pin is there at all times, and is the new object afterwards")
    func replacing() async throws {
        let directory = try PinDirectory()
        let path = "\(directory.path)/program"
        let first = try Program(instructions: [0xb7, 0x95], type: 6, name: "first")
        try first.pin(replacing: path)
        #expect(try Program(pinnedAt: path).id == first.id)
        let reader = Task.detached {
            var opened = 0
            while !Task.isCancelled {
                _ = try Program(pinnedAt: path)
                opened += 1
            }
            return opened
        }
        for _ in 0..<500 {
            let next = try Program(instructions: [0xb7, 0x95], type: 6, name: "next")
            try next.pin(replacing: path)
            #expect(try Program(pinnedAt: path).id == next.id)
        }
        reader.cancel()
        #expect(try await reader.value > 0)
        #expect(directory.names == ["program"])
    }

    @Test("pinning by itself still refuses to replace; what cannot be replaced is left alone")
    func notReplaced() throws {
        let directory = try PinDirectory()
        let path = "\(directory.path)/map"
        let map = try Map<UInt32, UInt32>(creating: hashMap, name: "old", maxEntries: 4)
        let other = try Map<UInt32, UInt32>(creating: hashMap, name: "new", maxEntries: 4)
        try map.pin(at: path)
        let taken = #expect(throws: BPFError.self) { try other.pin(at: path) }
        #expect(taken?.errno == .fileExists)
        #expect(try Map<UInt32, UInt32>(pinnedAt: path).info.id == map.info.id)
        try other.pin(replacing: path)
        #expect(try Map<UInt32, UInt32>(pinnedAt: path).info.id == other.info.id)
        try #require(mkdir("\(directory.path)/directory", 0o700) == 0)
        defer { rmdir("\(directory.path)/directory") }
        #expect(throws: BPFError.self) { try other.pin(replacing: "\(directory.path)/directory") }
        #expect(throws: BPFError.self) { try other.pin(replacing: "\(directory.path)/absent/map") }
        #expect(directory.names == ["directory", "map"])
    }
}
