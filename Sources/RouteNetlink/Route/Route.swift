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
    public var family: IPAddress.Family
    /// Where it leads; nil for everywhere.
    public var destination: IPPrefix?
    /// The next router; nil when the destination is on the link.
    ///
    /// Of the other family: IPv4 over IPv6, RFC 5549.
    public var gateway: IPAddress?
    public var outputInterface: LinkIndex?
    /// The source address of packets that do not have one.
    public var preferredSource: IPAddress?
    /// The metric: among routes to one destination the lowest wins.
    ///
    /// The kernel reads 0 as 1024 for IPv6.
    public var priority: UInt32?
    public var table: UInt32
    /// Who made it.
    public var origin: Origin
    /// Nil lets us choose as `ip route` does: link for IPv4 without a gateway, host for local types, else universe.
    public var scope: Scope?
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

    /// One of several ways.
    public struct NextHop: Hashable, Sendable {
        public var gateway: IPAddress?
        public var link: LinkIndex?
        /// The share of traffic: 1…256.
        public var weight: UInt16
        public var isOnLink: Bool

        public init(gateway: IPAddress?, link: LinkIndex? = nil, weight: UInt16 = 1, isOnLink: Bool = false) {
            self.gateway = gateway
            self.link = link
            self.weight = weight
            self.isOnLink = isOnLink
        }
    }

    /// What becomes of a packet, `RTN_*`.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Forwarded.
        ///
        /// The corresponding C constant is `RTN_UNICAST`.
        public static let unicast = Kind(rawValue: 1)
        /// Delivered here.
        ///
        /// The corresponding C constant is `RTN_LOCAL`.
        public static let local = Kind(rawValue: 2)
        /// The corresponding C constant is `RTN_BROADCAST`.
        public static let broadcast = Kind(rawValue: 3)
        /// The corresponding C constant is `RTN_ANYCAST`.
        public static let anycast = Kind(rawValue: 4)
        /// The corresponding C constant is `RTN_MULTICAST`.
        public static let multicast = Kind(rawValue: 5)
        /// Dropped in silence.
        ///
        /// The corresponding C constant is `RTN_BLACKHOLE`.
        public static let blackhole = Kind(rawValue: 6)
        /// Answered "host unreachable".
        ///
        /// The corresponding C constant is `RTN_UNREACHABLE`.
        public static let unreachable = Kind(rawValue: 7)
        /// Answered "administratively prohibited".
        ///
        /// The corresponding C constant is `RTN_PROHIBIT`.
        public static let prohibit = Kind(rawValue: 8)
    }

    /// Who made a route, `RTPROT_*`.
    public struct Origin: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The corresponding C constant is `RTPROT_UNSPEC`; in a deletion: any.
        public static let unspecified = Origin(rawValue: 0)
        /// The corresponding C constant is `RTPROT_REDIRECT`.
        public static let redirect = Origin(rawValue: 1)
        /// The corresponding C constant is `RTPROT_KERNEL`.
        public static let kernel = Origin(rawValue: 2)
        /// What `ip route` writes.
        ///
        /// The corresponding C constant is `RTPROT_BOOT`.
        public static let boot = Origin(rawValue: 3)
        /// The administrator.
        ///
        /// The corresponding C constant is `RTPROT_STATIC`.
        public static let administrator = Origin(rawValue: 4)
        /// The corresponding C constant is `RTPROT_RA`.
        public static let routerAdvertisement = Origin(rawValue: 9)
    }

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

extension Route {
    /// Reads an `RTM_NEWROUTE` of IPv4 or IPv6; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWROUTE else { return nil }
        try message.require(12, "rtmsg")
        guard let family = IPAddress.Family(socketFamily: message.field(0)) else { return nil }
        self.init(family: family)
        let length: UInt8 = message.field(1)
        table = UInt32(message.field(4, UInt8.self))
        origin = Origin(rawValue: message.field(5))
        scope = Scope(rawValue: message.field(6))
        type = Kind(rawValue: message.field(7))
        isOnLink = message.field(8, UInt32.self) & UInt32(RTNH_F_ONLINK) != 0
        var target = family.unspecified
        var cursor = message.attributes(after: 12)
        while let attribute = cursor.next() {
            switch attribute.type {
            case RouteAttribute.destination: target = attribute.ipAddress ?? target
            case RouteAttribute.gateway: gateway = attribute.ipAddress
            case RouteAttribute.via: gateway = attribute.gatewayOfOtherFamily
            case RouteAttribute.outputInterface: outputInterface = LinkIndex(try attribute.integer(Int32.self))
            case RouteAttribute.preferredSource: preferredSource = attribute.ipAddress
            case RouteAttribute.priority: priority = try attribute.integer()
            case RouteAttribute.table: table = try attribute.integer()
            case RouteAttribute.metrics: metrics = try RouteMetrics(attribute)
            case RouteAttribute.nextHopID: nextHopID = try attribute.integer()
            case RouteAttribute.multipath: nextHops = Self.nextHops(attribute.payload)
            default: continue
            }
        }
        if length > 0 {
            guard let prefix = IPPrefix(target, length: length), target.family == family else {
                throw MalformedMessage(what: "a route to \(target)/\(length)")
            }
            destination = prefix
        }
    }

    /// Reads a row of `struct rtnexthop`, each followed by attributes of its own.
    private static func nextHops(_ bytes: RawSpan) -> [NextHop] {
        var hops: [NextHop] = []
        var offset = 0
        while let length = bytes.integer(at: offset, as: UInt16.self),
            let flags = bytes.integer(at: offset + 2, as: UInt8.self),
            let extra = bytes.integer(at: offset + 3, as: UInt8.self),
            let index = bytes.integer(at: offset + 4, as: Int32.self),
            length >= 8, Int(length) <= bytes.byteCount - offset
        {
            var hop = NextHop(gateway: nil, link: LinkIndex(index), weight: UInt16(extra) + 1)
            hop.isOnLink = flags & UInt8(RTNH_F_ONLINK) != 0
            var cursor = AttributeCursor(bytes.extracting(offset + 8..<offset + Int(length)))
            while let attribute = cursor.next() {
                switch attribute.type {
                case RouteAttribute.gateway: hop.gateway = attribute.ipAddress
                case RouteAttribute.via: hop.gateway = attribute.gatewayOfOtherFamily
                default: continue
                }
            }
            hops.append(hop)
            offset += (Int(length) + 3) & ~3
        }
        return hops
    }
}

extension Attribute {
    /// The address in a `struct rtvia`: a family, then the address.
    fileprivate var gatewayOfOtherFamily: IPAddress? {
        guard payload.byteCount > 2 else { return nil }
        return payload.extracting(2..<payload.byteCount).withUnsafeBytes { IPAddress(bytes: $0) }
    }
}
