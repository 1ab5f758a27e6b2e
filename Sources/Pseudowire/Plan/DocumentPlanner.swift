internal import RouteNetlink

/// From the pseudowires that there are to those of a document, one after the other.
struct DocumentPlanner {
    /// How it is taken that something is not there.
    enum Mode {
        /// All or nothing: what is new or changed must be possible.
        case make
        /// The same for one pseudowire, which comes from no document.
        case change
        /// Nothing is new: what was recorded is put in its place where that is possible.
        case heal
        /// What is possible is done, and the rest waits. Names are taken literally.
        case keep
    }

    let mode: Mode
    let document: PseudowireDocument
    /// Of the document's pseudowires, one by one.
    private let slots: [UInt32]
    let records: [String: Record]
    let whereabouts: Whereabouts
    var transition: Transition
    private var waiting: [String: Waiting] = [:]
    private var pending: [Int] = []

    init(
        _ document: PseudowireDocument, _ mode: Mode, existing: [Record], _ whereabouts: Whereabouts,
        _ transition: Transition
    ) {
        self.document = document
        self.mode = mode
        self.whereabouts = whereabouts
        self.transition = transition
        records = Dictionary(existing.map { ($0.configuration.name, $0) }) { first, _ in first }
        var free = FreeSlots(existing.map(\.slot))
        slots =
            records.isEmpty
            ? document.pseudowires.indices.map { _ in free.next() }
            : document.pseudowires.map { [records] wire in records[wire.name]?.slot ?? free.next() }
    }

    /// Those that could not be put in their place, by the document's order.
    var reasons: [Waiting] { document.pseudowires.compactMap { waiting[$0.name] } }

    /// How many there will be.
    var count: Int { transition.kept.count + pending.count }

    /// Tells those that stay as they are from those that have to be looked at again.
    ///
    /// - Parameter only: others stay as they are, or are not made.
    mutating func sort(only: Set<String>?) throws(PseudowireError) {
        if records.isEmpty, only == nil, mode != .keep {
            pending = Array(document.pseudowires.indices)
            return
        }
        var neighbours: [String: Survey.Neighbour] = [:]
        for (index, wire) in document.pseudowires.enumerated() {
            let old = records.isEmpty ? nil : records[wire.name]
            if let only, !only.contains(wire.name) {
                if let old { transition.kept.append(old) }
                continue
            }
            guard let wire = try recordable(wire, index) else {
                if let old { transition.kept.append(old) }
                continue
            }
            guard let old, old.isReady, old.configuration == wire else {
                pending.append(index)
                continue
            }
            // As if it were alone.
            var survey = Survey(whereabouts.client, [], whereabouts.cache)
            survey.offersOthers = false
            survey.neighbours = neighbours
            survey.ports = try whereabouts.filters.ports()
            let judgement = try judge(wire, index, &survey)
            neighbours = survey.neighbours
            if try differences(old, judgement).isEmpty {
                transition.kept.append(old)
                if let fault = judgement.faults.first { wait(index, fault) }
            } else {
                pending.append(index)
            }
        }
    }

    /// Finds a place for each that has to be looked at; faults that are none to wait for are the survey's.
    mutating func place(_ survey: inout Survey) throws(PseudowireError) {
        survey.reserveCapacity(pending.count)
        transition.reserveCapacity(pending.count)
        for index in pending {
            guard let wire = try recordable(document.pseudowires[index], index) else { continue }
            let old = records.isEmpty ? nil : records[wire.name]
            let isSame = old?.isReady == true && old?.configuration == wire
            if let old, old.mustGo(for: wire) {
                survey.faults.append(
                    located(
                        ConfigurationFault(
                            .refusal, wire.accessField, old.configuration.stays),
                        index))
                continue
            }
            let judgement = try judge(wire, index, &survey)
            if let fault = judgement.faults.first {
                guard mode == .keep || isSame else {
                    survey.faults += judgement.faults.map { located($0, index) }
                    continue
                }
                wait(index, fault)
            }
            var differences: [String] = []
            if isSame, let old { differences = try self.differences(old, judgement) }
            if isSame && differences.isEmpty || judgement.isHeld, let old {
                transition.kept.append(old)
                survey.add(old)
                continue
            }
            try transition.add(
                judgement.record, over: old, judgement.place, makes: judgement.makes, differences, &survey)
            survey.add(judgement.record)
        }
    }

    /// Where one would be.
    private struct Judgement {
        var record: Record
        var place: Survey.Place?
        /// Whether its interface is to be made.
        var makes: Bool
        var faults: [ConfigurationFault]
        /// Whether it is left as it is.
        var isHeld = false
    }

    private func judge(
        _ wire: PseudowireConfiguration, _ index: Int, _ survey: inout Survey
    ) throws(PseudowireError) -> Judgement {
        let old = records.isEmpty ? nil : records[wire.name]
        let count = survey.faults.count
        var hidden: Link?
        if let old, old.isReady, wire.makesInterface { hidden = try whereabouts.hiddenEnd(old) }
        var place: Survey.Place?
        var access = wire.access
        if old == nil, wire.underlays.isEmpty {
            // There is nothing that could be called otherwise today.
            place = try survey.place(wire)
        } else {
            let today = try whereabouts.today(wire, old)
            place = try survey.place(today, keepsInterface: hidden != nil)
            access = today.access
        }
        let makes = wire.makesInterface && hidden == nil
        let link = hidden ?? place?.access
        var record = Record(
            configuration: wire, slot: slots[index], access: link?.index.rawValue ?? 0, underlays: [],
            finishes: place?.finishes(wire.offload) ?? old?.finishes ?? false,
            coalesces: place?.coalesces(wire.coalesce) ?? old?.coalesces ?? false, isReady: true,
            created: old?.created ?? PseudowireManager.now())
        if makes, place != nil { try survey.checkHiddenName(record) }
        var faults: [ConfigurationFault] = []
        if survey.faults.count > count {
            faults = Array(survey.faults[count...])
            survey.faults.removeSubrange(count...)
        }
        if !faults.isEmpty { place = nil }
        if let hidden { place?.hidden = hidden }
        // What keeps it from being made anew does not undo it, as long as it is where it was; nor does an option that
        // cannot be had, if it is to carry the same frames to the same peer.
        if place == nil, let old, old.isReady, old.access != 0,
            old.configuration == wire
                || mode == .keep && old.configuration.carries(theSameAs: wire) && survey.hasRoom(for: old),
            try isThere(old, hidden, access)
        {
            return Judgement(record: old, place: nil, makes: false, faults: faults, isHeld: true)
        }
        if place == nil { record.access = 0 }
        record.underlays = try whereabouts.underlays(wire, place, old, access: record.access)
        return Judgement(record: record, place: place, makes: makes && place != nil, faults: faults)
    }

    /// - Parameter access: what its access interface is called today.
    private func isThere(_ old: Record, _ hidden: Link?, _ access: String) throws(PseudowireError) -> Bool {
        old.configuration.makesInterface ? hidden != nil : try whereabouts.isAccess(access, old.access)
    }

    private func differences(_ old: Record, _ judgement: Judgement) throws(PseudowireError) -> [String] {
        if judgement.isHeld { return [] }
        if judgement.makes { return ["interface \(old.configuration.access) was gone"] }
        return try whereabouts.differences(old, judgement.record, judgement.place)
    }

    /// What can be recorded of a configuration; nil, and a reason to wait, where nothing can.
    private mutating func recordable(
        _ wire: PseudowireConfiguration, _ index: Int
    ) throws(PseudowireError) -> PseudowireConfiguration? {
        // Without named underlays it is recorded as it stands; what was recorded is called what it was recorded as.
        if wire.underlays.isEmpty || mode == .heal { return wire }
        let old = records.isEmpty ? nil : records[wire.name]
        let wire = try whereabouts.called(wire, old)
        guard mode == .keep else { return wire }
        let found = try whereabouts.recordable(wire, old)
        if let first = found == nil ? wire.underlays.first : found?.missing.first {
            wait(index, ConfigurationFault(.refusal, "underlay", "no interface \"\(first)\" here"))
        }
        return found?.configuration
    }

    private mutating func wait(_ index: Int, _ fault: ConfigurationFault) {
        let name = document.pseudowires[index].name
        waiting[name] = Waiting(name: name, reason: fault.message, place: document.located(fault, at: index))
    }

    private func located(_ fault: ConfigurationFault, _ index: Int) -> ConfigurationFault {
        mode == .change ? fault : document.located(fault, at: index)
    }
}

extension PseudowireConfiguration {
    /// Whether another one carries the same frames by the same packets, whatever else differs.
    fileprivate func carries(theSameAs other: PseudowireConfiguration) -> Bool {
        access == other.access && makesInterface == other.makesInterface && tunnel == other.tunnel
            && session == other.session && vlan == other.vlan && vlanTag == other.vlanTag
    }

    /// Why it cannot get another end for the customer in place, and what to do.
    fileprivate var stays: String {
        """
        \(name) \(makesInterface ? "was made with the interface \(access)" : "carries the frames of \(access)"), and that \
        cannot be changed in place; delete it and create it again
        """
    }
}

extension Record {
    /// Whether it must be removed before a pseudowire of its name can be what it is to be: its interface cannot be
    /// changed into another one.
    func mustGo(for wire: PseudowireConfiguration) -> Bool {
        guard configuration.makesInterface || wire.makesInterface else { return false }
        return configuration.makesInterface != wire.makesInterface || configuration.access != wire.access || !isReady
    }
}
