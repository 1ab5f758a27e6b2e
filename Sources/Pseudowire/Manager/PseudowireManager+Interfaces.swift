internal import InternetAddress
internal import RouteNetlink

extension PseudowireManager {
    /// Lets the interfaces that were made with pseudowires say what is true now.
    ///
    /// ```swift
    /// try manager.refresh()       // a route has come, or the underlay's MTU has changed
    /// ```
    ///
    /// Such an interface is dormant while there is no route to the peer or our address is on no interface, and its MTU
    /// is what the path takes, at most what was configured. Every change of pseudowires does the same at its end.
    public func refresh() throws(PseudowireError) {
        try change { () throws(PseudowireError) in Plan([], for: []) }
    }

    /// The same under a lock that the caller holds.
    ///
    /// It fails nothing: what cannot be found out or set stays as it is until the next time.
    func refreshInterfaces() {
        guard directory.exists, let list = try? client.links.list(),
            list.contains(where: { $0.alias == CustomerPort.alias }), let state = try? openState(),
            let records = try? records(state), let addresses = try? client.addresses.list()
        else { return }
        let ours = records.filter { $0.configuration.makesInterface && $0.isReady }
        let links = Dictionary(list.map { ($0.index.rawValue, $0) }) { first, _ in first }
        let local = Set(addresses.map(\.prefix.address))
        for record in ours {
            guard let hidden = links[record.access], hidden.alias == CustomerPort.alias,
                let end = CustomerPort.customerEnd(of: hidden, in: links)
            else { continue }
            try? refresh(end, of: record, state, links, hasAddress: local.contains(record.configuration.tunnel.local))
        }
    }

    private func refresh(
        _ end: Link, of record: Record, _ state: DatapathState, _ links: [UInt32: Link], hasAddress: Bool
    ) throws(PseudowireError) {
        let client = client
        let configuration = record.configuration
        let route = try netlink { () throws(NetlinkError) in
            try client.routes.lookup(to: configuration.tunnel.peer, from: nil)
        }
        var path: Int?
        if let route, route.type == .unicast, let out = route.outputInterface, let link = links[out.rawValue] {
            path = route.pathMTU(through: link)
        }
        var update = LinkUpdate()
        let isDormant = path == nil || !hasAddress
        if isDormant, end.linkMode != .dormant || end.operationalState == .up {
            update.linkMode = .dormant
            update.operationalState = .dormant
        } else if !isDormant, end.linkMode == .dormant || end.operationalState == .dormant {
            update.linkMode = .default
            update.operationalState = .up
        }
        if let path {
            var mtu = configuration.interfaceMTU(path: path)
            if let learned = try state.learnedPathMTU(record) {
                // What a router says holds for minutes; below this, IPv6 addresses would go, and not come again.
                mtu = min(mtu, max(configuration.interfaceMTU(path: learned), 1280))
            }
            if mtu != end.mtu { update.mtu = mtu }
        }
        guard update != LinkUpdate() else { return }
        try netlink { () throws(NetlinkError) in try client.links.update(end.index, update) }
    }
}
