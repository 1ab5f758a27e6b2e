/// An IPv4 or IPv6 address.
///
/// ```swift
/// let outer: IPAddress = "192.0.2.21"
/// let inner = IPAddress("2001:db8::100")     // nil when the text is no address
/// outer.family                                // .v4
/// outer.bytes                                 // [192, 0, 2, 21]
/// ```
///
/// Bytes are in network order, as on the wire. Text is read strictly: no leading zeros, no shortened IPv4
/// forms, no zone; IPv6 is printed as RFC 5952 asks.
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The two address families.
    public enum Family: UInt8, Hashable, Sendable, CaseIterable, BitwiseCopyable {
        case v4 = 4
        case v6 = 6

        /// Octets in an address of this family: 4 or 16.
        @inlinable
        public var byteCount: Int { self == .v4 ? 4 : 16 }
    }

    /// 4 or 6.
    public let family: Family

    /// An IPv4 address is kept in the upper 32 bits of `high`, everything else is zero.
    @usableFromInline let high: UInt64
    @usableFromInline let low: UInt64

    @inlinable
    init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its four octets, in the order in which they are written.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        let word = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
        self.init(family: .v4, high: UInt64(word) << 32, low: 0)
    }

    /// An address from 4 or 16 octets in network order; nil for any other count.
    @inlinable
    public init?(bytes: some Collection<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        var index = 0
        for byte in bytes {
            guard index < 16 else { return nil }
            if index < 8 {
                words.0 |= UInt64(byte) << UInt64(56 - 8 * index)
            } else {
                words.1 |= UInt64(byte) << UInt64(56 - 8 * (index - 8))
            }
            index += 1
        }
        switch index {
        case 4: self.init(family: .v4, high: words.0, low: 0)
        case 16: self.init(family: .v6, high: words.0, low: words.1)
        default: return nil
        }
    }

    /// The octets in network order: 4 or 16 of them.
    @inlinable
    public var bytes: [UInt8] {
        (0..<family.byteCount).map(octet(at:))
    }

    /// One octet, counted from the left; zero beyond the address's own length.
    @inlinable
    public func octet(at index: Int) -> UInt8 {
        guard (0..<16).contains(index) else { return 0 }
        return index < 8
            ? UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            : UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * (index - 8)))
    }

    /// `0.0.0.0` or `::`.
    public var isUnspecified: Bool { high == 0 && low == 0 }

    /// `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool {
        switch family {
        case .v4: high >> 56 == 127
        case .v6: high == 0 && low == 1
        }
    }

    /// `224.0.0.0/4` or `ff00::/8`.
    public var isMulticast: Bool {
        switch family {
        case .v4: high >> 60 == 0xe
        case .v6: high >> 56 == 0xff
        }
    }

    /// `255.255.255.255`.
    public var isBroadcast: Bool { family == .v4 && high >> 32 == 0xffff_ffff }

    /// `169.254.0.0/16` or `fe80::/10`: an address that means nothing without an interface.
    public var isLinkLocal: Bool {
        switch family {
        case .v4: high >> 48 == 0xa9fe
        case .v6: high >> 54 == 0xfe80 >> 6
        }
    }

    /// `::ffff:0:0/96`: IPv4 dressed as IPv6, never seen on a wire.
    public var isIPv4Mapped: Bool { family == .v6 && high == 0 && low >> 32 == 0xffff }
}
