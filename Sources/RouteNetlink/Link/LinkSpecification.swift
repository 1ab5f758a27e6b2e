public import InternetAddress

/// An interface that is to be made.
///
/// ```swift
/// var specification = LinkSpecification.veth("left", peer: .init("right", namespace: other.fileDescriptor))
/// specification.mtu = 1400
/// let link = try client.links.create(specification)
/// ```
public struct LinkSpecification: Hashable, Sendable {
    public var name: String
    public var kind: Kind
    public var mtu: UInt32?
    public var address: MACAddress?
    public var alias: String?
    public var isUp = false
    /// The namespace that it is made in: a descriptor that stays the caller's and open until `create` returns.
    public var namespace: Int32?

    public init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// What to make, with what only that kind has.
    public enum Kind: Hashable, Sendable {
        /// Two ends; the other one may be in another namespace.
        case veth(peer: Peer)
        case bridge
        /// A tunnel; `port` in host order, 4789 by default.
        case vxlan(id: UInt32, local: IPAddress?, remote: IPAddress?, port: UInt16)
        /// Any kind that needs no data of its own, by the kernel's name for it: `dummy`, `ifb`.
        case other(String)

        /// The kernel's name: `IFLA_INFO_KIND`.
        public var name: String {
            switch self {
            case .veth: "veth"
            case .bridge: "bridge"
            case .vxlan: "vxlan"
            case .other(let name): name
            }
        }
    }

    /// A veth's other end.
    public struct Peer: Hashable, Sendable {
        public var name: String
        /// The namespace that it is made in: a descriptor that stays the caller's and open until `create` returns.
        public var namespace: Int32?
        public var mtu: UInt32?
        public var address: MACAddress?

        public init(_ name: String, namespace: Int32? = nil, mtu: UInt32? = nil, address: MACAddress? = nil) {
            self.name = name
            self.namespace = namespace
            self.mtu = mtu
            self.address = address
        }
    }

    /// A veth pair, made in one request also if its ends are in different namespaces.
    public static func veth(_ name: String, peer: Peer) -> LinkSpecification {
        LinkSpecification(name, .veth(peer: peer))
    }

    public static func bridge(_ name: String) -> LinkSpecification {
        LinkSpecification(name, .bridge)
    }

    /// A VXLAN tunnel (RFC 7348).
    public static func vxlan(
        _ name: String, id: UInt32, local: IPAddress? = nil, remote: IPAddress? = nil, port: UInt16 = 4789
    ) -> LinkSpecification {
        LinkSpecification(name, .vxlan(id: id, local: local, remote: remote, port: port))
    }
}
