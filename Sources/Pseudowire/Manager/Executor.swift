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
    /// The hidden ends of interfaces made by this run, whose indexes no plan can know.
    private var made: [String: UInt32] = [:]

    init(_ manager: PseudowireManager) throws(PseudowireError) {
        self.manager = manager
        state = try manager.openState()
    }

    /// All, or nothing: what was done before a failure is undone, last first.
    ///
    /// What is meant is written down first. If this process dies, the next command that changes something reads it, and
    /// does the rest; so it does where undoing fails. An interface with its addresses cannot be brought back: from the
    /// first that is removed there is no undoing.
    mutating func run(_ actions: ActionList) throws(PseudowireError) {
        guard !actions.isEmpty else { return }
        var reserve = try DescriptorReserve()
        let journal = try Journal(intents(actions))
        // A state that is still to be made gets its name with the journal in it.
        if state != nil {
            // One that is there still is of pseudowires that cannot be read, and that are torn down now.
            try Journal.remove(from: manager.directory.path)
            try pin(journal)
        }
        var isFinal = false
        var isNew = false
        var next = 0
        while next < actions.count {
            let overlap = isNew ? Overlap(of: actions, from: next) : nil
            let batch = overlap?.all ?? Self.batch(of: actions, from: next)
            do throws(PseudowireError) {
                try FaultPoint.step.reach()
                if let overlap {
                    try perform(actions, overlap)
                    try FaultPoint.batchDone.reach()
                } else if batch.count > 1, let family = actions[next].family {
                    try perform(actions[batch], of: family)
                    try FaultPoint.batchDone.reach()
                } else {
                    try perform(actions[next], journal)
                }
                if case .removeInterface = actions[next] { isFinal = true }
                if case .makeState = actions[next] { isNew = true }
            } catch {
                reserve.release()
                if case .unfinished = error { throw error }
                guard !isFinal else { throw .unfinished(error, left: actions[next...].map(\.description)) }
                throw undo(actions[..<batch.upperBound], journal, error)
            }
            next = batch.upperBound
        }
        try Journal.remove(from: manager.directory.path)
        try FaultPoint.journalRemoved.reach()
    }

    /// Returns the error to report.
    private mutating func undo(
        _ actions: ActionList.SubSequence, _ journal: borrowing Journal, _ reason: PseudowireError
    ) -> PseudowireError {
        var leftovers: [String] = []
        do throws(PseudowireError) {
            try journal.turnBack()
            try FaultPoint.journalTurned.reach()
        } catch {
            leftovers.append("\(error)")
        }
        // The one that failed may have done half of what it does.
        for action in actions.reversed() {
            guard let inverse = action.inverse else { continue }
            // What is left is found by the state, and undone by the next command, which then removes it.
            if case .removeState = inverse, !leftovers.isEmpty { continue }
            do throws(PseudowireError) {
                try FaultPoint.undo.reach()
                try perform(inverse, journal)
            } catch {
                leftovers.append("\(inverse): \(error)")
            }
        }
        if leftovers.isEmpty {
            do throws(PseudowireError) { try Journal.remove(from: manager.directory.path) } catch {
                leftovers.append("\(error)")
            }
        }
        return leftovers.isEmpty ? reason : .halfDone(reason, leftovers: leftovers)
    }

    private func pin(_ journal: borrowing Journal) throws(PseudowireError) {
        do throws(PseudowireError) {
            try journal.pin(in: manager.directory.path)
            try FaultPoint.journalPinned.reach()
        } catch {
            try Journal.remove(from: manager.directory.path)
            throw error
        }
    }

    private func intents(_ actions: ActionList) throws(PseudowireError) -> [Intent] {
        var intents = Intent.all(of: actions)
        guard let state else { return intents }
        for index in intents.indices {
            guard let key = intents[index].old?.accessKey else { continue }
            intents[index].oldUnderlay = try bpf { () throws(BPFError) in try state.access[key] }?.underlay ?? 0
        }
        return intents
    }

    private mutating func perform(_ action: Action, _ journal: borrowing Journal) throws(PseudowireError) {
        switch action {
        case .makeState(let maxSessions):
            try StateAssembly.make(manager, maxSessions: maxSessions, journal)
            state = try DatapathState(manager.directory)
        case .removeState:
            do throws(PseudowireError) { try StateAssembly.remove(manager) } catch {
                // What is no longer under its name is nobody's to undo anything in.
                if !manager.directory.exists { state = nil }
                throw error
            }
            state = nil
        case .reopenRecord(let record): try write(located(record), isReady: false)
        case .commitRecord(let record): try write(located(record), isReady: true)
        case .eraseRecord(let record):
            let name = pw_name(record.configuration.name)
            let maps = try opened()
            try bpf { () throws(BPFError) in _ = try maps.pseudowires.remove(key: name) }
        case .makeInterface(let record, let shape):
            let index = try CustomerPort.ensure(
                record.configuration.access, record.access, hidden: record.accessName, shape, manager.client)
            made[record.accessName] = index
            // The record learns the index at once: by it the pair is found again, whatever happens.
            do throws(PseudowireError) { try write(located(record), isReady: false) } catch {
                try? CustomerPort.remove(index, hidden: record.accessName, manager.client)
                throw error
            }
        case .removeInterface(let record, _):
            try CustomerPort.remove(located(record).access, hidden: record.accessName, manager.client)
            made[record.accessName] = nil
        case .attach, .reattach, .attachXDP: try attach(action)
        case .detach(let role, let interface, let name, _):
            try Attachment.detach(role, from: located(interface, name), opened(), manager)
        case .moveFilter(let role, let interface, _, let hook):
            try Attachment.move(role, on: interface, to: hook, opened(), manager)
        case .detachXDP(let role, let interface, let name):
            try Attachment.detachXDP(role, from: located(interface, name), opened(), manager)
        case .write(let entry, let record, _): try opened().write(entry, located(record))
        case .drop(let entry, let record): try opened().drop(entry, located(record))
        case .clearCounters(let record):
            let maps = try opened()
            try bpf { () throws(BPFError) in try maps.clearCounters(slots: [record.slot]) }
        case .addRecord(let record), .replaceRecord(let record, _):
            try write(located(record), isReady: record.isReady)
        }
    }

    /// Puts a filter, or the XDP program before it, on its interface.
    func attach(_ action: Action) throws(PseudowireError) {
        switch action {
        case .attach(let role, let interface, let name, let hook),
            .reattach(let role, let interface, let name, let hook):
            try Attachment.attach(role, to: located(interface, name), at: hook, opened(), manager)
        case .attachXDP(let role, let interface, let name, let isAsked):
            do throws(PseudowireError) {
                try Attachment.attachXDP(role, to: located(interface, name), opened(), manager)
            } catch {
                // Nobody has asked for it: the filter is there.
                if isAsked { throw error }
            }
        default: break
        }
    }

    /// A record that knows the index of the interface that was made for it.
    func located(_ record: Record) -> Record {
        guard record.configuration.makesInterface else { return record }
        var record = record
        record.access = located(record.access, record.accessName)
        return record
    }

    /// An index that is known already is another interface's, which had the name before.
    private func located(_ interface: UInt32, _ name: String) -> UInt32 {
        interface == 0 ? made[name] ?? 0 : interface
    }

    private func write(_ record: Record, isReady: Bool) throws(PseudowireError) {
        let (name, value) = (pw_name(record.configuration.name), record.value(isReady: isReady))
        let maps = try opened()
        try bpf { () throws(BPFError) in
            try maps.nameUnderlays(of: [record])
            try maps.pseudowires.update(key: name, value: value)
        }
    }

    func opened() throws(PseudowireError) -> DatapathState {
        guard let state else { throw .refused("there is no datapath in \(manager.directory.path)") }
        return state
    }
}
