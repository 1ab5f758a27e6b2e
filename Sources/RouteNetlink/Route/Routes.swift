internal import CPseudowireMNL
internal import Glibc
public import InternetAddress
internal import SystemPackage

/// The routes of a client's namespace.
///
/// Errors: `NetlinkError`; `isNotFound` is `ESRCH`, `isAlreadyPresent` is `EEXIST`.
public struct Routes {
    let client: RouteClient

    /// Adds a route; fails if there is one with this destination, priority and table.
    public func add(_ route: Route) throws(NetlinkError) {
        try change(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, "add")
    }

    /// Adds a route, in place of one with this destination, priority and table if there is one.
    public func replace(_ route: Route) throws(NetlinkError) {
        try change(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route, "replace")
    }

    /// Removes a route.
    public func delete(_ route: Route) throws(NetlinkError) {
        try change(RTM_DELROUTE, 0, route, "delete")
    }

    /// All routes of a family, of all tables.
    public func list(_ family: IPAddress.Family) throws(NetlinkError) -> [Route] {
        try client.socket.dump(
            RouteMessage.list(family), .route, "list IPv\(family.rawValue) routes", parse: RouteMessage.parse)
    }

    /// The way that a packet of this machine would take, or nil if there is none.
    ///
    /// A route that forbids (`blackhole`, `unreachable`, `prohibit`) is no way either.
    ///
    /// - Parameters:
    ///   - source: the address it would be sent from; one that is on no interface counts as not given.
    ///   - mark: the firewall mark it would have.
    public func lookup(
        to destination: IPAddress, from source: IPAddress? = nil, mark: UInt32? = nil
    ) throws(NetlinkError) -> Route? {
        var found: Route?
        let request = RouteMessage.lookup(to: destination, from: source, mark: mark)
        do {
            try client.socket.perform(request, .route, "look up route to \(destination)") { message throws(MalformedMessage) in
                if let route = try RouteMessage.parse(message) { found = route }
            }
        } catch {
            // ENETUNREACH and EHOSTUNREACH: no route or "unreachable"; EINVAL: "blackhole"; EACCES: "prohibit".
            let nowhere = [ENETUNREACH, EHOSTUNREACH, ESRCH, EINVAL, EACCES].map { Errno(rawValue: $0) }
            if nowhere.contains(error.errno), error.attributePath == nil { return nil }
            throw error
        }
        return found?.outputInterface == nil ? nil : found
    }

    private func change(_ type: Int, _ flags: Int32, _ route: Route, _ verb: String) throws(NetlinkError) {
        let destination = route.destination.map(\.description) ?? "default"
        try client.socket.perform(
            RouteMessage.change(type, flags: flags, route), .route, "\(verb) route \(destination)")
    }
}
