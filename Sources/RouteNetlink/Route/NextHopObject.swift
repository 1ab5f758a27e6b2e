public import InternetAddress

/// A next hop that the kernel keeps under a number, for many routes to name it (Linux 5.3).
///
/// ```swift
/// try client.nextHops.add(NextHopObject(7, gateway: "192.0.2.254", link: index))
/// var route = Route(to: "198.51.100.0/24")
/// route.nextHopID = 7
/// try client.routes.add(route)
/// try client.nextHops.add(.group(9, [.init(7, weight: 2), .init(8)]))
/// ```
///
/// Source: `net/ipv4/nexthop.c`.
public struct NextHopObject: Hashable, Sendable {
    /// What routes name it by; at least 1.
    public var id: UInt32
    /// Nil for a group, which is of its members' family.
    public var family: IPAddress.Family?
    /// Nil when the destination is on the link.
    public var gateway: IPAddress?
    /// The interface that packets leave by; nil for a blackhole and for a group.
    public var link: LinkIndex?
    /// Whether packets are dropped in silence; there is neither gateway nor link then.
    public var isBlackhole: Bool
    /// The next hops among which a group shares out traffic; empty for what is no group.
    public var group: [NextHopMember] = []
    /// How many buckets a resilient group has, which keeps flows where they are when its members change (Linux 5.13).
    ///
    /// Nil for an ordinary group, which shares them out anew.
    public var buckets: UInt16?
    /// Who made it; the kernel does not compare it.
    public var origin: Route.Origin

    /// A next hop of the gateway's family.
    public init(_ id: UInt32, gateway: IPAddress, link: LinkIndex, origin: Route.Origin = .administrator) {
        self.id = id
        family = gateway.family
        self.gateway = gateway
        self.link = link
        isBlackhole = false
        self.origin = origin
    }

    /// A next hop on a link, without a gateway.
    public init(
        _ id: UInt32, _ family: IPAddress.Family, link: LinkIndex, origin: Route.Origin = .administrator
    ) {
        self.id = id
        self.family = family
        self.link = link
        isBlackhole = false
        self.origin = origin
    }

    /// A next hop that swallows everything; the kernel takes it only while the loopback is up.
    public static func blackhole(_ id: UInt32, _ family: IPAddress.Family) -> NextHopObject {
        NextHopObject(id: id, family: family, isBlackhole: true)
    }

    /// A group of next hops that are there already.
    public static func group(_ id: UInt32, _ members: [NextHopMember], buckets: UInt16? = nil) -> NextHopObject {
        var group = NextHopObject(id: id, family: nil, isBlackhole: false)
        group.group = members
        group.buckets = buckets
        return group
    }

    init(id: UInt32, family: IPAddress.Family?, isBlackhole: Bool) {
        self.id = id
        self.family = family
        self.isBlackhole = isBlackhole
        origin = .administrator
    }
}

/// A next hop as a member of a group.
public struct NextHopMember: Hashable, Sendable {
    /// The number of its `NextHopObject`.
    public var id: UInt32
    /// Its share of traffic: 1…256, or 1…65,536 from Linux 6.12 on.
    public var weight: UInt32

    public init(_ id: UInt32, weight: UInt32 = 1) {
        self.id = id
        self.weight = weight
    }
}
