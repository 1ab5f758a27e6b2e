public import InternetAddress

/// The packets that an IPsec policy is about.
///
/// ```swift
/// let selector = IPsecSelector(from: "192.0.2.1/32", to: "192.0.2.2/32", protocol: 17, destinationPort: 1701)
/// ```
///
/// Source: `struct xfrm_selector` of `linux/xfrm.h`.
public struct IPsecSelector: Hashable, Sendable {
    /// Where packets come from; of length 0 for everywhere.
    public var source: IPPrefix
    /// Where packets go; of length 0 for everywhere.
    public var destination: IPPrefix
    /// The protocol behind the IP header; zero for all.
    public var `protocol`: UInt8
    /// In host order; it counts in the bits of `sourcePortMask` only.
    public var sourcePort: UInt16
    /// The bits of the port that count; zero for all ports.
    public var sourcePortMask: UInt16
    /// In host order; it counts in the bits of `destinationPortMask` only.
    public var destinationPort: UInt16
    /// The bits of the port that count; zero for all ports.
    public var destinationPortMask: UInt16
    /// The interface that the packet leaves by; nil for all.
    public var interface: LinkIndex?

    /// A selector of whole ports; nil for all ports.
    public init(
        from source: IPPrefix, to destination: IPPrefix, protocol: UInt8 = 0, sourcePort: UInt16? = nil,
        destinationPort: UInt16? = nil, interface: LinkIndex? = nil
    ) {
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.sourcePort = sourcePort ?? 0
        sourcePortMask = sourcePort == nil ? 0 : .max
        self.destinationPort = destinationPort ?? 0
        destinationPortMask = destinationPort == nil ? 0 : .max
        self.interface = interface
    }
}

extension IPsecSelector: CustomStringConvertible {
    /// As `ip xfrm policy` words it.
    public var description: String {
        var text = "src \(source) dst \(destination)"
        if `protocol` != 0 { text += " proto \(`protocol`)" }
        if sourcePortMask != 0 { text += " sport \(sourcePort)" }
        if destinationPortMask != 0 { text += " dport \(destinationPort)" }
        if let interface { text += " dev \(interface)" }
        return text
    }
}

extension IPsecSelector {
    /// Bytes of `struct xfrm_selector`.
    static let length = 56

    /// Reads the selector that a message begins with; nil if it is of another family than IPv4 and IPv6.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard let family = IPAddress.Family(socketFamily: UInt8(truncatingIfNeeded: message.field(40, UInt16.self)))
        else { return nil }
        self.init(
            from: try Self.prefix(message, at: 16, family, length: message.field(43)),
            to: try Self.prefix(message, at: 0, family, length: message.field(42)), protocol: message.field(44))
        destinationPort = UInt16(bigEndian: message.field(32))
        destinationPortMask = UInt16(bigEndian: message.field(34))
        sourcePort = UInt16(bigEndian: message.field(36))
        sourcePortMask = UInt16(bigEndian: message.field(38))
        let index: UInt32 = message.field(48)
        interface = index == 0 ? nil : LinkIndex(rawValue: index)
    }

    private static func prefix(
        _ message: borrowing Message, at offset: Int, _ family: IPAddress.Family, length: UInt8
    ) throws(MalformedMessage) -> IPPrefix {
        var octets: [UInt8] = []
        for index in 0..<family.byteCount { octets.append(message.field(offset + index)) }
        guard let address = IPAddress(bytes: octets), let prefix = IPPrefix(address, length: length) else {
            throw MalformedMessage(what: "xfrm_selector has a prefix of \(length) bits")
        }
        return prefix
    }
}
