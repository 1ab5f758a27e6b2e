import BPF
import CPseudowireLinux
import CPseudowireObject
import Glibc
import SystemPackage
import Testing

/// Runs `body` with a directory of its own on the BPF file system, and removes it with everything in it.
func withPinDirectory(_ body: (String) throws -> Void) throws {
    let path = "\(BPFFileSystem.conventionalPath)/test:\(getpid()):\(UInt32.random(in: 0 ... .max))"
    try #require(mkdir(path, 0o700) == 0)
    defer {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink("\(path)/\(name)")
            }
            closedir(directory)
        }
        rmdir(path)
    }
    try body(path)
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
            try withPinDirectory { directory in
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
        try withPinDirectory { directory in
            let path = "\(directory)/map"
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
        #expect(ports == MapShape(type: hashMap, keySize: 4, valueSize: 24, maxEntries: 16, flags: 1))
        let object = try file.load()
        try withPinDirectory { directory in
            try object.map("ports", as: Map<UInt32, pw_port>.self).pin(at: "\(directory)/ports")
            let map = try Map<UInt32, pw_port>(pinnedAt: "\(directory)/ports", expecting: ports)
            #expect(drops.differences(from: map.info).map(\.property) == [.keySize, .valueSize])
        }
    }
}
