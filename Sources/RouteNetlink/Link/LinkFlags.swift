/// The state of an interface, `ifi_flags`.
///
/// The bits are those of `IFF_*` in `linux/if.h`.
public struct LinkFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Switched on by the administrator. The corresponding C constant is `IFF_UP`.
    public static let up = LinkFlags(rawValue: 1 << 0)
    /// The corresponding C constant is `IFF_BROADCAST`.
    public static let broadcast = LinkFlags(rawValue: 1 << 1)
    /// The corresponding C constant is `IFF_LOOPBACK`.
    public static let loopback = LinkFlags(rawValue: 1 << 3)
    /// The corresponding C constant is `IFF_POINTOPOINT`.
    public static let pointToPoint = LinkFlags(rawValue: 1 << 4)
    /// Up and with a carrier. The corresponding C constant is `IFF_RUNNING`.
    public static let running = LinkFlags(rawValue: 1 << 6)
    /// Has no ARP. The corresponding C constant is `IFF_NOARP`.
    public static let noARP = LinkFlags(rawValue: 1 << 7)
    /// Promiscuous by the administrator's wish; see `Link.promiscuity` for what holds. The corresponding C constant
    /// is `IFF_PROMISC`.
    public static let promiscuous = LinkFlags(rawValue: 1 << 8)
    /// The corresponding C constant is `IFF_ALLMULTI`.
    public static let allMulticast = LinkFlags(rawValue: 1 << 9)
    /// Enslaved to a bond. The corresponding C constant is `IFF_SLAVE`.
    public static let slave = LinkFlags(rawValue: 1 << 11)
    /// The corresponding C constant is `IFF_MULTICAST`.
    public static let multicast = LinkFlags(rawValue: 1 << 12)
    /// The driver signals a carrier. The corresponding C constant is `IFF_LOWER_UP`.
    public static let lowerUp = LinkFlags(rawValue: 1 << 16)
    /// The corresponding C constant is `IFF_DORMANT`.
    public static let dormant = LinkFlags(rawValue: 1 << 17)
}

/// Whether an interface can carry frames, RFC 2863 `ifOperStatus`.
public struct OperationalState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The driver does not say. The corresponding C constant is `IF_OPER_UNKNOWN`.
    public static let unknown = OperationalState(rawValue: 0)
    /// The corresponding C constant is `IF_OPER_NOTPRESENT`.
    public static let notPresent = OperationalState(rawValue: 1)
    /// The corresponding C constant is `IF_OPER_DOWN`.
    public static let down = OperationalState(rawValue: 2)
    /// The corresponding C constant is `IF_OPER_LOWERLAYERDOWN`.
    public static let lowerLayerDown = OperationalState(rawValue: 3)
    /// The corresponding C constant is `IF_OPER_TESTING`.
    public static let testing = OperationalState(rawValue: 4)
    /// The corresponding C constant is `IF_OPER_DORMANT`.
    public static let dormant = OperationalState(rawValue: 5)
    /// The corresponding C constant is `IF_OPER_UP`.
    public static let up = OperationalState(rawValue: 6)

    /// As `ip -j link` prints it, in lower case.
    public var description: String {
        let names = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"]
        return Int(rawValue) < names.count ? names[Int(rawValue)] : "state \(rawValue)"
    }
}
