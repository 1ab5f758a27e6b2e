/// The number by which the receiver of a frame knows which pseudowire it belongs to.
///
/// ```swift
/// let session: SessionID = 1012
/// SessionID("0x3f4")             // 1012 too
/// SessionID(rawValue: 0)         // nil: zero announces a control message
/// ```
///
/// 32 bits, big-endian on the wire, chosen by the end that receives it (RFC 3931, section 4.1).
public struct SessionID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// 1…4294967295.
    public let rawValue: UInt32

    /// Nil for zero, which is reserved for control messages (RFC 3931, section 4.1.1).
    public init?(rawValue: UInt32) {
        guard rawValue != 0 else { return nil }
        self.rawValue = rawValue
    }
}

extension SessionID: LosslessStringConvertible, ExpressibleByIntegerLiteral, Comparable {
    /// Reads decimal digits, or hexadecimal ones after `0x`; nil for zero, signs, blanks and leading zeros.
    public init?(_ description: String) {
        let text = Array(description.utf8)
        var value: UInt64 = 0
        if text.starts(with: [0x30, 0x78]) || text.starts(with: [0x30, 0x58]) {
            let digits = text.dropFirst(2)
            guard (1...8).contains(digits.count) else { return nil }
            for character in digits {
                guard let digit = hexadecimalDigit(character) else { return nil }
                value = value << 4 | UInt64(digit)
            }
        } else {
            // "010" is eight to iproute2 and ten to people: nothing to us. This refuses a bare zero as well.
            guard (1...10).contains(text.count), text.first != 0x30 else { return nil }
            for character in text {
                guard (0x30...0x39).contains(character) else { return nil }
                value = value * 10 + UInt64(character - 0x30)
            }
        }
        guard let word = UInt32(exactly: value) else { return nil }
        self.init(rawValue: word)
    }

    /// A number known when the program is written; zero is a programmer's error.
    public init(integerLiteral value: UInt32) {
        guard let session = SessionID(rawValue: value) else { preconditionFailure("a session ID is never zero") }
        self = session
    }

    /// Decimal, as iproute2 prints it.
    public var description: String { String(rawValue) }

    public static func < (left: SessionID, right: SessionID) -> Bool { left.rawValue < right.rawValue }
}
