import CPseudowireMNL
public import InternetAddress

/// A next hop that the kernel keeps under a number, for many routes to name it (Linux 5.3).
///
/// ```swift
/// try client.nextHops.add(NextHopObject(7, gateway: "192.0.2.254", link: index))
/// var route = Route(to: "198.51.100.0/24")
/// route.nextHopID = 7
/// try client.routes.add(route)
/// ```
///
/// Source: `net/ipv4/nexthop.c`.
public struct NextHopObject: Hashable, Sendable {
    /// What routes name it by; at least 1.
    public var id: UInt32
    public var family: IPAddress.Family
    /// Nil when the destination is on the link.
    public var gateway: IPAddress?
    public var link: LinkIndex?
    /// Whether packets are dropped in silence; there is neither gateway nor link then.
    public var isBlackhole: Bool
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
        NextHopObject(id: id, family: family)
    }

    private init(id: UInt32, family: IPAddress.Family) {
        self.id = id
        self.family = family
        isBlackhole = true
        origin = .administrator
    }
}

/// The requests about next hops, as bytes.
enum NextHopRequest {
    /// `NHA_*` of `linux/nexthop.h`.
    enum Attribute {
        static let id = 1
        static let blackhole = 4
        static let outputInterface = 5
        static let gateway = 6
    }

    static func change(_ flags: Int32, _ hop: NextHopObject) -> Request {
        var request = Request(Int(RTM_NEWNEXTHOP), flags: flags)
        request.nextHopHeader(hop.family.socketFamily, hop.origin)
        request.attribute(Attribute.id, hop.id)
        if hop.id == 0 { request.refuse(.invalid("a next hop's number must not be zero")) }
        if let gateway = hop.gateway {
            if gateway.family != hop.family { request.refuse(.invalid("the gateway is of another family")) }
            request.attribute(Attribute.gateway, gateway)
        }
        if let link = hop.link { request.attribute(Attribute.outputInterface, link.rawValue) }
        if hop.isBlackhole { request.flag(Attribute.blackhole) }
        return request
    }

    /// A deletion or a query.
    static func name(_ type: Int, _ id: UInt32) -> Request {
        var request = Request(type)
        request.nextHopHeader(0, .unspecified)
        request.attribute(Attribute.id, id)
        return request
    }

    static func list() -> Request {
        var request = Request(Int(RTM_GETNEXTHOP), flags: NLM_F_DUMP_FLAGS)
        request.nextHopHeader(0, .unspecified)
        return request
    }
}

extension Request {
    /// Appends `struct nhmsg`.
    fileprivate mutating func nextHopHeader(_ family: UInt8, _ origin: Route.Origin) {
        header {
            $0.append(family)
            $0.append(UInt8(0))
            $0.append(origin.rawValue)
            $0.append(UInt8(0))
            $0.append(UInt32(0))
        }
    }
}

extension NextHopObject {
    /// Reads an `RTM_NEWNEXTHOP`; nil for anything else, and for a group.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWNEXTHOP else { return nil }
        try message.require(8, "nhmsg")
        guard let family = IPAddress.Family(socketFamily: message.field(0)) else { return nil }
        self.init(id: 0, family: family)
        isBlackhole = false
        origin = Route.Origin(rawValue: message.field(2))
        var cursor = message.attributes(after: 8)
        while let attribute = cursor.next() {
            switch attribute.type {
            case NextHopRequest.Attribute.id: id = try attribute.integer()
            case NextHopRequest.Attribute.gateway: gateway = attribute.ipAddress
            case NextHopRequest.Attribute.outputInterface: link = LinkIndex(try attribute.integer(Int32.self))
            case NextHopRequest.Attribute.blackhole: isBlackhole = true
            default: continue
            }
        }
    }
}
