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
            do throws(PseudowireError) { try StateAssembly.remove(manager) } catch {
                // What is no longer under its name is nobody's to undo anything in.
                if !manager.directory.exists { state = nil }
                throw error
            }
            state = nil
        case .beginRecord(let record), .reopenRecord(let record): try write(located(record), isReady: false)
        case .commitRecord(let record): try write(located(record), isReady: true)
        case .eraseRecord(let record):
            let name = pw_name(record.configuration.name)
            let maps = try opened()
            try bpf { () throws(BPFError) in _ = try maps.pseudowires.remove(key: name) }
        case .makeInterface(let record, let shape):
            let index = try CustomerPort.create(
                record.configuration.access, hidden: record.accessName, shape, manager.client)
            made[record.accessName] = index
            // The record learns the index at once: by it the pair is found again, whatever happens.
            do throws(PseudowireError) { try write(located(record), isReady: false) } catch {
                try? CustomerPort.remove(index, hidden: record.accessName, manager.client)
                throw error
            }
        case .removeInterface(let record, _):
            try CustomerPort.remove(located(record).access, hidden: record.accessName, manager.client)
        case .attach(let role, let interface, let name):
            try Attachment.attach(role, to: made[name] ?? interface, state: try opened(), manager.client)
        case .detach(let role, let interface, let name):
            try Attachment.detach(role, from: made[name] ?? interface, state: try opened(), manager.client)
        case .openSession(let record): try opened().openSession(located(record))
        case .closeSession(let record): try opened().closeSession(located(record))
        case .openAccess(let record, let underlay): try opened().openAccess(located(record), underlay: underlay)
        case .closeAccess(let record, _):
            let key = located(record).accessKey
            let maps = try opened()
            try bpf { () throws(BPFError) in _ = try maps.access.remove(key: key) }
        case .write(let entry, let record, _): try opened().write(entry, located(record))
        case .drop(let entry, let record): try opened().drop(entry, located(record))
        case .clearCounters(let record):
            let maps = try opened()
            try bpf { () throws(BPFError) in try maps.clearCounters(slot: record.slot) }
        case .replaceRecord(let record, _): try write(located(record), isReady: record.isReady)
        }
    }

    /// A record that knows the index of the interface that was made for it.
    private func located(_ record: Record) -> Record {
        var record = record
        if record.configuration.makesInterface, let index = made[record.accessName] { record.access = index }
        return record
    }

    private func write(_ record: Record, isReady: Bool) throws(PseudowireError) {
        var record = record
        record.isReady = isReady
        let name = pw_name(record.configuration.name)
        let maps = try opened()
        try bpf { () throws(BPFError) in try maps.pseudowires.update(key: name, value: record.value) }
    }

    private func opened() throws(PseudowireError) -> DatapathState {
        guard let state else { throw .refused("there is no datapath in \(manager.directory.path)") }
        return state
    }
}
