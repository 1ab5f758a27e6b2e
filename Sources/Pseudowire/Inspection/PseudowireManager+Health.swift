internal import BPF
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

extension PseudowireManager {
    /// What is wrong, worst first; the first finding is the answer.
    func health(
        _ record: Record, _ route: Route?, _ statistics: Statistics, _ state: DatapathState, _ links: [UInt32: Link],
        _ protection: IPsecProtection
    ) throws(PseudowireError) -> Pseudowire.Health {
        func waiting(_ sentence: String) -> Pseudowire.Health { .init(state: .waiting, sentence: sentence) }
        let configuration = record.configuration
        let tunnel = configuration.tunnel
        if let sentence = try damage(record, state, links) { return .init(state: .broken, sentence: sentence) }
        let disagreement = Disagreement(configuration, statistics, isHeard: try state.isPeerHeard(record))
        if let sentence = disagreement.fatal { return .init(state: .broken, sentence: sentence) }
        if record.underlays.isEmpty {
            return waiting(
                "no underlay is known: there was neither a route to \(tunnel.peer) nor the address \(tunnel.local); "
                    + "name one with --underlay")
        }
        if let access = links[record.access] {
            // The hidden end has a carrier while the customer's is up, wherever it has been moved to.
            if configuration.makesInterface, !access.flags.contains(.lowerUp) {
                return waiting("interface \(configuration.access) is down")
            }
            if !access.flags.contains(.up) { return waiting("access interface \(access.name) is down") }
        }
        guard let route, route.type == .unicast else { return waiting("there is no route to \(tunnel.peer)") }
        let client = client
        let addresses = try netlink { () throws(NetlinkError) in try client.addresses.list() }
        guard addresses.contains(where: { $0.prefix.address == tunnel.local }) else {
            return waiting("the address \(tunnel.local) is on no interface")
        }
        var remarks = disagreement.remarks
        if let out = route.outputInterface, let link = links[out.rawValue] {
            if !link.flags.contains(.up) { return waiting("underlay interface \(link.name) is down") }
            if !record.underlays.contains(out.rawValue) {
                remarks.insert("the route leads through \(link.name), where replies are not taken in", at: 0)
            }
        }
        // What has gone out unprotected cannot be called back: this comes before all other remarks.
        if let conflict = protection.conflict(
            configuration, wayOut: route.outputInterface.flatMap { links[$0.rawValue] },
            underlays: record.underlays.compactMap { links[$0] })
        {
            remarks.insert("\(conflict); \(IPsecProtection.cure)", at: 0)
        }
        let sentence = remarks.isEmpty ? "" : "; but \(remarks.joined(separator: "; and "))"
        return .init(
            state: .up,
            sentence: remarks.isEmpty ? "carrying frames of \(configuration.access)" : "carrying frames\(sentence)")
    }

    /// What of the pseudowire itself is not as it was made.
    private func damage(
        _ record: Record, _ state: DatapathState, _ links: [UInt32: Link]
    ) throws(PseudowireError) -> String? {
        let cure = "delete the pseudowire and create it again"
        let configuration = record.configuration
        guard record.isReady else {
            return "a command died while making or removing it; delete it and create it again"
        }
        guard let access = links[record.access], isOurs(access, record) else {
            let what = configuration.makesInterface ? "interface" : "access interface"
            return "\(what) \(configuration.access) is gone; \(cure)"
        }
        if let sentence = try missingFilter(.access, on: access, state) { return sentence }
        for underlay in record.underlays {
            guard let link = links[underlay] else { return "underlay interface #\(underlay) is gone; \(cure)" }
            if let sentence = try missingFilter(.underlay, on: link, state) { return sentence }
        }
        return nil
    }

    /// Says that our filter is not where it was put.
    private func missingFilter(
        _ role: Attachment.Role, on link: Link, _ state: DatapathState
    ) throws(PseudowireError) -> String? {
        let interface = link.index.rawValue
        let port = try bpf { () throws(BPFError) in try state.ports[interface] }
        let hook = port?[role] ?? .clsact
        let present = try Attachment.programID(role, on: interface, at: hook, self)
        guard present != state.programs.id(role, on: link) else { return nil }
        return present == nil
            ? "the \(role.word) filter on \(link.name) is gone; the next command that changes something puts it back"
            : "somebody else's filter is where the \(role.word) filter on \(link.name) belongs, at priority "
                + "\(role.priority) handle \(role.handle); remove it, and the next command puts ours back"
    }

    /// An interface of ours is known by its mark, for the customer may rename it; anything else by its name.
    private func isOurs(_ access: Link, _ record: Record) -> Bool {
        record.configuration.makesInterface
            ? access.alias == CustomerPort.alias : access.name == record.configuration.access
    }
}
