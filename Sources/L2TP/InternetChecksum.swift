/// The ones' complement sum that IPv4, UDP, TCP and ICMP share.
///
/// ```swift
/// var checksum = InternetChecksum()
/// checksum.add([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])
/// checksum.value   // 0x220d: the complement of RFC 1071's example sum, 0xddf2
/// ```
///
/// Octets may be added in pieces of any length, odd ones too: the sum is that of all pieces joined. Over data that
/// contain their own right checksum `value` is 0. Source: RFC 1071.
public struct InternetChecksum: Hashable, Sendable {
    private var sum: UInt64 = 0
    private var isOdd = false

    public init() {}

    /// The checksum of one run of octets.
    public init(of bytes: some Sequence<UInt8>) { add(bytes) }

    /// Adds octets after those added before.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            // A trailing odd octet counts as the upper half of a word whose lower half is zero.
            sum &+= isOdd ? UInt64(byte) : UInt64(byte) << 8
            isOdd.toggle()
        }
    }

    /// Adds a 16-bit number as its two octets, most significant first.
    public mutating func add(_ word: UInt16) {
        add(CollectionOfOne(UInt8(truncatingIfNeeded: word >> 8)))
        add(CollectionOfOne(UInt8(truncatingIfNeeded: word)))
    }

    /// The complement of the folded sum: what is written into the header, in host order.
    public var value: UInt16 {
        var folded = sum
        while folded > 0xffff { folded = (folded & 0xffff) + folded >> 16 }
        return ~UInt16(truncatingIfNeeded: folded)
    }
}
