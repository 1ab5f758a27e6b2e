public import InternetAddress

/// An interface to be made by `Links.create(_:)`.
///
/// ```swift
/// var spec = LinkSpecification.veth("left", peer: .init(name: "right", namespace: blue.fileDescriptor))
/// spec.mtu = 1400
/// spec.isUp = true
/// let left = try client.links.create(spec)
/// ```
///
/// An empty name leaves it open: it becomes that of the kind with the first number that is free, as `bridge0`. So does
/// `%d` in a name, which becomes that number.
public struct LinkSpecification: Hashable, Sendable {
    /// What an interface is, with what only this kind has.
    public enum Kind: Hashable, Sendable {
        /// One end of a virtual cable.
        case veth(peer: Peer)
        /// One end of a pair whose ways are BPF programs (Linux 6.7).
        case netkit(Netkit, peer: Peer)
        /// A learning bridge; what its settings leave nil has the kernel's default.
        case bridge(BridgeSettings)
        /// A VXLAN tunnel, RFC 7348.
        case vxlan(VXLAN)
        /// An interface that swallows what it is given.
        case dummy
        /// Tagged frames of the interface `on`.
        case vlan(VLAN, on: LinkIndex)
        /// One more address on the interface `on`.
        case macvlan(MACVLANMode, on: LinkIndex)
        /// An interface to redirect frames to, so that an egress qdisc shapes what was received.
        case ifb
        /// A kind that this library has no words for, as `ipvlan` or `geneve`.
        ///
        /// `data` are the attributes of `IFLA_INFO_DATA` as they go on the wire; empty for none.
        case other(String, data: [UInt8] = [])

        /// The kernel's name of the driver.
        public var name: String {
            switch self {
            case .veth: "veth"
            case .netkit: "netkit"
            case .bridge: "bridge"
            case .vxlan: "vxlan"
            case .dummy: "dummy"
            case .vlan: "vlan"
            case .macvlan: "macvlan"
            case .ifb: "ifb"
            case .other(let name, _): name
            }
        }

        /// The other end of what comes in pairs.
        var peer: Peer? {
            switch self {
            case .veth(let peer), .netkit(_, let peer): peer
            default: nil
            }
        }
    }

    /// The other end of a veth or netkit.
    public struct Peer: Hashable, Sendable {
        /// An empty one lets the kernel choose.
        public var name: String
        /// Where it shall live: a descriptor of a namespace file, lent, which must stay open until `create` returns.
        public var namespace: Int32?
        /// The longest layer 3 packet in bytes; nil leaves it to the driver.
        public var mtu: UInt32?
        /// The hardware address; nil leaves it to the driver.
        public var address: MACAddress?
        /// Transmit and receive queues, each so many; nil leaves it to the driver.
        public var queues: UInt32?
        /// Takes a second request: the kernel cannot open an end before both exist.
        public var isUp: Bool

        public init(
            name: String, namespace: Int32? = nil, mtu: UInt32? = nil, address: MACAddress? = nil,
            queues: UInt32? = nil, isUp: Bool = false
        ) {
            self.name = name
            self.namespace = namespace
            self.mtu = mtu
            self.address = address
            self.queues = queues
            self.isUp = isUp
        }
    }

    /// What a VXLAN tunnel has.
    public struct VXLAN: Hashable, Sendable {
        /// The network identifier, 24 bits.
        public var id: UInt32
        /// The outer source address.
        public var local: IPAddress?
        /// The outer destination address, of a host or a multicast group.
        public var remote: IPAddress?
        /// The outer destination port; the kernel's own default is the historic 8472, IANA's is 4789.
        public var port: UInt16?
        /// The interface that carries the outer packets.
        public var link: LinkIndex?
        /// The outer time to live; nil inherits.
        public var timeToLive: UInt8?
        /// Whether sources are learned from received frames.
        public var isLearning: Bool?
        /// Whether outer UDP checksums are computed.
        public var hasChecksum: Bool?

        public init(
            id: UInt32, local: IPAddress? = nil, remote: IPAddress? = nil, port: UInt16? = nil,
            link: LinkIndex? = nil, timeToLive: UInt8? = nil, isLearning: Bool? = nil, hasChecksum: Bool? = nil
        ) {
            self.id = id
            self.local = local
            self.remote = remote
            self.port = port
            self.link = link
            self.timeToLive = timeToLive
            self.isLearning = isLearning
            self.hasChecksum = hasChecksum
        }
    }

    /// Up to 15 bytes; empty, or with `%d` in it, it is chosen when the interface is made.
    public var name: String
    public var kind: Kind
    /// The index that it shall have; nil lets the kernel choose.
    public var index: LinkIndex?
    /// The longest layer 3 packet in bytes.
    public var mtu: UInt32?
    /// The hardware address; nil leaves it to the driver.
    ///
    /// Most make one up; a VLAN has that of the interface underneath, and a bridge takes the lowest of its ports'.
    public var address: MACAddress?
    /// Transmit and receive queues, each so many; nil leaves it to the driver.
    public var queues: UInt32?
    /// The administrator's remark, up to 255 bytes.
    ///
    /// The kernel takes it only in a second request: see `create`.
    public var alias: String?
    /// Whether it is switched on, by the request that makes it.
    public var isUp: Bool
    /// Where it shall live: a descriptor of a namespace file, lent, which must stay open until `create` returns.
    public var namespace: Int32?

    public init(
        name: String, kind: Kind, mtu: UInt32? = nil, address: MACAddress? = nil, alias: String? = nil,
        isUp: Bool = false, namespace: Int32? = nil
    ) {
        self.name = name
        self.kind = kind
        self.mtu = mtu
        self.address = address
        self.alias = alias
        self.isUp = isUp
        self.namespace = namespace
    }

    /// A virtual cable: both ends come to be in one request, each in its namespace.
    public static func veth(
        _ name: String, peer: Peer, mtu: UInt32? = nil, address: MACAddress? = nil, alias: String? = nil,
        isUp: Bool = false, namespace: Int32? = nil
    ) -> LinkSpecification {
        LinkSpecification(
            name: name, kind: .veth(peer: peer), mtu: mtu, address: address, alias: alias, isUp: isUp,
            namespace: namespace)
    }

    /// A pair whose ways are BPF programs: both ends come to be in one request, each in its namespace (Linux 6.7).
    public static func netkit(
        _ name: String, _ netkit: Netkit = Netkit(), peer: Peer, mtu: UInt32? = nil, address: MACAddress? = nil,
        alias: String? = nil, isUp: Bool = false, namespace: Int32? = nil
    ) -> LinkSpecification {
        LinkSpecification(
            name: name, kind: .netkit(netkit, peer: peer), mtu: mtu, address: address, alias: alias, isUp: isUp,
            namespace: namespace)
    }

    /// A learning bridge.
    public static func bridge(
        _ name: String, settings: BridgeSettings = BridgeSettings(), mtu: UInt32? = nil, address: MACAddress? = nil,
        alias: String? = nil, isUp: Bool = false,
        namespace: Int32? = nil
    ) -> LinkSpecification {
        LinkSpecification(
            name: name, kind: .bridge(settings), mtu: mtu, address: address, alias: alias, isUp: isUp,
            namespace: namespace)
    }

    /// A VXLAN tunnel, RFC 7348.
    public static func vxlan(
        _ name: String, id: UInt32, local: IPAddress? = nil, remote: IPAddress? = nil, port: UInt16? = 4789,
        link: LinkIndex? = nil, timeToLive: UInt8? = nil, isLearning: Bool? = nil, hasChecksum: Bool? = nil,
        mtu: UInt32? = nil, address: MACAddress? = nil, alias: String? = nil, isUp: Bool = false,
        namespace: Int32? = nil
    ) -> LinkSpecification {
        let tunnel = VXLAN(
            id: id, local: local, remote: remote, port: port, link: link, timeToLive: timeToLive,
            isLearning: isLearning, hasChecksum: hasChecksum)
        return LinkSpecification(
            name: name, kind: .vxlan(tunnel), mtu: mtu, address: address, alias: alias, isUp: isUp,
            namespace: namespace)
    }

    /// An interface that swallows what it is given.
    public static func dummy(
        _ name: String, mtu: UInt32? = nil, address: MACAddress? = nil, alias: String? = nil, isUp: Bool = false,
        namespace: Int32? = nil
    ) -> LinkSpecification {
        LinkSpecification(
            name: name, kind: .dummy, mtu: mtu, address: address, alias: alias, isUp: isUp, namespace: namespace)
    }
}
