/// An interface's flags. The corresponding C constants are `IFF_*` (`linux/if.h`).
public struct LinkFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Switched on by the administrator: `IFF_UP`.
    public static let up = LinkFlags(rawValue: 1 << 0)
    /// `IFF_BROADCAST`.
    public static let broadcast = LinkFlags(rawValue: 1 << 1)
    /// `IFF_LOOPBACK`.
    public static let loopback = LinkFlags(rawValue: 1 << 3)
    /// `IFF_POINTOPOINT`.
    public static let pointToPoint = LinkFlags(rawValue: 1 << 4)
    /// Operational: `IFF_RUNNING`.
    public static let running = LinkFlags(rawValue: 1 << 6)
    /// Without neighbour resolution: `IFF_NOARP`.
    public static let noARP = LinkFlags(rawValue: 1 << 7)
    /// The administrator wants all frames: `IFF_PROMISC`. Others who want them count in ``Link/promiscuity``.
    public static let promiscuous = LinkFlags(rawValue: 1 << 8)
    /// `IFF_MULTICAST`.
    public static let multicast = LinkFlags(rawValue: 1 << 12)
    /// There is a carrier: `IFF_LOWER_UP`.
    public static let lowerUp = LinkFlags(rawValue: 1 << 16)
}
