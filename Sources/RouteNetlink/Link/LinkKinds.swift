import CPseudowireMNL

/// An interface of tagged frames on another one.
public struct VLAN: Hashable, Sendable {
    /// 1…4094.
    public var id: UInt16
    /// The Ethernet type of the tags: 0x8100, or 0x88a8 of IEEE 802.1ad.
    public var etherType: UInt16

    public init(id: UInt16, etherType: UInt16 = 0x8100) {
        self.id = id
        self.etherType = etherType
    }
}

/// How interfaces with an address of their own on one other interface see each other.
public struct MACVLANMode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Not at all.
    ///
    /// The corresponding C constant is `MACVLAN_MODE_PRIVATE`.
    public static let isolated = MACVLANMode(rawValue: 1)
    /// By way of a switch outside that sends frames back.
    ///
    /// The corresponding C constant is `MACVLAN_MODE_VEPA`.
    public static let vepa = MACVLANMode(rawValue: 2)
    /// Directly, without a switch outside.
    ///
    /// The corresponding C constant is `MACVLAN_MODE_BRIDGE`.
    public static let bridge = MACVLANMode(rawValue: 4)
    /// There is but one, which takes the other interface over.
    ///
    /// The corresponding C constant is `MACVLAN_MODE_PASSTHRU`.
    public static let passThrough = MACVLANMode(rawValue: 8)
}

/// What a TUN or TAP interface says about itself (Linux 4.18); it is made by `/dev/net/tun`, not by netlink.
public struct TUN: Hashable, Sendable, AttributeSettings {
    /// Whether it carries Ethernet frames rather than IP packets.
    public var isTAP: Bool { type == 2 }
    /// `IFF_TUN`, 1, or `IFF_TAP`, 2.
    public var type: UInt8?
    /// Whether it stays when the last descriptor is closed.
    public var isPersistent: Bool?
    /// Whether four bytes of `struct tun_pi` precede each packet.
    public var hasPacketInformation: Bool?
    /// Whether a `struct virtio_net_hdr` precedes each packet.
    public var hasOffloadHeader: Bool?
    /// Whether it may be opened several times, each descriptor a queue of its own (`IFF_MULTI_QUEUE`).
    public var isMultiQueue: Bool?
    /// The user, by number, that it is kept for; nil for none.
    public var owner: UInt32?
    /// The group, by number, that it is kept for; nil for none.
    public var group: UInt32?

    init() {}

    static var fields: [SettingField<TUN>] {
        [
            .byte(Int(IFLA_TUN_TYPE), \.type), .flag(Int(IFLA_TUN_PERSIST), \.isPersistent),
            .flag(Int(IFLA_TUN_PI), \.hasPacketInformation), .flag(Int(IFLA_TUN_VNET_HDR), \.hasOffloadHeader),
            .flag(Int(IFLA_TUN_MULTI_QUEUE), \.isMultiQueue), .long(Int(IFLA_TUN_OWNER), \.owner),
            .long(Int(IFLA_TUN_GROUP), \.group),
        ]
    }
}

/// What an interface says about itself beyond its kind.
public enum LinkInfo: Hashable, Sendable {
    /// How a bridge works now; its times are in hundredths of a second.
    case bridge(BridgeSettings)
    /// The tag that its frames have on the interface underneath.
    case vlan(VLAN)
    /// How it sees its siblings on the same interface.
    case macvlan(MACVLANMode)
    /// What `/dev/net/tun` was asked for.
    case tun(TUN)
    /// How a netkit treats packets, those of its other end too.
    case netkit(Netkit)
}

extension Link {
    /// `kindData` in words, for the kinds that this library has words for; else nil.
    public var info: LinkInfo? {
        guard let kindData else { return nil }
        switch kind {
        case "bridge": return .bridge(BridgeSettings(kindData))
        case "tun": return .tun(TUN(kindData))
        case "netkit": return .netkit(Netkit(kindData))
        case "vlan":
            let fields = VLANFields(kindData)
            guard let id = fields.id, let etherType = fields.etherType else { return nil }
            return .vlan(VLAN(id: id, etherType: etherType))
        case "macvlan":
            return MACVLANFields(kindData).mode.map { .macvlan(MACVLANMode(rawValue: $0)) }
        default: return nil
        }
    }

    /// How its bridge treats it; nil unless it is a bridge's port.
    public var bridgePort: BridgePortSettings? {
        guard portKind == "bridge", let portData else { return nil }
        return BridgePortSettings(portData)
    }
}

/// The attributes of a VLAN.
struct VLANFields: AttributeSettings {
    var id: UInt16?
    var etherType: UInt16?

    static var fields: [SettingField<VLANFields>] {
        [.short(Int(IFLA_VLAN_ID), \.id), .networkShort(Int(IFLA_VLAN_PROTOCOL), \.etherType)]
    }
}

/// The attributes of a macvlan.
struct MACVLANFields: AttributeSettings {
    var mode: UInt32?

    static var fields: [SettingField<MACVLANFields>] { [.long(Int(IFLA_MACVLAN_MODE), \.mode)] }
}
