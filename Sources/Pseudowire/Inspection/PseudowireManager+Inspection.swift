internal import BPF
internal import CPseudowireObject
internal import Glibc
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

extension PseudowireManager {
    /// All pseudowires, by name, with health and counters.
    public func pseudowires() throws(PseudowireError) -> [PseudowireStatus] {
        try reading { (state) throws(PseudowireError) in
            let links = try netlink { () throws(NetlinkError) in try client.links.list() }
            let byIndex = Dictionary(links.map { ($0.index.rawValue, $0.name) }) { first, _ in first }
            let records = try state.records { byIndex[$0] }
            let past = try state.countedBefore()
            let drops = try state.sessionDropCounts(past)
            let cache = try InspectionCache(SurveyCache(client), links, state, records, past, drops)
            return try records.map { record throws(PseudowireError) in
                let statistics = cache.statistics(slot: record.slot, drops: drops[record.slot] ?? [])
                return try inspect(record, state, statistics, cache)
            }
        } ?? []
    }

    /// One pseudowire by name.
    public func pseudowire(named name: String) throws(PseudowireError) -> PseudowireStatus {
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
    func reading<Value>(_ body: (DatapathState) throws(PseudowireError) -> Value) throws(PseudowireError)
        -> Value?
    {
        try directory.checkFileSystem()
        guard let lock = try StateLock(directory.base, .shared, patience: patience, waiting: onWait) else { return nil }
        return try lock.hold { () throws(PseudowireError) in
            try openState().map { (state) throws(PseudowireError) in try body(state) }
        }
    }

    private func inspect(
        _ record: Record, _ state: DatapathState, _ statistics: Statistics, _ cache: InspectionCache
    ) throws(PseudowireError) -> PseudowireStatus {
        let configuration = record.configuration
        let surroundings = try surroundings(record, state, cache)
        let mtu = surroundings.pathMTU.map { known in
            let path = min(known, cache.learnedPathMTU(record) ?? .max)
            return min(configuration.overhead.pseudowireMTU(underlay: path), Int(configuration.mtu ?? .max))
        }
        return PseudowireStatus(
            configuration: configuration, health: try health(record, surroundings, statistics, state, cache),
            statistics: statistics, underlays: surroundings.underlays, mtu: mtu, finishesFrames: record.finishes,
            coalescesSegments: record.coalesces, hooks: surroundings.hooks, acceleration: surroundings.acceleration,
            nextHop: surroundings.nextHop, created: record.created)
    }

    /// Whether XDP programs are before a pseudowire's filters, and why not, by the names of the interfaces.
    func acceleration(
        _ record: Record, _ state: DatapathState, _ cache: InspectionCache
    ) throws(PseudowireError) -> [String: PseudowireStatus.AccelerationState] {
        var found: [String: PseudowireStatus.AccelerationState] = [:]
        for (role, interface) in [(Attachment.Role.access, record.access)] + record.underlays.map({ (.underlay, $0) }) {
            guard let link = cache.links[interface], let port = cache.ports[interface], port[role] != nil else {
                continue
            }
            let damage = try missingXDP(role, on: link, record, state, cache)
            let drivers = cache.survey.drivers
            let judgement = try netlink { () throws(NetlinkError) in
                try drivers.judge(link, isOurs: port.hasXDP && damage == nil)
            }
            let reason =
                if let damage { damage } else if port.hasXDP(role) { String?.none } else {
                    judgement.reason ?? "not with --attach \(record.configuration.attach.rawValue)"
                }
            found[link.name] = .init(isOn: reason == nil, reason: reason)
        }
        return found
    }

    /// What is wrong with the XDP program before one of a pseudowire's filters.
    func missingXDP(
        _ role: Attachment.Role, on link: Link, _ record: Record, _ state: DatapathState, _ cache: InspectionCache
    ) throws(PseudowireError) -> String? {
        let isAsked = record.configuration.attach == .xdp
        return try cache.missingXDP(role, link.index.rawValue, isAsked: isAsked) { () throws(PseudowireError) in
            try accelerationDamage(role, on: link, isAsked: isAsked, state)
        }
    }
}

extension Route {
    /// The largest packet that it takes: the interface's limit, or its own if that is locked.
    ///
    /// An MTU that is not locked is for local senders; the kernel does not tell it to who forwards, nor to the
    /// datapath.
    func pathMTU(through link: Link) -> Int { min(Int(isMTULocked ? mtu ?? link.mtu : link.mtu), Int(link.mtu)) }
}

extension DatapathState {
    /// The largest outer packet that a router said it would take, as long as that is believed.
    func learnedPathMTU(_ record: Record) throws(PseudowireError) -> Int? {
        let value = try bpf { () throws(BPFError) in try access[record.accessKey] }
        guard let value, value.path_mtu != 0, value.path_mtu_until > MonotonicClock.now() else { return nil }
        return Int(value.path_mtu)
    }
}

/// The clock by which the datapath notes times.
enum MonotonicClock {
    /// In nanoseconds.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
