internal import CPseudowireObject
internal import InternetAddress
internal import RouteNetlink

extension Survey {
    /// Where the peer's packets come in and ours go out.
    struct Underlays {
        let links: [Link]
        let wayOut: LinkIndex?
        let pathMTU: Int?
        let hasLocalAddress: Bool
    }

    /// What was found last for an access interface: the next pseudowire there often goes the same way.
    struct Neighbour {
        let tunnel: PseudowireConfiguration.Tunnel
        let names: [String]
        let place: Place
    }

    /// The place of one that is at the same, if nothing speaks against that but who is there already.
    func neighbour(of configuration: PseudowireConfiguration) -> Place? {
        guard !configuration.makesInterface, let neighbour = neighbours[configuration.access],
            neighbour.tunnel == configuration.tunnel, neighbour.names == configuration.underlays
        else { return nil }
        return neighbour.place
    }

    /// Looks for where packets of a pseudowire go out and come in.
    mutating func underlayInterfaces(
        _ configuration: PseudowireConfiguration, _ access: Link?
    ) throws(PseudowireError) -> Underlays {
        let cache = cache
        let route = try netlink { () throws(NetlinkError) in try cache.route(to: configuration.tunnel.peer) }
        var links: [Link] = []
        for name in configuration.underlays where PseudowireConfiguration.faultOfInterfaceName(name) == nil {
            if let link = try interface(name, field: "underlay") { links.append(link) }
        }
        if configuration.underlays.isEmpty {
            links = try discovered(configuration.tunnel, route).filter { $0.index != access?.index }
            for link in links where !link.canBeUnderlay {
                refuse("underlay", "\(link.name), where the peer's packets are expected, \(Self.strangeHeader)")
            }
            let most = Int(PW_MAX_UNDERLAYS)
            if links.count > most {
                refuse(
                    "underlay",
                    """
                    there are \(links.count) interfaces at which the peer's packets could arrive, by the route and by the \
                    address \(configuration.tunnel.local); name those where they do, \(most) at most
                    """)
                links = Array(links.prefix(most))
            }
        }
        // By two names it may be one.
        if let access, !configuration.underlays.isEmpty, links.contains(where: { $0.index == access.index }) {
            refuse("underlay", "\(access.name) is the access interface; the underlay must be another")
        }
        for link in links {
            if let holder = holders[link.index.rawValue]?.first {
                refuse("underlay", "\(link.name) is the access interface of \(holder.name)")
            }
        }
        // One reason is enough for one option.
        if let out = route?.outputInterface, out == access?.index, !faults.contains(where: { $0.field == "access" }) {
            refuse("access", "\(configuration.access) is the way to the peer \(configuration.tunnel.peer)")
        }
        try refuseUnprotected(configuration, route, links)
        return try Underlays(
            links: links, wayOut: route?.outputInterface ?? links.first?.index, pathMTU: pathMTU(route),
            hasLocalAddress: hasAddress(configuration.tunnel.local))
    }

    /// Packets that the machine's owner wants encrypted must not go round those who would do it.
    private mutating func refuseUnprotected(
        _ configuration: PseudowireConfiguration, _ route: Route?, _ links: [Link]
    ) throws(PseudowireError) {
        let cache = cache
        let conflict = try netlink { () throws(NetlinkError) in
            let wayOut = try route?.outputInterface.flatMap { index throws(NetlinkError) in try cache.link(index) }
            return try cache.ipsecProtection().conflict(configuration, wayOut: wayOut, underlays: links)
        }
        if let conflict { refuse("peer", "\(conflict); \(IPsecProtection.cure)") }
    }

    private func pathMTU(_ route: Route?) throws(PseudowireError) -> Int? {
        let cache = cache
        guard let route, route.type == .unicast, let out = route.outputInterface,
            let link = try netlink({ () throws(NetlinkError) in try cache.link(out) })
        else { return nil }
        return route.pathMTU(through: link)
    }

    private func hasAddress(_ address: IPAddress) throws(PseudowireError) -> Bool {
        let cache = cache
        return try netlink { () throws(NetlinkError) in try !cache.holders(of: address).isEmpty }
    }

    /// Where the peer's packets can be expected if nobody says: where the route to it leads, and where our address is.
    ///
    /// Empty as long as there is neither.
    private func discovered(
        _ tunnel: PseudowireConfiguration.Tunnel, _ route: Route?
    ) throws(PseudowireError) -> [Link] {
        let cache = cache
        return try netlink { () throws(NetlinkError) in
            var indexes: [LinkIndex] = []
            if let out = route?.outputInterface { indexes.append(out) }
            for holder in try cache.holders(of: tunnel.local) where !indexes.contains(holder) { indexes.append(holder) }
            var links: [Link] = []
            for index in indexes {
                if let link = try cache.link(index), !link.flags.contains(.loopback) { links.append(link) }
            }
            return links
        }
    }
}
