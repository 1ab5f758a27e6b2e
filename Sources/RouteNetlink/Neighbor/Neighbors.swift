internal import CPseudowireMNL
public import InternetAddress

/// The neighbour tables of a client's namespace.
///
/// ```swift
/// try client.neighbors.replace(Neighbor("192.0.2.9", on: link.index, macAddress: "02:00:00:00:00:09"))
/// ```
///
/// Errors: `NetlinkError`; `isNotFound` is `ENOENT`, `isAlreadyPresent` is `EEXIST`.
public struct Neighbors {
    let client: RouteClient

    /// Adds an entry; fails if the address has one.
    public func add(_ neighbor: Neighbor) throws(NetlinkError) {
        try change(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, neighbor, "add")
    }

    /// Adds an entry, in place of the one that the address has.
    public func replace(_ neighbor: Neighbor) throws(NetlinkError) {
        try change(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbor, "replace")
    }

    /// Removes an address's entry.
    public func delete(_ address: IPAddress, on link: LinkIndex) throws(NetlinkError) {
        try change(RTM_DELNEIGH, 0, Neighbor(address, on: link, macAddress: nil, state: []), "delete")
    }

    /// The entries of one interface, or of all.
    public func list(on link: LinkIndex? = nil) throws(NetlinkError) -> [Neighbor] {
        try client.socket.dump(
            NeighborMessage.list(on: link), .neighbor, "list neighbours", parse: NeighborMessage.parse)
    }

    private func change(_ type: Int, _ flags: Int32, _ neighbor: Neighbor, _ verb: String) throws(NetlinkError) {
        let request = NeighborMessage.change(type, flags: flags, neighbor)
        try client.socket.perform(request, .neighbor, "\(verb) neighbour \(neighbor.address) on link \(neighbor.link)")
    }
}
