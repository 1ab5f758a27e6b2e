internal import BPF
internal import CPseudowireObject
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

extension PseudowireManager {
    /// What is wrong, worst first; the first finding is the answer.
    func health(
        _ record: Record, _ surroundings: Surroundings, _ statistics: Statistics, _ state: DatapathState,
        _ cache: InspectionCache
    ) throws(PseudowireError) -> PseudowireStatus.Health {
        if record.isReady, record.access == 0 { return try parked(record, state, cache) }
        if let sentence = surroundings.damage { return .init(state: .broken, sentence: sentence) }
        let disagreement = Disagreement(record.configuration, statistics, isHeard: cache.isPeerHeard(record))
        if let sentence = disagreement.fatal { return .init(state: .broken, sentence: sentence) }
        if let sentence = surroundings.obstacle { return .init(state: .waiting, sentence: sentence) }
        if disagreement.remarks.isEmpty { return .init(state: .up, sentence: surroundings.usualSentence) }
        return .init(state: .up, sentence: surroundings.sentence(disagreement.remarks))
    }

    /// What is the interfaces', the routes' and the filters'.
    func surroundings(
        _ record: Record, _ state: DatapathState, _ cache: InspectionCache
    ) throws(PseudowireError) -> Surroundings {
        if let known = cache.surroundings[record.access], known.isShared(by: record) { return known }
        let configuration = record.configuration
        let links = cache.links
        let route = try netlink { () throws(NetlinkError) in try cache.survey.route(to: configuration.tunnel.peer) }
        let found = Surroundings(record)
        found.underlays = record.underlays.map { links[$0]?.name ?? "#\($0)" }
        found.hooks = hooks(record, cache)
        found.acceleration = try acceleration(record, state, cache)
        if let route, let out = route.outputInterface, let link = links[out.rawValue] {
            found.pathMTU = route.pathMTU(through: link)
            found.nextHop = route.gateway.map { "\($0) dev \(link.name)" } ?? "\(link.name)"
        }
        found.damage = try damage(record, state, cache)
        if found.damage == nil { found.damage = try untransmitted(record, cache) }
        if found.damage == nil {
            found.obstacle = try obstacle(record, route, cache)
            if found.obstacle == nil { try remark(record, route, state, cache, found) }
        }
        cache.surroundings[record.access] = found
        return found
    }

    /// Says that XDP programs redirect frames to an interface whose driver no longer takes them.
    ///
    /// A veth does not once its other end has neither GRO nor an XDP program.
    private func untransmitted(_ record: Record, _ cache: InspectionCache) throws(PseudowireError) -> String? {
        let interfaces = [record.access] + record.underlays
        guard interfaces.contains(where: { cache.ports[$0]?.hasXDP == true }) else { return nil }
        for interface in interfaces {
            guard let link = cache.links[interface], let port = cache.ports[interface],
                port.flags & UInt32(PW_PORT_TRANSMITS) != 0
            else { continue }
            let features = try netlink { () throws(NetlinkError) in try cache.survey.drivers.features(of: link) }
            if features?.contains(.transmit) == false {
                return "what XDP programs send to \(link.name) is lost, for its driver no longer takes it; \(Self.cure)"
            }
        }
        return nil
    }

    /// Why it has to wait.
    private func obstacle(
        _ record: Record, _ route: Route?, _ cache: InspectionCache
    ) throws(PseudowireError) -> String? {
        let configuration = record.configuration
        let tunnel = configuration.tunnel
        let links = cache.links
        if record.underlays.isEmpty {
            return "no underlay is known: there was neither a route to \(tunnel.peer) nor the address \(tunnel.local); "
                + "name one with --underlay"
        }
        if let access = links[record.access] {
            // The hidden end has a carrier while the customer's is up, wherever it has been moved to.
            if configuration.makesInterface, !access.flags.contains(.lowerUp) {
                return "interface \(configuration.access) is down"
            }
            if !access.flags.contains(.up) { return "access interface \(access.name) is down" }
        }
        guard let route, route.type == .unicast else { return "there is no route to \(tunnel.peer)" }
        let holders = try netlink { () throws(NetlinkError) in try cache.survey.holders(of: tunnel.local) }
        guard !holders.isEmpty else { return "the address \(tunnel.local) is on no interface" }
        if let out = route.outputInterface, let link = links[out.rawValue], !link.flags.contains(.lowerUp) {
            return "underlay interface \(link.name) \(link.flags.contains(.up) ? "has no carrier" : "is down")"
        }
        return nil
    }

    /// What may surprise.
    private func remark(
        _ record: Record, _ route: Route?, _ state: DatapathState, _ cache: InspectionCache,
        _ found: Surroundings
    ) throws(PseudowireError) {
        let configuration = record.configuration
        let links = cache.links
        if !configuration.makesInterface, let access = links[record.access], !access.answers(to: configuration.access) {
            found.lastRemarks.append("\(configuration.access) is called \(access.name) now")
        }
        for (role, interface) in [(Attachment.Role.access, record.access)] + record.underlays.map({ (.underlay, $0) }) {
            guard let link = links[interface] else { continue }
            if let sentence = try missingXDP(role, on: link, record, state, cache) {
                found.lastRemarks.append(sentence)
            }
        }
        // What has gone out unprotected cannot be called back: this comes before all other remarks.
        let protection = try netlink { () throws(NetlinkError) in try cache.survey.ipsecProtection() }
        if let conflict = protection.conflict(
            configuration, wayOut: route?.outputInterface.flatMap { links[$0.rawValue] },
            underlays: record.underlays.compactMap { links[$0] })
        {
            found.firstRemarks.append("\(conflict); \(IPsecProtection.cure)")
        }
        if let out = route?.outputInterface, let link = links[out.rawValue], !record.underlays.contains(out.rawValue) {
            found.firstRemarks.append("the route leads through \(link.name), where replies are not taken in")
        }
        // The customer's own affair, as a cable that is not plugged in: nothing here waits for it.
        if let access = links[record.access], !access.flags.contains(.lowerUp) {
            found.firstRemarks.append("\(access.name) has no carrier")
        }
    }

    /// Where a pseudowire's filters are, by the names of the interfaces.
    private func hooks(_ record: Record, _ cache: InspectionCache) -> [String: AttachmentHook] {
        var found: [String: AttachmentHook] = [:]
        for (role, interface) in [(Attachment.Role.access, record.access)] + record.underlays.map({ (.underlay, $0) }) {
            if let link = cache.links[interface], let hook = cache.ports[interface]?[role] { found[link.name] = hook }
        }
        return found
    }

    /// What of the pseudowire itself is not as it was made.
    private func damage(
        _ record: Record, _ state: DatapathState, _ cache: InspectionCache
    ) throws(PseudowireError) -> String? {
        let configuration = record.configuration
        let links = cache.links
        guard record.isReady else {
            return "a command died while making or removing it; delete it and create it again"
        }
        let what = configuration.makesInterface ? "interface" : "access interface"
        let isAnother = !configuration.makesInterface && cache.answers(to: configuration.access)
        var gone: String {
            "\(what) \(configuration.access) is \(isAnother ? "another one than it was" : "gone"); \(Self.cure)"
        }
        guard let access = links[record.access] else { return gone }
        let unfiltered = try cache.missingFilter(.access, record.access) { () throws(PseudowireError) in
            try missingFilter(.access, on: access, state)
        }
        // An interface of ours is known by its mark, for the customer may rename it; anything else by its name, or,
        // while nothing else has that, by our filter.
        if configuration.makesInterface {
            guard access.alias == CustomerPort.alias else { return gone }
        } else if !access.answers(to: configuration.access) {
            guard unfiltered == nil, !isAnother else { return gone }
        }
        if let unfiltered { return unfiltered }
        if !access.flags.contains(.promiscuous) {
            return "\(access.name) no longer takes in frames for others, for somebody has ended its promiscuous mode; "
                + Self.cure
        }
        if record.coalesces, let sentence = try joinerDamage(state, links, cache) { return sentence }
        if let sentence = try splitterDamage(state, links, cache) { return sentence }
        var missing: String?
        var isTakenIn = record.underlays.isEmpty
        for underlay in record.underlays {
            guard let link = links[underlay] else {
                let name = cache.ports[underlay].map { Octets.text($0.name) } ?? "#\(underlay)"
                missing = missing ?? "underlay interface \(name) is gone; \(Self.cure)"
                continue
            }
            let sentence = try cache.missingFilter(.underlay, underlay) { () throws(PseudowireError) in
                try missingFilter(.underlay, on: link, state)
            }
            if let sentence {
                missing = missing ?? sentence
            } else {
                isTakenIn = true
            }
        }
        // Another interface, over which packets can come, is reason enough to go on.
        return isTakenIn ? nil : missing
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
            ? "the \(role.word) filter on \(link.name) is gone; \(Self.cure)"
            : "somebody else's filter is where the \(role.word) filter on \(link.name) belongs, at priority "
                + "\(role.priority) handle \(role.handle); remove it, and the next command puts ours back"
    }

    static let cure = "the next command that changes something puts it right, and 'pwctl agent' by itself"

    /// Why there is no place for it.
    private func parked(
        _ record: Record, _ state: DatapathState, _ cache: InspectionCache
    ) throws(PseudowireError) -> PseudowireStatus.Health {
        let whereabouts = Whereabouts(
            client: client, state: state, cache: cache.survey, filters: FilterPresence(state, self), isLiteral: false)
        var survey = Survey(client, [], whereabouts.cache)
        survey.offersOthers = false
        survey.ports = cache.ports
        let isMade = record.configuration.makesInterface ? try whereabouts.hiddenEnd(record) != nil : false
        _ = try survey.place(try whereabouts.today(record.configuration, record), keepsInterface: isMade)
        if let fault = survey.faults.first { return .init(state: .waiting, sentence: fault.message) }
        return .init(state: .broken, sentence: "what it waited for has come; \(Self.cure)")
    }
}

extension Link {
    /// Whether people may call it so.
    func answers(to name: String) -> Bool { self.name == name || alternativeNames.contains(name) }
}
