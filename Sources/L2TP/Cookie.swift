/// The secret number that a receiver wants to see in every frame of a session.
///
/// ```swift
/// let expected: Cookie = "89abcdef"           // 4 octets
/// let longer = Cookie("0x0123456789abcdef")   // 8 octets
/// Cookie("1234")                              // nil: four digits are no length a cookie has
/// ```
///
/// The number of digits says the length, which is why a cookie is not written as an integer: `0x0000_0000_89ab_cdef`
/// would have lost it. It is chosen by the end that *receives* it, kept in network order (RFC 3931, section 4.1).
public struct Cookie: Hashable, Sendable, BitwiseCopyable {
    /// The three lengths that the protocol has, in octets.
    public enum Length: UInt8, Hashable, Sendable, CaseIterable, BitwiseCopyable {
        case zero = 0
        case four = 4
        case eight = 8

        /// 0, 4 or 8.
        public var byteCount: Int { Int(rawValue) }
    }

    /// 0, 4 or 8 octets.
    public let length: Length
    /// The octets read as one big-endian number.
    public let value: UInt64

    private init(length: Length, value: UInt64) {
        self.length = length
        self.value = value
    }

    /// No cookie at all.
    public static let empty = Cookie(length: .zero, value: 0)

    /// A cookie of 4 octets; the most significant is sent first.
    public init(_ value: UInt32) { self.init(length: .four, value: UInt64(value)) }

    /// A cookie of 8 octets; the most significant is sent first.
    public init(_ value: UInt64) { self.init(length: .eight, value: value) }

    /// A cookie from 0, 4 or 8 octets in the order in which they are sent; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard let count = UInt8(exactly: bytes.count), let length = Length(rawValue: count) else { return nil }
        self.init(length: length, value: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The octets in the order in which they are sent.
    public var bytes: [UInt8] {
        (0..<length.byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (length.byteCount - 1 - $0))) }
    }
}

extension Cookie: LosslessStringConvertible, ExpressibleByStringLiteral {
    /// Reads exactly 8 or 16 hexadecimal digits, with or without `0x`; `none` is the empty cookie.
    public init?(_ description: String) {
        // An empty text is refused: a script's unset variable must not switch the check off.
        if description == "none" {
            self = .empty
            return
        }
        var digits = Array(description.utf8)[...]
        if digits.starts(with: [0x30, 0x78]) || digits.starts(with: [0x30, 0x58]) { digits = digits.dropFirst(2) }
        guard digits.count == 8 || digits.count == 16 else { return nil }
        var value: UInt64 = 0
        for character in digits {
            guard let digit = hexadecimalDigit(character) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        self.init(length: digits.count == 8 ? .four : .eight, value: value)
    }

    /// A cookie known when the program is written; a literal that is none is a programmer's error.
    public init(stringLiteral value: StaticString) {
        guard let cookie = Cookie("\(value)") else { preconditionFailure("\"\(value)\" is not a cookie") }
        self = cookie
    }

    /// 8 or 16 lower-case digits without `0x`; `none` when there is no cookie.
    public var description: String {
        length == .zero ? "none" : hexadecimal(value, digits: 2 * length.byteCount)
    }
}
