/// A 48-bit Ethernet address.
///
/// ```swift
/// let mac: MACAddress = "02:00:5e:10:00:01"
/// mac.isLocallyAdministered   // true
/// ```
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline let value: UInt64

    /// The six octets, in the order in which they are sent.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, _ e: UInt8, _ f: UInt8) {
        value = UInt64(a) << 40 | UInt64(b) << 32 | UInt64(c) << 24 | UInt64(d) << 16 | UInt64(e) << 8 | UInt64(f)
    }

    /// An address from exactly six octets; nil for any other count.
    @inlinable
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        var value: UInt64 = 0
        for byte in bytes { value = value << 8 | UInt64(byte) }
        self.value = value
    }

    /// The six octets, in the order in which they are sent.
    @inlinable
    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> UInt64(40 - 8 * $0)) } }

    /// `ff:ff:ff:ff:ff:ff`.
    public static let broadcast = MACAddress(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
    /// `00:00:00:00:00:00`.
    public static let zero = MACAddress(0, 0, 0, 0, 0, 0)

    /// The group bit: broadcast and multicast.
    public var isMulticast: Bool { value >> 40 & 1 == 1 }
    /// The bit that says that no vendor assigned it.
    public var isLocallyAdministered: Bool { value >> 40 & 2 == 2 }
}

extension MACAddress: LosslessStringConvertible, ExpressibleByStringLiteral {
    /// Reads six colon-separated pairs of hexadecimal digits.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard part.count == 2, part.allSatisfy(\.isHexDigit), let octet = UInt8(part, radix: 16) else { return nil }
            octets.append(octet)
        }
        self.init(bytes: octets)
    }

    /// An address known when the program is written; a literal that is none is a programmer's error.
    public init(stringLiteral value: StaticString) {
        guard let address = MACAddress("\(value)") else { preconditionFailure("\"\(value)\" is not a MAC address") }
        self = address
    }

    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
