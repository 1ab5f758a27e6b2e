/// Whether a word stands between the cookie and the frame.
///
/// ```swift
/// Sublayer.default.byteCount   // 4
/// Sublayer(rawValue: "none")   // Sublayer.none
/// ```
///
/// Nothing on the wire announces it: both ends must be told the same (RFC 3931, section 4.6).
public enum Sublayer: String, Hashable, Sendable, CaseIterable, Codable, BitwiseCopyable {
    /// The frame follows the cookie.
    case none
    /// The default L2-specific sublayer, which can carry a sequence number.
    case `default`

    /// 0 or 4 octets.
    public var byteCount: Int {
        switch self {
        case .none: 0
        case .default: 4
        }
    }
}

/// The default L2-specific sublayer's one word.
///
/// ```swift
/// SublayerWord(sequence: 3).rawValue     // 0x4000_0003
/// SublayerWord().rawValue                // 0: the word is there, the number is not
/// ```
///
/// Every bit that came from the wire is kept, since some peers (QEMU) count here without setting S.
/// Layout: RFC 3931, section 4.6; V: RFC 5085, section 4; B and E: RFC 4623, section 3.
public struct SublayerWord: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// The word in host order.
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The word with S set and the number, or all zero as Linux sends it without sequencing.
    public init(sequence: SequenceNumber? = nil) {
        rawValue = sequence.map { 0x4000_0000 | $0.rawValue } ?? 0
    }

    /// The number, when S says that it is one.
    public var sequence: SequenceNumber? {
        rawValue & 0x4000_0000 == 0 ? nil : SequenceNumber(truncating: rawValue)
    }

    /// V: what follows belongs to the control channel of RFC 5085 and is no customer's frame.
    public var isControlChannel: Bool { rawValue & 0x8000_0000 != 0 }

    /// B or E: what follows is a part of a frame (RFC 4623).
    public var isFragment: Bool { rawValue & 0x3000_0000 != 0 }
}

extension SublayerWord: CustomStringConvertible {
    public var description: String { "0x" + hexadecimal(rawValue, digits: 8) }
}
