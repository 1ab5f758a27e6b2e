import CPseudowireMNL
import Glibc
public import InternetAddress

/// A way to a network, or the answer to how a packet would go.
///
/// ```swift
/// try client.routes.add(.default(via: "192.0.2.254"))
/// try client.routes.add(Route(to: "198.51.100.0/24", via: "192.0.2.1", link: index, isOnLink: true))
/// ```
public struct Route: Hashable, Sendable {
    /// The family of `destination`; that of `gateway` may be the other one.
    public var family: IPAddress.Family
    /// Where it leads; nil for everywhere.
    public var destination: IPPrefix?
    /// The next router; nil when the destination is on the link.
    ///
    /// Of the other family: IPv4 over IPv6, RFC 5549.
    public var gateway: IPAddress?
    /// The interface that packets leave by; nil lets the kernel find it by the gateway.
    ///
    /// Nil also of a listed route that has several ways, and of one that drops packets.
    public var outputInterface: LinkIndex?
    /// The source address of packets that do not have one.
    public var preferredSource: IPAddress?
    /// The metric: among routes to one destination the lowest wins.
    ///
    /// The kernel reads 0 as 1024 for IPv6.
    public var priority: UInt32?
    /// The table that it is in, of which rules choose one: `mainTable` unless stated.
    ///
    /// Beyond 255 it takes an attribute of its own, `RTA_TABLE`, in place of the header's octet.
    public var table: UInt32
    /// Who made it.
    public var origin: Origin
    /// Nil lets us choose as `ip route` does: link for IPv4 without a gateway, host for local types, else universe.
    public var scope: Scope?
    /// What becomes of packets that it fits: forwarded unless stated.
    public var type: Kind
    /// Whether the gateway counts as reachable though no route of ours says so.
    public var isOnLink: Bool
    /// What it tells the transport protocols.
    public var metrics = RouteMetrics()
    /// The ways to choose from, of a route that has several; `gateway` and `outputInterface` are nil then.
    public var nextHops: [NextHop]
    /// The next hop, or group of them, that the kernel keeps by itself (Linux 5.3): see `NextHopObject`.
    ///
    /// Stated instead of a gateway; a listed route has both.
    public var nextHopID: UInt32?

    /// The table that ordinary routes are in.
    ///
    /// The corresponding C constant is `RT_TABLE_MAIN`.
    public static let mainTable: UInt32 = 254
    /// The table of our own addresses.
    ///
    /// The corresponding C constant is `RT_TABLE_LOCAL`.
    public static let localTable: UInt32 = 255

    /// A route to a network.
    public init(
        to destination: IPPrefix, via gateway: IPAddress? = nil, link: LinkIndex? = nil,
        preferredSource: IPAddress? = nil, priority: UInt32? = nil, table: UInt32 = Route.mainTable,
        origin: Origin = .administrator, scope: Scope? = nil, type: Kind = .unicast, isOnLink: Bool = false,
        mtu: UInt32? = nil, nextHops: [NextHop] = []
    ) {
        family = destination.address.family
        self.destination = destination.length == 0 ? nil : destination
        self.gateway = gateway
        outputInterface = link
        self.preferredSource = preferredSource
        self.priority = priority
        self.table = table
        self.origin = origin
        self.scope = scope
        self.type = type
        self.isOnLink = isOnLink
        metrics.mtu = mtu
        self.nextHops = nextHops
    }

    /// The route to everywhere in the gateway's family.
    public static func `default`(
        via gateway: IPAddress, link: LinkIndex? = nil, priority: UInt32? = nil, isOnLink: Bool = false
    ) -> Route {
        var route = Route(family: gateway.family)
        route.gateway = gateway
        route.outputInterface = link
        route.priority = priority
        route.isOnLink = isOnLink
        return route
    }

    /// The route to everywhere on a link that needs no gateway.
    public static func `default`(
        _ family: IPAddress.Family, link: LinkIndex, priority: UInt32? = nil
    ) -> Route {
        var route = Route(family: family)
        route.outputInterface = link
        route.priority = priority
        return route
    }

    init(family: IPAddress.Family) {
        self.family = family
        table = Self.mainTable
        origin = .administrator
        type = .unicast
        isOnLink = false
        nextHops = []
    }

    /// The longest packet in bytes, when the route limits it.
    public var mtu: UInt32? {
        get { metrics.mtu }
        set { metrics.mtu = newValue }
    }

    /// Whether the MTU holds for forwarded packets too, and whatever the path is found to take: iproute2's `mtu lock`.
    ///
    /// The corresponding C constant is `RTAX_LOCK`, bit `RTAX_MTU`.
    public var isMTULocked: Bool {
        get { metrics.locks & 1 << UInt32(RTAX_MTU) != 0 }
        set {
            let bit = UInt32(1) << UInt32(RTAX_MTU)
            metrics.locks = newValue ? metrics.locks | bit : metrics.locks & ~bit
        }
    }

    /// The scope to send: `scope`, or what `ip route` would choose.
    var effectiveScope: Scope {
        if let scope { return scope }
        guard family == .v4 else { return .universe }
        return switch type {
        case .local: .host
        case .broadcast, .multicast, .anycast: .link
        case .unicast where nextHopID == nil && gateway == nil && nextHops.allSatisfy({ $0.gateway == nil }): .link
        default: .universe
        }
    }
}

extension Route: CustomStringConvertible {
    /// As `ip route` words it.
    public var description: String {
        var text = destination.map { "\($0)" } ?? "default"
        if let gateway { text += " via \(gateway)" }
        if let outputInterface { text += " dev \(outputInterface)" }
        if let priority { text += " metric \(priority)" }
        if table != Self.mainTable { text += " table \(table)" }
        return text
    }
}
