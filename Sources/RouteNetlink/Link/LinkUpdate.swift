public import InternetAddress

/// What to change about an interface; nil leaves it as it is. One request, however much it is.
///
/// The kernel applies the changes in its own order and stops at the first that fails: not atomic.
public struct LinkUpdate: Hashable, Sendable {
    public var isUp: Bool?
    public var isPromiscuous: Bool?
    public var mtu: UInt32?
    public var address: MACAddress?
    public var name: String?
    public var alias: String?
    public var master: Master?
    /// The namespace to move it to: a descriptor that stays the caller's.
    public var namespace: Int32?
    /// How its IPv6 link-local address comes about.
    public var addressGenerationMode: AddressGenerationMode?
    /// IPv4 forwarding on this interface alone.
    public var ipv4Forwarding: Bool?

    public init() {}

    /// A port's bridge or bond.
    public enum Master: Hashable, Sendable {
        case none
        case link(LinkIndex)
    }
}

/// How an interface gets its IPv6 link-local address. The corresponding C constants are `IN6_ADDR_GEN_MODE_*`.
public enum AddressGenerationMode: UInt8, Hashable, Sendable {
    /// From the hardware address.
    case eui64 = 0
    /// It gets none.
    case none = 1
    case stablePrivacy = 2
    case random = 3
}
