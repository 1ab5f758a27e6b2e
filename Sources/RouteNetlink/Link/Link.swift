import CPseudowireMNL
public import InternetAddress

/// A network interface as the kernel describes it.
///
/// ```swift
/// if let eth0 = try client.links.find(named: "eth0"), eth0.flags.contains(.running) {
///     print(eth0.mtu, eth0.address?.description ?? "no Ethernet")
/// }
/// ```
///
/// A snapshot: it does not follow the interface. Source: `rtnl_fill_ifinfo` in `net/core/rtnetlink.c`.
public struct Link: Hashable, Sendable {
    /// The number that every other request names it by.
    public var index: LinkIndex
    /// Up to 15 bytes, unique within the namespace, alternative names included.
    public var name: String
    /// The names besides `name` (Linux 5.5).
    public var alternativeNames: [String] = []
    /// The driver's kind, as `veth` or `bridge`; nil for hardware and for the loopback.
    public var kind: String?
    /// What the driver says about itself, undecoded: the attributes of `IFLA_INFO_DATA`.
    ///
    /// Not a specification: some that the kernel reports it refuses to be told, of a VXLAN for one.
    public var kindData: [UInt8]?
    /// The administrator's remark.
    public var alias: String?
    /// The longest layer 3 packet in bytes.
    public var mtu: UInt32 = 0
    /// The smallest `mtu` that the driver takes, in bytes.
    public var minMTU: UInt32?
    /// Nil where the driver states no limit.
    public var maxMTU: UInt32?
    /// Nil unless the interface has six-byte addresses.
    public var address: MACAddress?
    /// The address that the hardware came with (Linux 5.6).
    public var permanentAddress: MACAddress?
    /// What the administrator wants and the driver says; `operationalState` sums it up.
    public var flags: LinkFlags = []
    /// `ARPHRD_*`: 1 for Ethernet, 772 for the loopback.
    public var hardwareType: UInt16 = 0
    /// The bridge, bond or VRF that it belongs to.
    public var master: LinkIndex?
    /// The other end of a veth, or the interface underneath (`IFLA_LINK`), in the namespace `linkNamespaceID`.
    public var peer: LinkIndex?
    /// Our name for the namespace of `peer`; nil when that is ours.
    public var linkNamespaceID: Int32?
    /// Whether it can carry frames, as far as the driver says; many virtual ones leave it `unknown`.
    public var operationalState: OperationalState = .unknown
    /// What a carrier means.
    public var linkMode: LinkUpdate.LinkMode = .default
    /// How many users want every frame, packet sockets and bridges included.
    public var promiscuity: UInt32 = 0
    /// Nil when the request asked for none.
    public var statistics: LinkStatistics?
    /// The longest packet that segmentation offload hands to the driver, in bytes.
    public var gsoMaxSize: UInt32?
    /// The most segments that such a packet consists of.
    public var gsoMaxSegments: UInt32?
    /// The longest packet that received ones are joined to, in bytes (Linux 5.19).
    public var groMaxSize: UInt32?
    /// The administrator's number for links that belong together.
    public var group: UInt32 = 0
    /// Packets that the queue in front of the driver holds.
    public var transmitQueueLength: UInt32 = 0
    /// The kind of the master, as `bridge`, and what it says about this port, undecoded.
    public var portKind: String?
    /// What the master says about this port, undecoded: the attributes of `IFLA_INFO_SLAVE_DATA`.
    public var portData: [UInt8]?
    /// Nil without any.
    public var xdp: XDPPrograms?

    /// Whether the administrator has switched it on.
    public var isUp: Bool { flags.contains(.up) }
}

extension Link {
    /// Reads an `RTM_NEWLINK`; nil for any other type.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWLINK else { return nil }
        try message.require(16, "ifinfomsg")
        guard let index = LinkIndex(message.field(4, Int32.self)) else {
            throw MalformedMessage(what: "an interface without an index")
        }
        self.init(index: index, name: "")
        hardwareType = message.field(2)
        flags = LinkFlags(rawValue: message.field(8))
        var cursor = message.attributes(after: 16)
        while let attribute = cursor.next() {
            switch attribute.type {
            case IFLA_IFNAME: name = attribute.text
            case IFLA_ADDRESS: address = attribute.macAddress
            case IFLA_PERM_ADDRESS: permanentAddress = attribute.macAddress
            case IFLA_MTU: mtu = try attribute.integer()
            case IFLA_MIN_MTU: minMTU = try attribute.integer()
            case IFLA_MAX_MTU:
                let limit: UInt32 = try attribute.integer()
                maxMTU = limit == 0 ? nil : limit
            case IFLA_IFALIAS: alias = attribute.text
            case IFLA_MASTER: master = LinkIndex(try attribute.integer(Int32.self))
            case IFLA_LINK: peer = LinkIndex(try attribute.integer(Int32.self))
            case IFLA_LINK_NETNSID: linkNamespaceID = try attribute.integer()
            case IFLA_OPERSTATE: operationalState = OperationalState(rawValue: try attribute.integer())
            case IFLA_LINKMODE: linkMode = LinkUpdate.LinkMode(rawValue: try attribute.integer())
            case IFLA_PROMISCUITY: promiscuity = try attribute.integer()
            case IFLA_GROUP: group = try attribute.integer()
            case IFLA_TXQLEN: transmitQueueLength = try attribute.integer()
            case IFLA_GSO_MAX_SEGS: gsoMaxSegments = try attribute.integer()
            case Int(IFLA_GRO_MAX_SIZE): groMaxSize = try attribute.integer()
            case IFLA_GSO_MAX_SIZE: gsoMaxSize = try attribute.integer()
            case IFLA_STATS64: statistics = LinkStatistics(attribute.payload)
            case IFLA_LINKINFO:
                var info = attribute.attributes
                while let item = info.next() {
                    if item.type == IFLA_INFO_KIND { kind = item.text }
                    if item.type == IFLA_INFO_DATA { kindData = item.payload.array }
                    if item.type == IFLA_INFO_SLAVE_KIND { portKind = item.text }
                    if item.type == IFLA_INFO_SLAVE_DATA { portData = item.payload.array }
                }
            case Int(IFLA_XDP): xdp = try XDPPrograms(attribute)
            case IFLA_PROP_LIST:
                var properties = attribute.attributes
                while let item = properties.next() {
                    if item.type == IFLA_ALT_IFNAME { alternativeNames.append(item.text) }
                }
            default: continue
            }
        }
    }
}
