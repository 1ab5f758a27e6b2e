import CPseudowireMNL

/// How a bridge works; what is nil stays as it is.
///
/// ```swift
/// let bridge = try client.links.create(.bridge("br0", settings: BridgeSettings(ageingTime: 6000, groupForwardMask: 4)))
/// try client.links.update(bridge.index, LinkUpdate(bridge: BridgeSettings(multicastSnooping: false)))
/// ```
///
/// Times are in hundredths of a second. Source: `br_fill_info` in `net/bridge/br_netlink.c`.
public struct BridgeSettings: Hashable, Sendable, AttributeSettings {
    /// How long a port listens, and learns, before it forwards; 1500 by default.
    ///
    /// With the spanning tree on 200…3000, else any (`ERANGE`). Reports the root bridge's, which holds for all.
    public var forwardDelay: UInt32?
    /// How often the root bridge announces itself: 100…1000, 200 by default; others are refused (`ERANGE`).
    ///
    /// Reports the root bridge's, which holds for all.
    public var helloTime: UInt32?
    /// How long an announcement of the root bridge holds: 600…4000, 2000 by default; others are refused (`ERANGE`).
    ///
    /// Reports the root bridge's, which holds for all.
    public var maxAge: UInt32?
    /// How long an address that is not heard of is remembered; 30,000 by default.
    public var ageingTime: UInt32?
    /// Whether the spanning tree protocol runs.
    public var spanningTree: Bool?
    /// The first two octets of the bridge's number in the spanning tree, in host order; 0x8000 by default.
    ///
    /// The bridge with the lowest number becomes root.
    public var priority: UInt16?
    /// Whether ports have VLANs (a kernel with `BRIDGE_VLAN_FILTERING`).
    public var vlanFiltering: Bool?
    /// The Ethernet type of its VLAN tags: 0x8100 or 0x88a8.
    public var vlanProtocol: UInt16?
    /// The VLAN of untagged frames at new ports; 0 for none.
    public var defaultVLAN: UInt16?
    /// Which of the link-local group addresses 01:80:c2:00:00:0X are forwarded: bit X; bits 0 to 2 are refused.
    public var groupForwardMask: UInt16?
    /// Whether frames for a group go only where IGMP or MLD says that it has members; on by default.
    ///
    /// Nil from a kernel without `BRIDGE_IGMP_SNOOPING`.
    public var multicastSnooping: Bool?
    /// Whether the bridge itself asks who is in which group, where no router does; off by default.
    ///
    /// Nil from a kernel without `BRIDGE_IGMP_SNOOPING`.
    public var multicastQuerier: Bool?

    public init(
        forwardDelay: UInt32? = nil, helloTime: UInt32? = nil, maxAge: UInt32? = nil, ageingTime: UInt32? = nil,
        spanningTree: Bool? = nil, priority: UInt16? = nil, vlanFiltering: Bool? = nil, vlanProtocol: UInt16? = nil,
        defaultVLAN: UInt16? = nil, groupForwardMask: UInt16? = nil, multicastSnooping: Bool? = nil,
        multicastQuerier: Bool? = nil
    ) {
        self.forwardDelay = forwardDelay
        self.helloTime = helloTime
        self.maxAge = maxAge
        self.ageingTime = ageingTime
        self.spanningTree = spanningTree
        self.priority = priority
        self.vlanFiltering = vlanFiltering
        self.vlanProtocol = vlanProtocol
        self.defaultVLAN = defaultVLAN
        self.groupForwardMask = groupForwardMask
        self.multicastSnooping = multicastSnooping
        self.multicastQuerier = multicastQuerier
    }

    /// Leaves everything as it is.
    public init() { self.init(forwardDelay: nil) }

    static var fields: [SettingField<BridgeSettings>] {
        [
            .long(Int(IFLA_BR_FORWARD_DELAY), \.forwardDelay), .long(Int(IFLA_BR_HELLO_TIME), \.helloTime),
            .long(Int(IFLA_BR_MAX_AGE), \.maxAge), .long(Int(IFLA_BR_AGEING_TIME), \.ageingTime),
            .wideFlag(Int(IFLA_BR_STP_STATE), \.spanningTree), .short(Int(IFLA_BR_PRIORITY), \.priority),
            .flag(Int(IFLA_BR_VLAN_FILTERING), \.vlanFiltering),
            .networkShort(Int(IFLA_BR_VLAN_PROTOCOL), \.vlanProtocol),
            .short(Int(IFLA_BR_VLAN_DEFAULT_PVID), \.defaultVLAN),
            .short(Int(IFLA_BR_GROUP_FWD_MASK), \.groupForwardMask),
            .flag(Int(IFLA_BR_MCAST_SNOOPING), \.multicastSnooping),
            .flag(Int(IFLA_BR_MCAST_QUERIER), \.multicastQuerier),
        ]
    }
}
