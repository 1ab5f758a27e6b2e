public import InternetAddress

/// A route, or the answer to a look-up.
///
/// ```swift
/// try client.routes.add(.default(via: "192.0.2.254"))
/// try client.routes.add(Route(to: "198.51.100.0/24", via: "192.0.2.1", outputInterface: link.index))
/// ```
public struct Route: Hashable, Sendable {
    /// Nil is everything.
    public var destination: IPPrefix?
    public var family: IPAddress.Family
    public var gateway: IPAddress?
    public var outputInterface: LinkIndex?
    /// The source address that is chosen for what this machine sends.
    public var preferredSource: IPAddress?
    /// Lower is preferred. `RTA_PRIORITY`.
    public var priority: UInt32?
    /// 254 is the main table.
    public var table: UInt32 = 254
    /// Who made it. The corresponding C constants are `RTPROT_*`; 4 is `static`, 3 is `boot`.
    public var protocolNumber: UInt8 = 4
    /// The corresponding C constants are `RT_SCOPE_*`; nil: what fits the route.
    public var scope: UInt8?
    public var type: Kind = .unicast
    /// The gateway is on the link even if no route says so. `RTNH_F_ONLINK`.
    public var isOnLink = false
    /// The path's MTU, if the route or an ICMP message has set one. `RTAX_MTU`.
    public var mtu: UInt32?

    public init(to destination: IPPrefix, via gateway: IPAddress? = nil, outputInterface: LinkIndex? = nil) {
        self.destination = destination
        family = destination.address.family
        self.gateway = gateway
        self.outputInterface = outputInterface
    }

    private init(defaultVia gateway: IPAddress, outputInterface: LinkIndex?) {
        family = gateway.family
        self.gateway = gateway
        self.outputInterface = outputInterface
    }

    init(family: IPAddress.Family) {
        self.family = family
    }

    /// The route to everything else.
    public static func `default`(via gateway: IPAddress, outputInterface: LinkIndex? = nil) -> Route {
        Route(defaultVia: gateway, outputInterface: outputInterface)
    }

    /// What a route does with a packet. The corresponding C constants are `RTN_*`.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let unicast = Kind(rawValue: 1)
        public static let local = Kind(rawValue: 2)
        public static let broadcast = Kind(rawValue: 3)
        public static let multicast = Kind(rawValue: 5)
        public static let blackhole = Kind(rawValue: 6)
        public static let unreachable = Kind(rawValue: 7)
        public static let prohibit = Kind(rawValue: 8)
    }
}
