internal import CPseudowireObject

/// A compiled datapath: the octets of an object file.
struct DatapathImage: Sendable {
    let octets: [UInt8]
    let build: BuildID

    init(_ octets: [UInt8]) {
        self.octets = octets
        build = BuildID(of: octets)
    }

    /// The one that this library carries in itself.
    static let embedded = DatapathImage(
        Array(UnsafeRawBufferPointer(start: pw_object_start(), count: pw_object_size())))
}

/// Which build of the datapath: the hash of its object file.
///
/// It tells builds apart and promises nothing about who made them.
public struct BuildID: Hashable, Sendable, CustomStringConvertible {
    /// ``byteCount`` octets.
    public let octets: [UInt8]

    /// How many octets it has.
    public static let byteCount = Int(PW_BUILD_SIZE)

    init(octets: [UInt8]) {
        self.octets = octets
    }

    /// FNV-1a, 128 bits (RFC 9923).
    init(of octets: [UInt8]) {
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        let prime: UInt128 = 1 << 88 | 0x13b
        for octet in octets { hash = (hash ^ UInt128(octet)) &* prime }
        self.octets = (0..<Self.byteCount).map { UInt8(truncatingIfNeeded: hash >> (120 - 8 * $0)) }
    }

    /// Hexadecimal; the first eight digits tell builds apart well enough for people.
    public var description: String {
        octets.map { octet in (octet < 16 ? "0" : "") + String(octet, radix: 16) }.joined()
    }

    /// The first eight digits.
    public var short: String { String(description.prefix(8)) }
}
