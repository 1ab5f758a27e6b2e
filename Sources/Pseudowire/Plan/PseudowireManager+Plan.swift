internal import BPF
internal import CPseudowireObject
internal import Glibc
internal import InternetAddress
internal import RouteNetlink

extension PseudowireManager {
    /// How many pseudowires there can be unless the first one says otherwise.
    public static var defaultMaxSessions: UInt32 { UInt32(PW_DEFAULT_SESSIONS) }

    /// What adding pseudowires takes, or everything that speaks against it.
    ///
    /// - Parameter maxSessions: how many there can ever be here; only the first pseudowire of a namespace decides.
    public func plan(
        adding configurations: [PseudowireConfiguration], maxSessions: UInt32? = nil
    ) throws(PseudowireError) -> Plan {
        try directory.checkFileSystem()
        let state = try openState()
        let existing = try records(state)
        // What a command that died was making has just been made: that is what is asked for here.
        let made = existing.map(\.configuration).filter { finishedInRecovery.contains(.create($0.name)) }
        let filters = FilterPresence(state, self)
        let whereabouts = Whereabouts(
            client: client, state: state, cache: SurveyCache(client), filters: filters, isLiteral: false)
        let configurations = try configurations.map { asked throws(PseudowireError) in
            try whereabouts.called(asked, nil)
        }.filter { asked in !made.contains { $0.name == asked.name && Change.differences($0, asked).isEmpty } }
        let limit = try state.map { state throws(PseudowireError) in try state.description.max_sessions }
        var survey = Survey(client, existing, whereabouts.cache)
        survey.filters = filters
        survey.ports = try filters.ports()
        if let limit, let maxSessions, limit != maxSessions {
            survey.refuse("max-sessions", "is \(limit) here already; 'teardown' first to change it")
        }
        let capacity = Int(limit ?? maxSessions ?? Self.defaultMaxSessions)
        if existing.count + configurations.count > capacity {
            survey.refuse("NAME", "there can be \(capacity) pseudowires here; \(existing.count) exist")
        }
        var slots = FreeSlots(existing.map(\.slot))
        var paths = Set(existing.map(PathKey.init))
        // Steps of one family stand together, so that they can be done together.
        var begun: [Action] = [], interfaces: [Action] = [], decaps: [Action] = [], cleared: [Action] = []
        var entries: [Action] = [], found: [Action] = [], sent: [Action] = [], encaps: [Action] = []
        var done: [Action] = []
        if state == nil, !configurations.isEmpty, let maxSessions = UInt32(exactly: capacity) {
            begun.append(.makeState(maxSessions: maxSessions))
        }
        for configuration in configurations {
            guard let place = try survey.place(configuration) else { continue }
            let record = Record(
                configuration: configuration, slot: slots.next(), access: place.access?.index.rawValue ?? 0,
                underlays: place.underlayIndexes, finishes: place.finishes(configuration.offload),
                coalesces: place.coalesces(configuration.coalesce), isReady: true, created: Self.now())
            try survey.checkHiddenName(record)
            if configuration.makesInterface {
                begun.append(.addRecord(record.begun))
                interfaces.append(.makeInterface(record, place.shape(configuration)))
            }
            let filters = try survey.filters(of: record, at: place)
            decaps += filters.decap
            // Those of a datapath that is loaded just now are zero.
            if state != nil { cleared.append(.clearCounters(record)) }
            // The way in before the way out: no reply can come before we are ready for it.
            entries.append(.write(.session, record, over: nil))
            // Two pseudowires to one session of one peer have one key there, and the earlier one learns. Between the
            // same addresses and ports such a pair is a mistake, for the peer answers only one. Through two UDP tunnels
            // it may be meant: then the ports that a message quotes fit the earlier one alone, and what is said of the
            // other's packets is believed by neither. That one follows routes and interfaces, not ICMP.
            if paths.insert(PathKey(record)).inserted { found.append(.write(.path, record, over: nil)) }
            sent.append(.write(.access(underlay: place.wayOut?.rawValue ?? 0, before: 0), record, over: nil))
            encaps += filters.encap
            done.append(configuration.makesInterface ? .commitRecord(record) : .addRecord(record))
            survey.add(record)
        }
        let actions = begun + interfaces + decaps + cleared + entries + found + sent + encaps + done
        guard survey.faults.isEmpty else { throw .faults(survey.faults) }
        return Plan(actions, for: existing)
    }

    /// The same for one that is still text: what is wrong with the words and what this machine has against it are
    /// reported together.
    public func plan(adding options: PseudowireOptions) throws(PseudowireError) -> Plan {
        let (configuration, maxSessions, faults) = options.read()
        do throws(PseudowireError) {
            let plan = try plan(adding: [configuration], maxSessions: maxSessions)
            guard faults.isEmpty else { throw .faults(faults) }
            return plan
        } catch {
            // What cannot be done on this machine is news only beside what is wrong with the words.
            guard case .faults(let refusals) = error else { throw faults.isEmpty ? error : .faults(faults) }
            throw .faults(faults + refusals.filter { !$0.isAbout(faults) })
        }
    }

    /// What removing pseudowires takes.
    public func plan(removing names: [String]) throws(PseudowireError) -> Plan {
        try directory.checkFileSystem()
        let existing = try records(openState())
        let known = existing.map(\.configuration.name)
        // What a command that died was removing has just been removed: that is what is asked for here.
        let faults = names.filter { !known.contains($0) && !finishedInRecovery.contains(.remove($0)) }.map {
            Self.unknown($0, among: known)
        }
        guard faults.isEmpty else { throw .faults(faults) }
        return try removal(of: existing.filter { names.contains($0.configuration.name) }, from: existing)
    }

    static func unknown(_ name: String, among known: [String]) -> ConfigurationFault {
        let list = known.isEmpty ? "there is none here" : "there is \(known.prefix(10).joined(separator: ", "))"
        return ConfigurationFault(.refusal, "NAME", "no pseudowire \"\(name)\"; \(list)")
    }

    /// What removing everything of ours takes.
    public func planTeardown() throws(PseudowireError) -> Plan {
        try directory.checkFileSystem()
        guard let state = try openState() else { return Plan([], for: []) }
        do throws(PseudowireError) {
            let existing = try records(state)
            guard existing.isEmpty else { return try removal(of: existing, from: existing) }
        } catch {
            guard try !state.unreadable.isEmpty else { throw error }
        }
        // No pseudowire, but filters: left by a command that died when it had erased the one and not yet detached the
        // other. Or none that could be read: with the datapath, all of them go.
        var actions: [Action] = []
        let attached = try Attached(self)
        for (interface, port) in try state.portList {
            for role in [Attachment.Role.access, .underlay] where port.flags & role.flag != 0 {
                actions += attached.detachment(role, interface, interfaceName(interface))
            }
        }
        return Plan(actions + [.removeState], for: [])
    }

    func interfaceName(_ index: UInt32) -> String {
        (try? client.links.get(LinkIndex(rawValue: index)))?.name ?? "interface \(index)"
    }

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// The lowest slots that nobody has; slot 0 is nobody's for ever.
struct FreeSlots {
    private let used: Set<UInt32>
    private var candidate: UInt32 = 0

    init(_ used: [UInt32]) {
        self.used = Set(used)
    }

    mutating func next() -> UInt32 {
        repeat { candidate += 1 } while used.contains(candidate)
        return candidate
    }
}
