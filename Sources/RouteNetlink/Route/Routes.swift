import CPseudowireMNL
public import InternetAddress
import SystemPackage

/// The routes of a client's namespace.
///
/// ```swift
/// try client.routes.add(Route(to: "198.51.100.0/24", via: "192.0.2.254"))
/// let way = try client.routes.lookup(to: "198.51.100.7")   // nil when there is no way
/// ```
public struct Routes {
    let client: RouteClient

    /// Adds a route.
    ///
    /// - Throws: `isAlreadyPresent` when there is one to that destination with that metric, `ENETUNREACH` when the
    ///   gateway is not on any link.
    public func add(_ route: Route) throws(NetlinkError) {
        try client.socket.perform(
            RouteRequest.change(Int(RTM_NEWROUTE), createNew, route), .route, "add route \(route)")
    }

    /// Adds a route, or replaces the first to that destination with that metric.
    public func replace(_ route: Route) throws(NetlinkError) {
        try client.socket.perform(
            RouteRequest.change(Int(RTM_NEWROUTE), createOrReplace, route), .route, "replace route \(route)")
    }

    /// Deletes the route that agrees in all that `route` states.
    ///
    /// - Throws: `isNotFound` when none does.
    public func delete(_ route: Route) throws(NetlinkError) {
        try client.socket.perform(
            RouteRequest.change(Int(RTM_DELROUTE), 0, route), .route, "delete route \(route)")
    }

    /// The routes of one family, or of both; of one table, or of all.
    public func list(_ family: IPAddress.Family? = nil, table: UInt32? = nil) throws(NetlinkError) -> [Route] {
        var routes: [Route] = []
        for each in family.map({ [$0] }) ?? IPAddress.Family.allCases {
            do throws(NetlinkError) {
                routes += try client.socket.dump(RouteRequest.list(each, table: table), .route, "list routes") {
                    message throws(MalformedMessage) in try Route(message)
                }
            } catch {
                // "FIB table does not exist": it has no routes.
                guard table != nil, error.errno == .noSuchFileOrDirectory else { throw error }
            }
        }
        guard let table else { return routes }
        return routes.filter { $0.table == table }
    }

    /// How the kernel would send a packet; nil when it has no route.
    ///
    /// - Throws: `EINVAL` for a blackhole or a `source` that is not ours, `EACCES` for a prohibited destination.
    public func lookup(
        to destination: IPAddress, from source: IPAddress? = nil, mark: UInt32? = nil
    ) throws(NetlinkError) -> Route? {
        try lookup(RouteQuery(to: destination, from: source, mark: mark))
    }

    /// How the kernel would send a packet, or which route says so; nil when it has no route.
    ///
    /// - Throws: as `lookup(to:from:mark:)`.
    public func lookup(_ query: RouteQuery) throws(NetlinkError) -> Route? {
        do throws(NetlinkError) {
            let request = RouteRequest.lookup(query)
            return try client.socket.object(request, .route, "look up a route to \(query.destination)") {
                message throws(MalformedMessage) in try Route(message)
            }
        } catch {
            switch error.errno {
            case .networkUnreachable, .noRouteToHost, .noSuchProcess: return nil
            default: throw error
            }
        }
    }
}
