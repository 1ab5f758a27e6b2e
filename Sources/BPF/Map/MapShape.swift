internal import CPseudowireBPF

/// What a map is created with; what is nil is not compared.
///
/// ```swift
/// let shape = try file.shape(ofMap: "sessions")        // as the object declares it
/// let sessions: Map<UInt32, pw_decap> = try Map(pinnedAt: path, expecting: shape)
/// ```
public struct MapShape: Sendable, Equatable {
    /// The corresponding C constants are `BPF_MAP_TYPE_*`.
    public var type: UInt32?
    /// Octets.
    public var keySize: Int?
    /// Octets; of one CPU's value where every CPU has its own.
    public var valueSize: Int?
    /// Entries that it has room for; of a ring buffer its size in octets.
    public var maxEntries: UInt32?
    /// The corresponding C constants are `BPF_F_*`.
    public var flags: UInt32?

    public init(
        type: UInt32? = nil, keySize: Int? = nil, valueSize: Int? = nil, maxEntries: UInt32? = nil, flags: UInt32? = nil
    ) {
        self.type = type
        self.keySize = keySize
        self.valueSize = valueSize
        self.maxEntries = maxEntries
        self.flags = flags
    }

    /// Everything in which a map is not what this shape says.
    public func differences(from info: MapInfo) -> [MapDifference] {
        func compare(_ property: MapDifference.Property, _ expected: Int?, _ found: Int) -> MapDifference? {
            guard let expected, expected != found else { return nil }
            return MapDifference(property: property, expected: expected, found: found)
        }
        return [
            compare(.type, type.map(Int.init), Int(info.type)),
            compare(.keySize, keySize, info.keySize),
            compare(.valueSize, valueSize, info.valueSize),
            compare(.maxEntries, maxEntries.map(Int.init), Int(info.maxEntries)),
            compare(.flags, flags.map(Int.init), Int(info.flags)),
        ].compactMap(\.self)
    }
}

/// One thing in which a map is not as expected.
public struct MapDifference: Sendable, Equatable, CustomStringConvertible {
    /// What can differ, as `MapShape` has it.
    public enum Property: Sendable { case type, keySize, valueSize, maxEntries, flags }

    public let property: Property
    /// What the shape says: octets of sizes, else the number that the kernel uses.
    public let expected: Int
    /// What the map has, counted likewise.
    public let found: Int

    public init(property: Property, expected: Int, found: Int) {
        self.property = property
        self.expected = expected
        self.found = found
    }

    public var description: String {
        switch property {
        case .type: "its type is \(Self.typeName(found)), not \(Self.typeName(expected))"
        case .keySize: "its keys have \(found) octets, not \(expected)"
        case .valueSize: "its values have \(found) octets, not \(expected)"
        case .maxEntries: "it has room for \(found) entries, not \(expected)"
        case .flags: "its flags are 0x\(String(found, radix: 16)), not 0x\(String(expected, radix: 16))"
        }
    }

    private static func typeName(_ type: Int) -> String {
        guard let name = libbpf_bpf_map_type_str(bpf_map_type(rawValue: UInt32(truncatingIfNeeded: type))) else {
            return String(type)
        }
        return String(cString: name)
    }
}
