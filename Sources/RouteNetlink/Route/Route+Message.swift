import CPseudowireMNL
import Glibc
import InternetAddress

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
