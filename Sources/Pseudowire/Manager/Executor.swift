internal import BPF
internal import CPseudowireObject
internal import L2TP
internal import RouteNetlink

/// Carries a plan out.
///
/// The caller holds the exclusive lock.
struct Executor: ~Copyable {
    private let manager: PseudowireManager
    private var state: DatapathState?

    init(_ manager: PseudowireManager) throws(PseudowireError) {
        self.manager = manager
        state = try manager.openState()
    }

    /// All, or nothing: what was done before a failure is undone, last first.
    mutating func run(_ actions: [Action]) throws(PseudowireError) {
        for (index, action) in actions.enumerated() {
            do throws(PseudowireError) {
                try perform(action)
            } catch {
                var leftovers: [String] = []
                for done in actions[..<index].reversed() {
                    do throws(PseudowireError) { try perform(done.inverse) } catch {
                        leftovers.append("\(done.inverse): \(error)")
                    }
                }
                if leftovers.isEmpty { throw error }
                throw .halfDone(error, leftovers: leftovers)
            }
        }
    }

    private mutating func perform(_ action: Action) throws(PseudowireError) {
        switch action {
        case .makeState(let maxSessions):
            try StateAssembly.make(manager, maxSessions: maxSessions)
            state = try DatapathState(manager.directory)
        case .removeState:
            state = nil
            try StateAssembly.remove(manager)
        case .writeRecord(let record):
            let name = pw_name(record.configuration.name)
            let maps = try opened()
            try bpf { () throws(BPFError) in try maps.pseudowires.update(key: name, value: record.value) }
        case .eraseRecord(let record):
            let name = pw_name(record.configuration.name)
            let maps = try opened()
            try bpf { () throws(BPFError) in _ = try maps.pseudowires.remove(key: name) }
        case .attach(let role, let interface, _):
            let maps = try opened()
            switch role {
            case .access:
                try Attachment.attach(role, to: interface, program: maps.encap, state: maps, manager.client)
            case .underlay:
                try Attachment.attach(role, to: interface, program: maps.decap, state: maps, manager.client)
            }
        case .detach(let role, let interface, _):
            let maps = try opened()
            let program = role == .access ? maps.encap.id : maps.decap.id
            try Attachment.detach(role, from: interface, program: program, state: maps, manager.client)
        case .openSession(let record):
            let maps = try opened()
            let value = pw_decap(record.configuration, slot: record.slot, access: record.access)
            try bpf { () throws(BPFError) in
                try maps.clearCounters(slot: record.slot)
                try maps.sessions.insert(key: record.configuration.session.local.rawValue, value: value)
            }
        case .closeSession(let record):
            let maps = try opened()
            try bpf { () throws(BPFError) in
                _ = try maps.sessions.remove(key: record.configuration.session.local.rawValue)
                try maps.clearCounters(slot: record.slot)
            }
        case .openAccess(let record, let underlay):
            let maps = try opened()
            let described = try maps.description
            let splitter = SplitterIndexes(outer: described.splitter_outer, inner: described.splitter_inner)
            let value = pw_encap(
                record.configuration, slot: record.slot, underlay: underlay, splitter: splitter,
                finishes: record.finishes)
            try bpf { () throws(BPFError) in try maps.access.insert(key: record.access, value: value) }
        case .closeAccess(let record, _):
            let maps = try opened()
            try bpf { () throws(BPFError) in _ = try maps.access.remove(key: record.access) }
        }
    }

    private func opened() throws(PseudowireError) -> DatapathState {
        guard let state else { throw .refused("there is no datapath in \(manager.directory.path)") }
        return state
    }
}

extension DatapathState {
    /// A slot that is given to another pseudowire starts from zero.
    func clearCounters(slot: UInt32) throws(BPFError) {
        try counters.updateOnEveryCPU(key: slot, value: pw_counters())
        for reason in 0..<PW_DROP_REASON_COUNT.rawValue {
            _ = try sessionDrops.remove(key: pw_drop_key(slot: slot, reason: reason))
        }
    }
}
