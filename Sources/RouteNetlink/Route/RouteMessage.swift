internal import CPseudowireMNL
internal import InternetAddress

/// Route requests and replies as bytes. Source: `net/ipv4/fib_frontend.c`, `net/ipv4/route.c`, `net/ipv6/route.c`.
enum RouteMessage {
    static let headerLength = 12

    static func change(_ type: Int, flags: Int32, _ route: Route) -> Request {
        var request = Request(type, flags: flags)
        appendHeader(&request, route, isRemoval: type == RTM_DELROUTE)
        if let destination = route.destination { request.attribute(Int(RTA_DST.rawValue), destination.address) }
        if let gateway = route.gateway { request.attribute(Int(RTA_GATEWAY.rawValue), gateway) }
        if let source = route.preferredSource { request.attribute(Int(RTA_PREFSRC.rawValue), source) }
        if let priority = route.priority { request.attribute(Int(RTA_PRIORITY.rawValue), priority) }
        if route.table > 255 { request.attribute(Int(RTA_TABLE.rawValue), route.table) }
        if let link = route.outputInterface { request.attribute(Int(RTA_OIF.rawValue), link.rawValue) }
        if let mtu = route.mtu {
            request.nest(Int(RTA_METRICS.rawValue)) { $0.attribute(Int(RTAX_MTU), mtu) }
        }
        return request
    }

    static func lookup(to destination: IPAddress, from source: IPAddress?, mark: UInt32?) -> Request {
        var request = Request(RTM_GETROUTE)
        let hostBits = UInt8(destination.family.byteCount * 8)
        request.header { header in
            header.append(UInt8(destination.family == .v4 ? AF_INET : AF_INET6))
            header.append(hostBits)
            header.append(source == nil ? UInt8(0) : hostBits)
            for _ in 0..<5 { header.append(UInt8(0)) }
            header.append(UInt32(0))
        }
        request.attribute(Int(RTA_DST.rawValue), destination)
        if let source { request.attribute(Int(RTA_SRC.rawValue), source) }
        if let mark { request.attribute(Int(RTA_MARK.rawValue), mark) }
        return request
    }

    static func list(_ family: IPAddress.Family) -> Request {
        var request = Request(RTM_GETROUTE, flags: NLM_F_DUMP)
        request.header { header in
            header.append(UInt8(family == .v4 ? AF_INET : AF_INET6))
            for _ in 0..<7 { header.append(UInt8(0)) }
            header.append(UInt32(0))
        }
        return request
    }

    static func parse(_ message: borrowing Message) throws(MalformedMessage) -> Route? {
        guard message.type == Int(RTM_NEWROUTE) else { return nil }
        try message.require(headerLength, "struct rtmsg")
        let family: IPAddress.Family
        switch Int32(message.field(0, UInt8.self)) {
        case AF_INET: family = .v4
        case AF_INET6: family = .v6
        default: return nil
        }
        var route = Route(family: family)
        route.table = UInt32(message.field(4, UInt8.self))
        route.protocolNumber = message.field(5)
        route.scope = message.field(6)
        route.type = Route.Kind(rawValue: message.field(7))
        route.isOnLink = message.field(8, UInt32.self) & UInt32(RTNH_F_ONLINK) != 0
        var attributes = message.attributes(after: headerLength)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Int(RTA_DST.rawValue):
                if let address = attribute.ipAddress { route.destination = IPPrefix(address, length: message.field(1)) }
            case Int(RTA_GATEWAY.rawValue): route.gateway = attribute.ipAddress
            case Int(RTA_OIF.rawValue): route.outputInterface = LinkIndex(rawValue: try attribute.integer())
            case Int(RTA_PREFSRC.rawValue): route.preferredSource = attribute.ipAddress
            case Int(RTA_PRIORITY.rawValue): route.priority = try attribute.integer()
            case Int(RTA_TABLE.rawValue): route.table = try attribute.integer()
            case Int(RTA_METRICS.rawValue):
                var metrics = attribute.attributes
                while let metric = metrics.next() {
                    if metric.type == Int(RTAX_MTU) { route.mtu = try metric.integer() }
                }
            default: continue
            }
        }
        return route
    }

    private static func appendHeader(_ request: inout Request, _ route: Route, isRemoval: Bool) {
        // Nowhere: a removal that names no scope matches any. Link: what is reached without a gateway is on the link.
        let fitting: UInt8 = isRemoval ? 255 : route.gateway == nil && route.family == .v4 && route.type == .unicast ? 253 : 0
        request.header { header in
            header.append(UInt8(route.family == .v4 ? AF_INET : AF_INET6))
            header.append(route.destination?.length ?? 0)
            header.append(UInt8(0))
            header.append(UInt8(0))
            header.append(route.table > 255 ? compatibleTable : UInt8(route.table))
            header.append(isRemoval ? UInt8(0) : route.protocolNumber)
            header.append(route.scope ?? fitting)
            header.append(route.type.rawValue)
            header.append(route.isOnLink ? UInt32(RTNH_F_ONLINK) : 0)
        }
    }

    /// The number is in an attribute. The corresponding C constant is `RT_TABLE_COMPAT`.
    private static var compatibleTable: UInt8 { 252 }
}
