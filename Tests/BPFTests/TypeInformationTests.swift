import BPF
import CPseudowireObject
import Glibc
import Testing

private func objectFile() throws -> ObjectFile {
    try ObjectFile(image: UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size()), name: "test")
}

/// The object's values as C's importer lays them out for Swift.
private let port = StructLayout.of(pw_port.self)
    .field("flags", \.flags).field("access_hook", \.access_hook).field("underlay_hook", \.underlay_hook)
    .field("reserved", \.reserved).field("name", \.name).field("address", \.address)
    .field("reserved_too", \.reserved_too).field("room", \.room).layout
private let path = StructLayout.of(pw_path_key.self)
    .field("peer_be", \.peer_be).field("peer_session_be", \.peer_session_be).field("protocol", \.protocol).layout
private let encap = StructLayout.of(pw_encap.self)
    .field("slot", \.slot).field("session_id", \.session_id).field("underlay", \.underlay)
    .field("fib_ifindex", \.fib_ifindex).field("split_ifindex", \.split_ifindex).field("flags", \.flags)
    .field("header_length", \.header_length).field("traffic_class", \.traffic_class).field("tag", \.tag)
    .field("mtu", \.mtu).field("path_mtu", \.path_mtu).field("path_mtu_until", \.path_mtu_until)
    .field("ip_sum", \.ip_sum).field("udp_sum", \.udp_sum).field("header", \.header).layout

@Suite("layouts")
struct LayoutTests {
    @Test("the object and Swift lay out the same structures alike")
    func same() throws {
        let file = try objectFile()
        #expect(port.differences(from: try file.valueLayout(ofMap: "ports")) == [])
        #expect(path.differences(from: try file.keyLayout(ofMap: "paths")) == [])
        #expect(encap.differences(from: try file.valueLayout(ofMap: "access")) == [])
        #expect(try file.valueLayout(ofMap: "access").name == "pw_encap")
        let number = try file.keyLayout(ofMap: "ports")
        #expect(number.size == 4 && number.fields.isEmpty)
    }

    @Test("every difference is named")
    func differences() throws {
        let wrong = StructLayout(
            name: "pw_port", size: 32,
            fields: [
                .init(name: "flags", offset: 0, size: 8), .init(name: "name", offset: 4, size: 16),
                .init(name: "speed", offset: 24, size: 4),
                .init(name: "reserved", offset: 6, size: 0, isBitField: true),
            ])
        let differences = wrong.differences(from: try objectFile().valueLayout(ofMap: "ports"))
        #expect(
            differences == [
                .size(expected: 32, found: 48), .fieldSize("flags", expected: 8, found: 4),
                .offset("name", expected: 4, found: 8), .missing("speed"), .bitField("reserved"),
                .unexpected("access_hook"), .unexpected("underlay_hook"), .unexpected("address"),
                .unexpected("reserved_too"), .unexpected("room"),
            ])
        #expect(differences[2].description == "name lies at octet 8, not 4")
        let less = StructLayout.of(pw_port.self).field("flags", \.flags).field("name", \.name).layout
        #expect(
            less.differences(from: try objectFile().valueLayout(ofMap: "ports"))
                == ["access_hook", "underlay_hook", "reserved", "address", "reserved_too", "room"].map(
                    LayoutDifference.unexpected))
    }

    @Test("what the kernel holds of a loaded map", .enabled(if: geteuid() == 0, "needs root"))
    func loaded() throws {
        let file = try objectFile()
        for map in ["access", "sessions", "pseudowires", "ports", "session_drops", "paths"] {
            try file.setMaxEntries(16, ofMap: map)
        }
        try file.setMaxEntries(8, ofMap: "counters")
        let access = try file.load().map("access", as: Map<pw_access_key, pw_encap>.self)
        let layouts = try #require(try access.layouts())
        #expect(encap.differences(from: layouts.value) == [])
        #expect(layouts.key.fields.map(\.name) == ["ifindex", "vlan", "reserved"])
        let untyped = try Map<UInt32, UInt32>(creating: hashMap, name: "untyped", maxEntries: 1)
        #expect(try untyped.layouts() == nil)
    }
}

@Suite("type information")
struct TypeInformationTests {
    @Test("nameless structures, bit-fields, arrays of arrays, qualifiers, enumerations")
    func kinds() throws {
        let types = try TypeInformation(SyntheticTypes.bytes)
        #expect(types.count == SyntheticTypes.count)
        let id = try #require(try types.structure(named: "outer"))
        let layout = try types.layout(of: id)
        #expect(layout.size == 64)
        #expect(
            layout.fields == [
                .init(name: "a", offset: 0, size: 4), .init(name: "b", offset: 4, size: 24),
                .init(name: "inner", offset: 28, size: 4), .init(name: "bits", offset: 32, size: 0, isBitField: true),
                .init(name: "link", offset: 40, size: 8), .init(name: "choice", offset: 48, size: 4),
            ])
        #expect(try types.structure(named: "absent") == nil)
    }

    @Test("circles and absent types are errors")
    func malformed() throws {
        let types = try TypeInformation(SyntheticTypes.bytes)
        for id in [-1, 0, SyntheticTypes.count + 1, Int.max, SyntheticTypes.circle, SyntheticTypes.growing] {
            #expect(throws: TypeInformation.Malformed.self, "type \(id)") { _ = try types.layout(of: id) }
        }
    }

    @Test("every prefix of good input is an error")
    func prefixes() throws {
        for length in 0..<SyntheticTypes.bytes.count {
            #expect(throws: TypeInformation.Malformed.self, "\(length) octets") {
                _ = try TypeInformation(Array(SyntheticTypes.bytes.prefix(length)))
            }
        }
    }

    @Test("structures that multiply are given up in time")
    func multiplying() throws {
        let types = try TypeInformation(SyntheticTypes.doubling(levels: 31))
        #expect(try types.layout(of: 8).fields.isEmpty)
        #expect(throws: TypeInformation.Malformed.self) { _ = try types.layout(of: 31) }
    }

    /// Changes a few octets, words or the length.
    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        let place = Int.random(in: bytes.indices, using: &random)
        let word = place & ~3
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = .random(in: 0...255, using: &random)
        case 2 where word + 4 <= bytes.count:
            let extremes: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff, 0xff_ffff]
            let value = extremes.randomElement(using: &random) ?? 0
            withUnsafeBytes(of: value) { bytes.replaceSubrange(word..<word + 4, with: $0) }
        case 3 where bytes.count > 80: bytes.removeLast(.random(in: 1..<40, using: &random))
        case 4: bytes.insert(.random(in: 0...255, using: &random), at: place)
        default:
            let other = Int.random(in: bytes.indices, using: &random)
            for octet in 0..<min(4, bytes.count - max(place, other)) { bytes[place + octet] = bytes[other + octet] }
        }
    }

    /// Reads everything there is to read in mutations of `seed`.
    private func fuzz(_ seed: [UInt8], rounds: Int) throws -> (accepted: Int, refused: Int, answered: Int) {
        var random = SplitMix(state: 0x4c32_5450)
        var (accepted, refused, answered) = (0, 0, 0)
        for _ in 0..<rounds {
            var bytes = seed
            for _ in 0...Int.random(in: 0..<4, using: &random) { mutate(&bytes, &random) }
            do throws(TypeInformation.Malformed) {
                let types = try TypeInformation(bytes)
                accepted += 1
                for id in 0...types.count where (try? types.layout(of: id)) != nil { answered += 1 }
                _ = try types.structure(named: "outer")
            } catch {
                refused += 1
            }
        }
        return (accepted, refused, answered)
    }

    @Test("200,000 mutated inputs: an error or an answer, never a trap")
    func fuzzSynthetic() throws {
        let (accepted, refused, answered) = try fuzz(SyntheticTypes.bytes, rounds: 198_000)
        // Both ways were really taken.
        #expect(accepted > 20_000 && refused > 20_000 && answered > 100_000, "\(accepted), \(refused), \(answered)")
    }

    @Test("among them the object's own types")
    func fuzzObject() throws {
        let (accepted, _, answered) = try fuzz(try objectFile().typeInformation().bytes, rounds: 2000)
        #expect(accepted > 200 && answered > 10_000, "\(accepted), \(answered)")
    }
}
