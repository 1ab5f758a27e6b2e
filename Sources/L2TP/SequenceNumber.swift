/// A frame's number, which counts modulo 2^24.
///
/// ```swift
/// let last: SequenceNumber = 0xff_ffff
/// last.next                                                 // 0
/// SequenceNumber(0).isAcceptable(expecting: last)           // true: one step ahead
/// last.isAcceptable(expecting: 0)                           // false: one step behind
/// ```
///
/// Source: RFC 3931, section 4.6.1; the window is the Linux kernel's (`l2tp_seq_check_rx_window` in
/// net/l2tp/l2tp_core.c), so that a mixed pair of peers agrees on every frame.
public struct SequenceNumber: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// How many numbers there are.
    public static let modulus: UInt32 = 1 << 24

    /// How far ahead of the expected number a frame may be, exclusive: half of the largest number.
    public static let window: UInt32 = (modulus - 1) / 2

    /// 0…16777215.
    public let rawValue: UInt32

    /// Nil when the number does not fit in 24 bits.
    public init?(rawValue: UInt32) {
        guard rawValue < Self.modulus else { return nil }
        self.rawValue = rawValue
    }

    /// The lower 24 bits of a word.
    public init(truncating word: UInt32) { rawValue = word & (Self.modulus - 1) }

    /// The number that follows, zero after the largest.
    public var next: SequenceNumber { advanced(by: 1) }

    /// The number so many steps ahead, or behind when negative.
    public func advanced(by steps: Int) -> SequenceNumber {
        SequenceNumber(truncating: rawValue &+ UInt32(truncatingIfNeeded: steps))
    }

    /// Steps forward from `other` to this number: 0…16777215.
    public func distance(from other: SequenceNumber) -> UInt32 {
        (rawValue &- other.rawValue) & (Self.modulus - 1)
    }

    /// Whether a receiver that waits for `expected` takes this number: it, or one of the half circle ahead of it.
    public func isAcceptable(expecting expected: SequenceNumber) -> Bool {
        distance(from: expected) < Self.window
    }
}

extension SequenceNumber: ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// A number known when the program is written; one beyond 24 bits is a programmer's error.
    public init(integerLiteral value: UInt32) {
        guard let number = SequenceNumber(rawValue: value) else { preconditionFailure("\(value) exceeds 24 bits") }
        self = number
    }

    public var description: String { String(rawValue) }
}
