import CPseudowireMNL

/// How a bridge treats one of its ports; what is nil stays as it is.
///
/// ```swift
/// try client.links.update(port, LinkUpdate(bridgePort: BridgePortSettings(isIsolated: true)))
/// ```
///
/// Only for an interface that has a bridge as its master already: the kernel looks before it enslaves. Source:
/// `br_port_fill_attrs` in `net/bridge/br_netlink.c`.
public struct BridgePortSettings: Hashable, Sendable, AttributeSettings {
    /// The spanning tree's: 0 disabled, 1 listening, 2 learning, 3 forwarding, 4 blocking.
    public var state: UInt8?
    /// The upper six bits of the port's number in the spanning tree: 0…63, 32 by default; more is refused (`ERANGE`).
    public var priority: UInt16?
    /// What the spanning tree reckons for the way through this port: 1…65535, else `ERANGE`.
    ///
    /// The kernel derives it from the speed until it is set: 100 where that is not known.
    public var cost: UInt32?
    /// Whether a frame may leave by the port that it came by.
    public var isHairpin: Bool?
    /// Whether a port that hears of a spanning tree is switched off.
    public var guardsBPDU: Bool?
    /// Whether addresses are learned from what arrives.
    public var isLearning: Bool?
    /// Whether frames to unknown addresses leave here.
    public var floodsUnknownUnicast: Bool?
    /// Whether frames for groups that nobody is known to be in leave here; those of the bridge's own stack do in any
    /// case.
    public var floodsMulticast: Bool?
    /// Whether broadcasts leave here; those of the bridge's own stack do in any case.
    public var floodsBroadcast: Bool?
    /// Which link-local group addresses 01:80:c2:00:00:0X are forwarded: bit X, besides the bridge's own mask.
    ///
    /// Bit 1, the address of pause frames, is refused (`EINVAL`); bits 0 and 2, unlike in `BridgeSettings`, are not.
    public var groupForwardMask: UInt16?
    /// Whether the bridge answers ARP for those that it knows of.
    public var suppressesNeighbors: Bool?
    /// Whether it reaches no other isolated port (Linux 4.18).
    public var isIsolated: Bool?

    public init(
        state: UInt8? = nil, priority: UInt16? = nil, cost: UInt32? = nil, isHairpin: Bool? = nil,
        guardsBPDU: Bool? = nil, isLearning: Bool? = nil, floodsUnknownUnicast: Bool? = nil,
        floodsMulticast: Bool? = nil, floodsBroadcast: Bool? = nil, groupForwardMask: UInt16? = nil,
        suppressesNeighbors: Bool? = nil, isIsolated: Bool? = nil
    ) {
        self.state = state
        self.priority = priority
        self.cost = cost
        self.isHairpin = isHairpin
        self.guardsBPDU = guardsBPDU
        self.isLearning = isLearning
        self.floodsUnknownUnicast = floodsUnknownUnicast
        self.floodsMulticast = floodsMulticast
        self.floodsBroadcast = floodsBroadcast
        self.groupForwardMask = groupForwardMask
        self.suppressesNeighbors = suppressesNeighbors
        self.isIsolated = isIsolated
    }

    /// Leaves everything as it is.
    public init() { self.init(state: nil) }

    static var fields: [SettingField<BridgePortSettings>] {
        [
            .byte(Int(IFLA_BRPORT_STATE), \.state), .short(Int(IFLA_BRPORT_PRIORITY), \.priority),
            .long(Int(IFLA_BRPORT_COST), \.cost), .flag(Int(IFLA_BRPORT_MODE), \.isHairpin),
            .flag(Int(IFLA_BRPORT_GUARD), \.guardsBPDU), .flag(Int(IFLA_BRPORT_LEARNING), \.isLearning),
            .flag(Int(IFLA_BRPORT_UNICAST_FLOOD), \.floodsUnknownUnicast),
            .flag(Int(IFLA_BRPORT_MCAST_FLOOD), \.floodsMulticast),
            .flag(Int(IFLA_BRPORT_BCAST_FLOOD), \.floodsBroadcast),
            .short(Int(IFLA_BRPORT_GROUP_FWD_MASK), \.groupForwardMask),
            .flag(Int(IFLA_BRPORT_NEIGH_SUPPRESS), \.suppressesNeighbors),
            .flag(Int(IFLA_BRPORT_ISOLATED), \.isIsolated),
        ]
    }
}
