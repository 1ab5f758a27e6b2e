import CPseudowireMNL

/// The next hops that a client's namespace keeps by number: see `NextHopObject`.
public struct NextHops {
    let client: RouteClient

    /// Adds a next hop, or a group of them.
    ///
    /// - Throws: `isAlreadyPresent` when the number is taken, `EINVAL` or `ENETUNREACH` for a gateway out of reach.
    public func add(_ hop: NextHopObject) throws(NetlinkError) {
        try client.socket.perform(NextHopRequest.change(createNew, hop), .nextHop, "add next hop \(hop.id)")
    }

    /// Adds a next hop, or puts it in the place of the one with its number; routes that name it follow.
    public func replace(_ hop: NextHopObject) throws(NetlinkError) {
        try client.socket.perform(
            NextHopRequest.change(createOrReplace, hop), .nextHop, "replace next hop \(hop.id)")
    }

    /// Deletes a next hop **with every route** that names it.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func delete(_ id: UInt32) throws(NetlinkError) {
        try client.socket.perform(
            NextHopRequest.name(Int(RTM_DELNEXTHOP), id), .nextHop, "delete next hop \(id)")
    }

    /// The next hop, or group, of a number; nil when there is none.
    public func get(_ id: UInt32) throws(NetlinkError) -> NextHopObject? {
        do throws(NetlinkError) {
            return try client.socket.object(
                NextHopRequest.name(Int(RTM_GETNEXTHOP), id), .nextHop, "get next hop \(id)"
            ) { message throws(MalformedMessage) in try NextHopObject(message) }
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// All next hops and groups.
    public func list() throws(NetlinkError) -> [NextHopObject] {
        try client.socket.dump(NextHopRequest.list(), .nextHop, "list next hops") {
            message throws(MalformedMessage) in try NextHopObject(message)
        }
    }
}
