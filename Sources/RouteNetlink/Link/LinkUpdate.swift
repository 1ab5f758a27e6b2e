public import InternetAddress

/// Changes to an interface, all in one request; what is nil stays as it is.
///
/// ```swift
/// try client.links.update(index, LinkUpdate(isUp: true, mtu: 1446))
/// try client.links.update(index, LinkUpdate(master: .some(nil)))   // leave the bridge
/// ```
///
/// The kernel applies them one by one: after an error, some may hold.
public struct LinkUpdate: Hashable, Sendable {
    /// How the kernel makes an interface's IPv6 link-local address.
    public struct AddressGenerationMode: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// From the hardware address.
        ///
        /// The corresponding C constant is `IN6_ADDR_GEN_MODE_EUI64`.
        public static let eui64 = AddressGenerationMode(rawValue: 0)
        /// Not at all.
        ///
        /// The corresponding C constant is `IN6_ADDR_GEN_MODE_NONE`.
        public static let none = AddressGenerationMode(rawValue: 1)
        /// From a secret, RFC 7217.
        ///
        /// The corresponding C constant is `IN6_ADDR_GEN_MODE_STABLE_PRIVACY`.
        public static let stablePrivacy = AddressGenerationMode(rawValue: 2)
        /// The corresponding C constant is `IN6_ADDR_GEN_MODE_RANDOM`.
        public static let random = AddressGenerationMode(rawValue: 3)
    }

    /// What a carrier means, RFC 2863.
    public struct LinkMode: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// With a carrier the interface is up.
        ///
        /// The corresponding C constant is `IF_LINK_MODE_DEFAULT`.
        public static let `default` = LinkMode(rawValue: 0)
        /// With a carrier the interface is dormant, until somebody says that it is up.
        ///
        /// The corresponding C constant is `IF_LINK_MODE_DORMANT`.
        public static let dormant = LinkMode(rawValue: 1)
    }

    /// Switches it on or off.
    ///
    /// The corresponding C constant is `IFF_UP`.
    public var isUp: Bool?
    /// The longest layer 3 packet in bytes.
    public var mtu: UInt32?
    /// A new hardware address; some drivers take it only while the interface is down (`EBUSY`).
    public var address: MACAddress?
    /// A new name.
    ///
    /// Kernels before 6.2 refuse to rename an interface that is up (`EBUSY`).
    public var name: String?
    /// The administrator's remark; an empty one removes it.
    public var alias: String?
    /// The bridge or bond to join; `.some(nil)` leaves it.
    public var master: LinkIndex??
    /// Whether the administrator wants every frame; those who want that besides, as bridges, are not asked.
    ///
    /// The corresponding C constant is `IFF_PROMISC`.
    public var isPromiscuous: Bool?
    /// Where it shall move: a descriptor of a namespace file, lent, which must stay open until `update` returns.
    ///
    /// The interface leaves our namespace down, without addresses, perhaps with another index.
    public var namespace: Int32?
    /// How its IPv6 link-local address is made, from the next time that it goes up.
    ///
    /// To have none, set it in a request before the one that switches the interface on: within one request the kernel
    /// switches on first, and the address is there.
    public var addressGenerationMode: AddressGenerationMode?
    /// Whether IPv4 packets that arrive here are forwarded; this interface only.
    public var ipv4Forwarding: Bool?
    /// The longest packet that segmentation offload may hand to the driver, in bytes.
    public var gsoMaxSize: UInt32?
    /// The most segments that it may consist of.
    public var gsoMaxSegments: UInt32?
    /// The longest packet that received ones are joined to, in bytes (Linux 5.19).
    public var groMaxSize: UInt32?
    /// The administrator's number for links that belong together; 0 by default.
    public var group: UInt32?
    /// Packets that the queue in front of the driver holds.
    public var transmitQueueLength: UInt32?
    /// The properties of a bridge.
    public var bridge: BridgeSettings?
    /// The properties of a bridge's port, which it must be already.
    public var bridgePort: BridgePortSettings?
    /// What a carrier means, from its next change on.
    public var linkMode: LinkMode?
    /// What the interface says about itself: that it is dormant, if it was up, or up, if it was dormant.
    ///
    /// The kernel passes over other changes in silence, and says something else at the carrier's next change unless
    /// `linkMode` agrees.
    public var operationalState: OperationalState?

    public init(
        isUp: Bool? = nil, mtu: UInt32? = nil, address: MACAddress? = nil, name: String? = nil, alias: String? = nil,
        master: LinkIndex?? = nil, isPromiscuous: Bool? = nil, namespace: Int32? = nil,
        addressGenerationMode: AddressGenerationMode? = nil, ipv4Forwarding: Bool? = nil, gsoMaxSize: UInt32? = nil,
        gsoMaxSegments: UInt32? = nil, groMaxSize: UInt32? = nil, group: UInt32? = nil,
        transmitQueueLength: UInt32? = nil, bridge: BridgeSettings? = nil, bridgePort: BridgePortSettings? = nil,
        linkMode: LinkMode? = nil, operationalState: OperationalState? = nil
    ) {
        self.isUp = isUp
        self.mtu = mtu
        self.address = address
        self.name = name
        self.alias = alias
        self.master = master
        self.isPromiscuous = isPromiscuous
        self.namespace = namespace
        self.addressGenerationMode = addressGenerationMode
        self.ipv4Forwarding = ipv4Forwarding
        self.gsoMaxSize = gsoMaxSize
        self.gsoMaxSegments = gsoMaxSegments
        self.groMaxSize = groMaxSize
        self.group = group
        self.transmitQueueLength = transmitQueueLength
        self.bridge = bridge
        self.bridgePort = bridgePort
        self.linkMode = linkMode
        self.operationalState = operationalState
    }
}
