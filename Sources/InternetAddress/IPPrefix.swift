/// An address and how many of its leading bits name the network, as in `192.0.2.1/24`.
///
/// ```swift
/// let prefix: IPPrefix = "192.0.2.1/24"
/// prefix.address          // 192.0.2.1: host bits are kept, as an interface address needs them
/// prefix.contains("192.0.2.77")   // true
/// ```
public struct IPPrefix: Hashable, Sendable, BitwiseCopyable {
    /// The address as written, host bits included.
    public let address: IPAddress
    /// Leading bits of the network: 0…32 or 0…128.
    public let length: UInt8

    /// Nil when `length` exceeds what the family has.
    public init?(_ address: IPAddress, length: UInt8) {
        guard Int(length) <= address.family.byteCount * 8 else { return nil }
        self.address = address
        self.length = length
    }

    /// The prefix that holds `address` alone.
    public init(host address: IPAddress) {
        self.address = address
        self.length = UInt8(address.family.byteCount * 8)
    }

    /// Whether `other` lies in this network.
    public func contains(_ other: IPAddress) -> Bool {
        other.family == address.family && other.masked(to: length) == address.masked(to: length)
    }

    /// The same prefix with its host bits cleared.
    public var network: IPPrefix { IPPrefix(address.masked(to: length), length: length) ?? self }
}

extension IPAddress {
    /// The address with all but its first `length` bits cleared.
    fileprivate func masked(to length: UInt8) -> IPAddress {
        // A shift by the whole width, or more, leaves nothing.
        let ones = UInt64.max
        return IPAddress(
            family: family, high: high & ~(ones >> length), low: length > 64 ? low & ~(ones >> (length - 64)) : 0)
    }
}

extension IPPrefix: LosslessStringConvertible, ExpressibleByStringLiteral {
    /// Reads `address/length`; a bare address is a host prefix.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        switch parts.count {
        case 1: self.init(host: address)
        case 2:
            guard !parts[1].isEmpty, parts[1].allSatisfy(\.isWholeNumber), let length = UInt8(parts[1]) else {
                return nil
            }
            self.init(address, length: length)
        default: return nil
        }
    }

    /// A prefix known when the program is written; a literal that is none is a programmer's error.
    public init(stringLiteral value: StaticString) {
        guard let prefix = IPPrefix("\(value)") else { preconditionFailure("\"\(value)\" is not an IP prefix") }
        self = prefix
    }

    public var description: String { "\(address)/\(length)" }
}
