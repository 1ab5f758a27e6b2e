import CPseudowireMNL
public import InternetAddress

extension Neighbors {
    /// Makes this host answer ARP, or neighbour solicitations, for an address that is elsewhere: `ip neigh add proxy`.
    ///
    /// Adding what is there is no error. The interface's `proxy_ndp`, for IPv6, must be on to have an effect.
    public func addProxy(_ address: IPAddress, on link: LinkIndex) throws(NetlinkError) {
        try client.socket.perform(
            NeighborRequest.change(createNew, Self.proxy(address, link)), .neighbor,
            "add neighbor proxy \(address) on link \(link)")
    }

    /// Ends it.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func deleteProxy(_ address: IPAddress, on link: LinkIndex) throws(NetlinkError) {
        try client.socket.perform(
            NeighborRequest.name(Int(RTM_DELNEIGH), address, link, .proxy), .neighbor,
            "delete neighbor proxy \(address) on link \(link)")
    }

    /// The proxies of one interface, or of all; those that hold for every interface are left out.
    public func listProxies(on link: LinkIndex? = nil) throws(NetlinkError) -> [Neighbor] {
        let request = NeighborRequest.list(0, on: link, .proxy)
        return try client.socket.dump(request, .neighbor, "list neighbor proxies") { message throws(MalformedMessage) in
            try Neighbor(message)
        }
    }

    static func proxy(_ address: IPAddress, _ link: LinkIndex) -> Neighbor {
        Neighbor(address: address, link: link, macAddress: nil, flags: .proxy)
    }
}
