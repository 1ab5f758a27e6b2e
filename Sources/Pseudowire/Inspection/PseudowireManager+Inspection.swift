internal import BPF
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

extension PseudowireManager {
    /// All pseudowires, by name, with health and counters.
    public func pseudowires() throws(PseudowireError) -> [Pseudowire] {
        try reading { (state) throws(PseudowireError) in
            var links: [UInt32: Link] = [:]
            for link in try netlink({ () throws(NetlinkError) in try client.links.list() }) {
                links[link.index.rawValue] = link
            }
            let records = try state.records { links[$0]?.name }
            var found: [Pseudowire] = []
            for record in records { found.append(try inspect(record, state, links)) }
            return found
        } ?? []
    }

    /// One pseudowire by name.
    public func pseudowire(named name: String) throws(PseudowireError) -> Pseudowire {
        let all = try pseudowires()
        if let found = all.first(where: { $0.name == name }) { return found }
        let list = all.isEmpty ? "there is none here" : "there is \(all.prefix(10).map(\.name).joined(separator: ", "))"
        throw .faults([ConfigurationFault(.refusal, "NAME", "no pseudowire \"\(name)\"; \(list)")])
    }

    /// What was dropped, or noticed and left alone, in the whole namespace.
    public func namespaceDrops() throws(PseudowireError) -> [DropCount] {
        try reading { (state) throws(PseudowireError) in try state.namespaceDrops() } ?? []
    }

    /// Reads under the shared lock; nil where there is no state.
    private func reading<Value>(_ body: (DatapathState) throws(PseudowireError) -> Value) throws(PseudowireError)
        -> Value?
    {
        try directory.checkFileSystem()
        guard let lock = try StateLock(directory.base, .shared) else { return nil }
        return try lock.hold { () throws(PseudowireError) in
            try openState().map { (state) throws(PseudowireError) in try body(state) }
        }
    }

    private func inspect(
        _ record: Record, _ state: DatapathState, _ links: [UInt32: Link]
    ) throws(PseudowireError) -> Pseudowire {
        let tunnel = record.configuration.tunnel
        let client = client
        let route = try netlink { () throws(NetlinkError) in try client.routes.lookup(to: tunnel.peer, from: nil) }
        var mtu: Int?
        var nextHop: String?
        if let route, let out = route.outputInterface, let link = links[out.rawValue] {
            let pathMTU = min(Int(route.mtu ?? link.mtu), Int(link.mtu))
            mtu = record.configuration.overhead.pseudowireMTU(underlay: pathMTU)
            nextHop = route.gateway.map { "\($0) dev \(link.name)" } ?? "\(link.name)"
        }
        return Pseudowire(
            configuration: record.configuration, health: try health(record, route, state, links),
            statistics: try state.statistics(slot: record.slot),
            underlays: record.underlays.map { links[$0]?.name ?? "#\($0)" }, mtu: mtu,
            finishesFrames: record.finishes, nextHop: nextHop,
            created: record.created)
    }

    /// What is wrong, worst first; the first finding is the answer.
    private func health(
        _ record: Record, _ route: Route?, _ state: DatapathState, _ links: [UInt32: Link]
    ) throws(PseudowireError) -> Pseudowire.Health {
        func broken(_ sentence: String) -> Pseudowire.Health { .init(state: .broken, sentence: sentence) }
        func waiting(_ sentence: String) -> Pseudowire.Health { .init(state: .waiting, sentence: sentence) }
        let configuration = record.configuration
        let tunnel = configuration.tunnel
        guard record.isReady else {
            return broken("a command died while making or removing it; delete it and create it again")
        }
        guard let access = links[record.access], access.name == configuration.access else {
            return broken("access interface \(configuration.access) is gone; delete the pseudowire and create it again")
        }
        if try Attachment.programID(.access, on: record.access, client) != state.encap.id {
            return broken("the encap filter on \(access.name) is gone; delete the pseudowire and create it again")
        }
        for underlay in record.underlays {
            guard let link = links[underlay] else {
                return broken("underlay interface #\(underlay) is gone; delete the pseudowire and create it again")
            }
            if try Attachment.programID(.underlay, on: underlay, client) != state.decap.id {
                return broken("the decap filter on \(link.name) is gone; delete the pseudowire and create it again")
            }
        }
        if record.underlays.isEmpty {
            return waiting(
                "no underlay is known: there was neither a route to \(tunnel.peer) nor the address \(tunnel.local); "
                    + "name one with --underlay")
        }
        if !access.flags.contains(.up) { return waiting("access interface \(access.name) is down") }
        guard let route, route.type == .unicast else { return waiting("there is no route to \(tunnel.peer)") }
        let client = client
        let addresses = try netlink { () throws(NetlinkError) in try client.addresses.list() }
        guard addresses.contains(where: { $0.prefix.address == tunnel.local }) else {
            return waiting("the address \(tunnel.local) is on no interface")
        }
        if let out = route.outputInterface, let link = links[out.rawValue] {
            if !link.flags.contains(.up) { return waiting("underlay interface \(link.name) is down") }
            if !record.underlays.contains(out.rawValue) {
                return .init(
                    state: .up,
                    sentence:
                        "carrying frames; but the route leads through \(link.name), where replies are not taken in")
            }
        }
        return .init(state: .up, sentence: "carrying frames of \(access.name)")
    }
}
