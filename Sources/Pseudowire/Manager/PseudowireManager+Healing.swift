internal import BPF

extension PseudowireManager {
    /// Puts in their place the pseudowires that are not where their interfaces are today.
    ///
    /// It fails nothing: what cannot be put right stays as it is, and says so in its health. The caller holds the lock.
    func heal() {
        guard let records = try? records(openState()).filter(\.isReady), !records.isEmpty else { return }
        let document = PseudowireDocument(records.map(\.configuration))
        guard let plan = try? plan(document, .heal, removesOthers: false).plan, !plan.isEmpty else { return }
        do throws(PseudowireError) {
            try run(plan)
            for change in plan.changes { onRepair(change) }
        } catch {
            // One that cannot be helped is not to stand in the way of the others.
            for name in plan.changes.map(\.name) {
                guard (try? recover()) != nil,
                    let single = try? self.plan(document, .heal, only: [name], removesOthers: false).plan,
                    (try? run(single)) != nil
                else { continue }
                for change in single.changes { onRepair(change) }
            }
        }
    }

    /// Comes as near to a document as this machine allows.
    ///
    /// What is possible is done; what has to wait for an interface, or is refused, is told, and stands in nobody's way.
    /// Interfaces are taken by the names that they have now. Unlike applying a document, it is not all or nothing: each
    /// pseudowire is.
    ///
    /// - Throws: what concerns all: no lock, no BPF file system, no memory.
    public func keep(_ document: PseudowireDocument) throws(PseudowireError) -> Kept {
        var kept = Kept()
        try alone { () throws(PseudowireError) in
            let byName = Dictionary(document.pseudowires.map { ($0.name, $0) }) { first, _ in first }
            let leaving = try records(openState()).filter { record in
                byName[record.configuration.name].map(record.mustGo) ?? false
            }
            if !leaving.isEmpty {
                do throws(PseudowireError) { try run(plan(removing: leaving.map(\.configuration.name))) } catch {
                    try recover()
                    for name in try records(openState()).map(\.configuration.name)
                    where leaving.contains(where: { $0.configuration.name == name }) {
                        do throws(PseudowireError) { try run(plan(removing: [name])) } catch {
                            kept.failures.append(Kept.Failure(name: name, error: error))
                            try recover()
                        }
                    }
                }
            }
            func planned(_ only: Set<String>? = nil) throws(PseudowireError) -> (plan: Plan, waiting: [Waiting]) {
                try self.plan(document, .keep, only: only, removesOthers: true)
            }
            let (plan, waiting) = try planned()
            kept.waiting = waiting
            do throws(PseudowireError) {
                try run(plan)
                kept.changes = plan.changes
            } catch {
                // One that cannot be helped is not to stand in the way of the others; and an interface may have gone
                // since it was looked at.
                for name in plan.changes.map(\.name) {
                    do throws(PseudowireError) {
                        // What could be undone only in part.
                        try recover()
                        let single = try planned([name]).plan
                        try run(single)
                        kept.changes += single.changes
                    } catch {
                        kept.failures.append(Kept.Failure(name: name, error: error))
                    }
                }
                if let now = try? planned().waiting { kept.waiting = now }
            }
        }
        return kept
    }
}

extension PseudowireManager {
    /// The interfaces that carry filters of ours.
    func usedInterfaces() throws(PseudowireError) -> Set<UInt32> {
        let found = try reading { (state) throws(PseudowireError) in
            try bpf { () throws(BPFError) in try state.ports.entries() }.map(\.key)
        }
        return Set(found ?? [])
    }
}
