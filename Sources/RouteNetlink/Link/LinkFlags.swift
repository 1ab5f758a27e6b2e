/// The state of an interface, `ifi_flags`.
///
/// The bits are those of `IFF_*` in `linux/if.h`.
public struct LinkFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Switched on by the administrator.
    ///
    /// The corresponding C constant is `IFF_UP`.
    public static let up = LinkFlags(rawValue: 1 << 0)
    /// The corresponding C constant is `IFF_BROADCAST`.
    public static let broadcast = LinkFlags(rawValue: 1 << 1)
    /// The corresponding C constant is `IFF_LOOPBACK`.
    public static let loopback = LinkFlags(rawValue: 1 << 3)
    /// The corresponding C constant is `IFF_POINTOPOINT`.
    public static let pointToPoint = LinkFlags(rawValue: 1 << 4)
    /// Up and with a carrier.
    ///
    /// The corresponding C constant is `IFF_RUNNING`.
    public static let running = LinkFlags(rawValue: 1 << 6)
    /// Has no ARP.
    ///
    /// The corresponding C constant is `IFF_NOARP`.
    public static let noARP = LinkFlags(rawValue: 1 << 7)
    /// Promiscuous by the administrator's wish; see `Link.promiscuity` for what holds.
    ///
    /// The corresponding C constant is `IFF_PROMISC`.
    public static let promiscuous = LinkFlags(rawValue: 1 << 8)
    /// The corresponding C constant is `IFF_ALLMULTI`.
    public static let allMulticast = LinkFlags(rawValue: 1 << 9)
    /// Enslaved to a bond.
    ///
    /// The corresponding C constant is `IFF_SLAVE`.
    public static let slave = LinkFlags(rawValue: 1 << 11)
    /// The corresponding C constant is `IFF_MULTICAST`.
    public static let multicast = LinkFlags(rawValue: 1 << 12)
    /// The driver signals a carrier.
    ///
    /// The corresponding C constant is `IFF_LOWER_UP`.
    public static let lowerUp = LinkFlags(rawValue: 1 << 16)
    /// The corresponding C constant is `IFF_DORMANT`.
    public static let dormant = LinkFlags(rawValue: 1 << 17)
}
