/// What carries the L2TP header: UDP, or IP itself.
///
/// ```swift
/// Encapsulation.udp.protocolNumber   // 17
/// Encapsulation.ip.protocolNumber    // 115
/// ```
///
/// Source: RFC 3931, sections 4.1.1 (IP) and 4.1.2 (UDP).
public enum Encapsulation: String, Hashable, Sendable, CaseIterable, Codable, BitwiseCopyable {
    /// In UDP datagrams, with a word of flags and version before the session ID (RFC 3931, section 4.1.2).
    case udp
    /// Right behind the IP header, as protocol 115 (RFC 3931, section 4.1.1).
    case ip

    /// The registered UDP port, to which nobody is bound: both ends may choose others.
    public static let defaultPort: UInt16 = 1701

    /// The value of IPv4's protocol and IPv6's next header field.
    public var protocolNumber: UInt8 {
        switch self {
        case .udp: 17
        case .ip: 115
        }
    }

    /// The encapsulation that a protocol or next header field announces; nil for all but 17 and 115.
    public init?(protocolNumber: UInt8) {
        switch protocolNumber {
        case 17: self = .udp
        case 115: self = .ip
        default: return nil
        }
    }

    /// Octets between the IP header and the session ID: a UDP header and the flags and version word, or nothing.
    public var byteCount: Int {
        switch self {
        case .udp: 12
        case .ip: 0
        }
    }
}
