import CPseudowireMNL
import Glibc
public import InternetAddress
import SystemPackage

/// The neighbours of a client's namespace.
///
/// ```swift
/// try client.neighbors.replace(Neighbor(address: "192.0.2.2", link: index, macAddress: "02:00:00:00:00:02"))
/// ```
public struct Neighbors {
    let client: RouteClient

    /// Adds an entry.
    ///
    /// - Throws: `isAlreadyPresent` when the address has one on that link, in whatever state.
    public func add(_ neighbor: Neighbor) throws(NetlinkError) {
        try client.socket.perform(
            NeighborRequest.change(createNew, neighbor), .neighbor,
            "add neighbor \(neighbor.address) on link \(neighbor.link)")
    }

    /// Adds an entry or replaces the one that the address has on that link.
    public func replace(_ neighbor: Neighbor) throws(NetlinkError) {
        try client.socket.perform(
            NeighborRequest.change(createOrReplace, neighbor), .neighbor,
            "replace neighbor \(neighbor.address) on link \(neighbor.link)")
    }

    /// Deletes an entry.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func delete(_ address: IPAddress, on link: LinkIndex) throws(NetlinkError) {
        try client.socket.perform(
            NeighborRequest.name(Int(RTM_DELNEIGH), address, link), .neighbor,
            "delete neighbor \(address) on link \(link)")
    }

    /// The entry of an address on a link; nil when there is none (Linux 5.0).
    public func get(_ address: IPAddress, on link: LinkIndex) throws(NetlinkError) -> Neighbor? {
        do throws(NetlinkError) {
            return try client.socket.object(
                NeighborRequest.name(Int(RTM_GETNEIGH), address, link), .neighbor,
                "get neighbor \(address) on link \(link)"
            ) { message throws(MalformedMessage) in try Neighbor(message) }
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// The IPv4 and IPv6 entries of one interface, or of all.
    public func list(
        on link: LinkIndex? = nil, family: IPAddress.Family? = nil
    ) throws(NetlinkError) -> [Neighbor] {
        let request = NeighborRequest.list(family?.socketFamily ?? UInt8(AF_UNSPEC), on: link)
        return try client.socket.dump(request, .neighbor, "list neighbors") { message throws(MalformedMessage) in
            try Neighbor(message)
        }
    }
}
