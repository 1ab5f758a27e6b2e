internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// What a command that died has left half done; nil where all is well.
    public func unfinished() throws(PseudowireError) -> Unfinished? {
        let found = try reading { (state) throws(PseudowireError) -> Unfinished? in
            guard let journal = try Journal(in: state.directory.path) else { return nil }
            return Unfinished(
                changes: try journal.intents(interfaceName: interfaceName).map(\.change),
                isBeingUndone: try journal.direction == .back)
        }
        return found ?? nil
    }

    /// Finishes what a command that died had begun, or undoes it where an interface that it needs is gone meanwhile.
    ///
    /// It can die itself at any point: it starts again from the journal, which says where to, not how far. The caller
    /// holds the exclusive lock.
    func recover() throws(PseudowireError) {
        guard let state = try openState(), FileSystem.exists(directory.pin(Journal.name)) else { return }
        // What cannot be read is nothing that could be finished; only teardown goes on from here, and needs none of it.
        guard try state.unreadable.isEmpty, let journal = try Journal(in: directory.path) else { return }
        try FaultPoint.recoveryBegun.reach()
        let intents = try journal.intents(interfaceName: interfaceName)
        var isForward = try journal.direction == .forward
        var reason: String?
        if isForward, let missing = try obstacle(intents, isForward: true), try canUndo(intents) {
            try journal.turnBack()
            isForward = false
            reason = missing
        }
        var reconciliation = Reconciliation(self, state)
        try reconciliation.run(intents, isForward: isForward)
        // A state without pseudowires has gone, and the journal with it.
        try Journal.remove(from: directory.path)
        try FaultPoint.journalRemoved.reach()
        let changes = intents.map(\.change)
        // One that is not whole is not what a command has asked for that says it again.
        if isForward, reconciliation.isWhole { finishedInRecovery.formUnion(changes) }
        onMend(Recovery(changes: changes, isFinished: isForward, reason: reason))
    }

    /// Why pseudowires cannot be as they were to be, or as they were; nil if they can.
    private func obstacle(_ intents: [Intent], isForward: Bool) throws(PseudowireError) -> String? {
        let links = try links()
        let indexes = Set(links.map(\.index.rawValue))
        let names = Set(links.map(\.name))
        for intent in intents {
            guard let record = isForward ? intent.new : intent.old else { continue }
            let configuration = record.configuration
            if record.access != 0, !indexes.contains(record.access) {
                return "interface \(configuration.access) of \(configuration.name) is gone"
            }
            if record.underlays.contains(where: { !indexes.contains($0) }) {
                return "an underlay interface of \(configuration.name) is gone"
            }
            if isForward, intent.made != nil, names.contains(configuration.access),
                try CustomerPort.find(record.access, hidden: record.accessName, client) == nil
            {
                return "the name \(configuration.access) is another interface's now"
            }
        }
        return nil
    }

    /// Whether everything can be as it was: not where an interface has been removed, or has gone.
    private func canUndo(_ intents: [Intent]) throws(PseudowireError) -> Bool {
        for intent in intents {
            guard intent.removed != nil, let old = intent.old else { continue }
            if try CustomerPort.find(old.access, hidden: old.accessName, client) == nil { return false }
        }
        return try obstacle(intents, isForward: false) == nil
    }

    private func links() throws(PseudowireError) -> [Link] {
        let client = client
        return try netlink { () throws(NetlinkError) in try client.links.list() }
    }
}
