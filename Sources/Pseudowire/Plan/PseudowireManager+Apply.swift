internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// What it takes to have exactly the pseudowires that a document describes; an empty plan if they are there.
    ///
    /// Those that are there and differ are changed in place: no frame meets a moment without them. Filters, qdiscs and
    /// interfaces that are not ours are not looked at.
    ///
    /// - Parameter keepsOthers: pseudowires that the document does not describe stay; else they are removed.
    public func plan(
        applying document: PseudowireDocument, keepsOthers: Bool = false
    ) throws(PseudowireError) -> Plan {
        let asked = Set(document.pseudowires.map(\.name))
        return try plan(document.pseudowires, maxSessions: document.maxSessions) { !keepsOthers && !asked.contains($0) }
    }

    /// What it takes to change one pseudowire in place.
    ///
    /// - Parameters:
    ///   - changes: the options that get another value, and the pseudowire's name.
    ///   - unset: the options that get their usual value.
    public func plan(
        changing changes: PseudowireOptions, unset: [PseudowireOption] = []
    ) throws(PseudowireError) -> Plan {
        try directory.checkFileSystem()
        let existing = try records(openState())
        guard let record = existing.first(where: { $0.configuration.name == changes.name }) else {
            return try plan(removing: [changes.name])  // says that there is none, and which there are
        }
        let configuration: PseudowireConfiguration
        do throws(ConfigurationFaults) {
            configuration = try PseudowireOptions(record.configuration).changed(by: changes, unset: unset).resolve()
        } catch {
            throw .faults(error.faults)
        }
        return try plan([configuration], maxSessions: nil) { _ in false }
    }

    /// The pseudowires as a document: applying it changes nothing.
    public func export() throws(PseudowireError) -> PseudowireDocument {
        let found = try reading { (state) throws(PseudowireError) in
            let limit = try state.description.max_sessions
            return PseudowireDocument(
                try records(state).filter(\.isReady).map(\.configuration),
                maxSessions: limit == Self.defaultMaxSessions ? nil : limit)
        }
        return found ?? PseudowireDocument([])
    }

    private func plan(
        _ configurations: [PseudowireConfiguration], maxSessions: UInt32?, removing: (String) -> Bool
    ) throws(PseudowireError) -> Plan {
        try directory.checkFileSystem()
        let state = try openState()
        let existing = try records(state)
        let byName = Dictionary(existing.map { ($0.configuration.name, $0) }) { first, _ in first }
        let limit = try state.map { state throws(PseudowireError) in try state.description.max_sessions }
        let asked = Set(configurations.map(\.name))
        let removed = existing.filter { removing($0.configuration.name) }
        var transition = Transition(removed: removed)
        for record in existing where !asked.contains(record.configuration.name) && !removing(record.configuration.name)
        {
            transition.kept.append(record)
        }
        var pending: [PseudowireConfiguration] = []
        for configuration in configurations {
            if let old = byName[configuration.name], old.isReady, old.configuration == configuration {
                transition.kept.append(old)
            } else {
                pending.append(configuration)
            }
        }
        var survey = Survey(client, transition.kept)
        for record in existing where record.isReady { survey.addFilters(of: record) }
        survey.ports = try state.map { state throws(PseudowireError) in try state.portList } ?? [:]
        if let limit, let maxSessions, limit != maxSessions {
            survey.refuse("max-sessions", "is \(limit) here already; 'teardown' first to change it")
        }
        let capacity = limit ?? maxSessions ?? Self.defaultMaxSessions
        if transition.kept.count + pending.count > Int(capacity) {
            survey.refuse(
                "NAME",
                "there can be \(capacity) pseudowires here; these would be \(transition.kept.count + pending.count)")
        }
        var slots = FreeSlots(existing.map(\.slot))
        for configuration in pending {
            let old = byName[configuration.name]
            let ownsOld = old?.configuration.makesInterface ?? configuration.makesInterface
            let keepsInterface = old != nil && configuration.makesInterface && old?.isReady == true
            if let old, old.configuration.makesInterface || configuration.makesInterface,
                ownsOld != configuration.makesInterface || old.configuration.access != configuration.access
                    || !old.isReady
            {
                survey.refuse(
                    configuration.accessField,
                    "an interface that was made with \(old.configuration.name) cannot become another one; delete it first"
                )
                continue
            }
            guard let place = try survey.place(configuration, keepsInterface: keepsInterface) else { continue }
            let record = Record(
                configuration: configuration, slot: old?.slot ?? slots.next(),
                access: keepsInterface ? old?.access ?? 0 : place.access?.index.rawValue ?? 0,
                underlays: place.underlays.map(\.index.rawValue), finishes: place.finishes(configuration.offload),
                isReady: true, created: old?.created ?? Self.now())
            if old == nil { try survey.checkHiddenName(record) }
            try transition.add(record, over: old, place, &survey)
            survey.add(record)
        }
        guard survey.faults.isEmpty else { throw .faults(survey.faults) }
        let removal = try removed.map { record throws(PseudowireError) in try located(record) }
        let shapes = try removal.map { record throws(PseudowireError) in
            record.configuration.makesInterface ? try customerPortShape(record) : nil
        }
        let actions = transition.actions(
            makingState: state == nil ? capacity : nil, removal: Array(zip(removal, shapes)), name: interfaceName,
            hook: attachedHook)
        var plan = Plan(actions, for: existing)
        plan.changes = transition.changes
        return plan
    }
}
