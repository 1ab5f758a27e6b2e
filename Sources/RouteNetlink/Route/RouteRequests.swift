import CPseudowireMNL
import Glibc
import InternetAddress

/// The requests about routes, as bytes.
enum RouteRequest {
    static func change(_ type: Int, _ flags: Int32, _ route: Route) -> Request {
        var request = Request(type, flags: flags)
        let isDeletion = type == Int(RTM_DELROUTE)
        request.routeHeader(
            route.family, length: route.destination?.length ?? 0,
            table: route.table > 255 ? UInt8(RT_TABLE_UNSPEC.rawValue) : UInt8(route.table),
            origin: route.origin,
            // In a deletion, nowhere matches any scope.
            scope: isDeletion ? route.scope ?? .nowhere : route.effectiveScope,
            kind: route.type, flags: route.isOnLink ? UInt32(RTNH_F_ONLINK) : 0)
        if let destination = route.destination {
            request.attribute(RouteAttribute.destination, destination.network.address)
        }
        // The kernel reports a next hop object together with what it stands for, and refuses to be told both.
        if let id = route.nextHopID {
            request.attribute(RouteAttribute.nextHopID, id)
        } else if let gateway = route.gateway {
            request.gateway(gateway, in: route.family)
        }
        if let source = route.preferredSource { request.attribute(RouteAttribute.preferredSource, source) }
        if let priority = route.priority { request.attribute(RouteAttribute.priority, priority) }
        route.metrics.append(to: &request)
        if route.nextHopID == nil, !route.nextHops.isEmpty {
            request.nest(RouteAttribute.multipath) { hops in
                for hop in route.nextHops { hops.nextHop(hop, in: route.family) }
            }
        }
        if route.nextHopID == nil, let link = route.outputInterface {
            request.attribute(RouteAttribute.outputInterface, link.rawValue)
        }
        if route.table > 255 { request.attribute(RouteAttribute.table, route.table) }
        return request
    }

    static func list(_ family: IPAddress.Family, table: UInt32?) -> Request {
        var request = Request(Int(RTM_GETROUTE), flags: NLM_F_DUMP_FLAGS)
        request.routeHeader(family)
        if let table { request.attribute(RouteAttribute.table, table) }
        return request
    }

    static func lookup(_ query: RouteQuery) -> Request {
        var request = Request(Int(RTM_GETROUTE), ending: .object)
        let family = query.destination.family
        let bits = UInt8(family.byteCount * 8)
        // LOOKUP_TABLE says which table the answer is from, instead of always "main". IPv6 always does, and refuses
        // the flag.
        let flags = (family == .v4 ? RTM_F_LOOKUP_TABLE : 0) | (query.wantsRoute ? RTM_F_FIB_MATCH : 0)
        request.routeHeader(
            family, length: bits, sourceLength: query.source == nil ? 0 : bits, flags: UInt32(flags))
        request.attribute(RouteAttribute.destination, query.destination)
        if let source = query.source {
            if source.family != family {
                request.refuse(.invalid("source and destination are of different families"))
            }
            request.attribute(RouteAttribute.source, source)
        }
        if let link = query.outputInterface { request.attribute(RouteAttribute.outputInterface, link.rawValue) }
        if let user = query.userID { request.attribute(RouteAttribute.userID, user) }
        if let mark = query.mark { request.attribute(RouteAttribute.mark, mark) }
        return request
    }
}

extension Request {
    /// Appends `struct rtmsg`.
    fileprivate mutating func routeHeader(
        _ family: IPAddress.Family, length: UInt8 = 0, sourceLength: UInt8 = 0, table: UInt8 = 0,
        origin: Route.Origin = .unspecified, scope: Scope = .universe, kind: Route.Kind = Route.Kind(rawValue: 0),
        flags: UInt32 = 0
    ) {
        header {
            $0.append(family.socketFamily)
            $0.append(length)
            $0.append(sourceLength)
            $0.append(UInt8(0))
            $0.append(table)
            $0.append(origin.rawValue)
            $0.append(scope.rawValue)
            $0.append(kind.rawValue)
            $0.append(flags)
        }
    }

    /// Appends `RTA_GATEWAY`, or `RTA_VIA` for a gateway of the other family.
    fileprivate mutating func gateway(_ gateway: IPAddress, in family: IPAddress.Family) {
        if gateway.family == family {
            attribute(RouteAttribute.gateway, gateway)
        } else {
            attribute(RouteAttribute.via, bytes: [gateway.family.socketFamily, 0] + gateway.bytes)
        }
    }

    /// Appends a `struct rtnexthop` with its attributes, which is no attribute itself.
    fileprivate mutating func nextHop(_ hop: Route.NextHop, in family: IPAddress.Family) {
        let gatewayLength =
            switch hop.gateway {
            case nil: 0
            case .some(let gateway) where gateway.family == family: 4 + gateway.family.byteCount
            case .some(let gateway): (4 + 2 + gateway.family.byteCount + 3) & ~3
            }
        guard (1...256).contains(hop.weight) else { return refuse(.invalid("a next hop's weight is 1 to 256")) }
        append(UInt16(8 + gatewayLength))
        append(hop.isOnLink ? UInt8(RTNH_F_ONLINK) : 0)
        append(UInt8(hop.weight - 1))
        append(hop.link?.header ?? 0)
        if let gateway = hop.gateway { self.gateway(gateway, in: family) }
    }
}
