internal import BPF

extension PseudowireManager {
    /// Puts in their place the pseudowires that are not where their interfaces are today.
    ///
    /// It fails nothing: what cannot be put right stays as it is, and says so in its health. The caller holds the lock.
    func heal() {
        guard let records = try? records(openState()).filter(\.isReady), !records.isEmpty else { return }
        let document = PseudowireDocument(records.map(\.configuration))
        guard let plan = try? plan(document, .heal, removesOthers: false).plan, !plan.isEmpty else { return }
        var changes = plan.changes
        do throws(PseudowireError) { try run(plan) } catch {
            changes = oneByOne(changes.map(\.name)) { name throws(PseudowireError) in
                try self.plan(document, .heal, only: [name], removesOthers: false).plan
            }
        }
        for change in changes { onRepair(change) }
    }

    /// Does for each by itself what could not be done for all together.
    ///
    /// One that cannot be helped is not to stand in the way of the others; and an interface may have gone since it was
    /// looked at.
    private func oneByOne(
        _ names: [String], failed: (String, PseudowireError) -> Void = { _, _ in },
        _ plan: (String) throws(PseudowireError) -> Plan
    ) -> [Change] {
        var changes: [Change] = []
        for name in names {
            do throws(PseudowireError) {
                // What could be undone only in part.
                try recover()
                let single = try plan(name)
                try run(single)
                changes += single.changes
            } catch { failed(name, error) }
        }
        return changes
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
            func failed(_ name: String, _ error: PseudowireError) {
                kept.failures.append(Kept.Failure(name: name, error: error))
            }
            let leaving = try records(openState()).filter { record in
                byName[record.configuration.name].map(record.mustGo) ?? false
            }.map(\.configuration.name)
            if !leaving.isEmpty {
                do throws(PseudowireError) { try run(self.plan(removing: leaving)) } catch {
                    _ = oneByOne(leaving, failed: failed) { name throws(PseudowireError) in
                        // Recovery may have finished it.
                        let isThere = try records(openState()).contains { $0.configuration.name == name }
                        return isThere ? try self.plan(removing: [name]) : Plan([], for: [])
                    }
                    try recover()
                }
            }
            func planned(_ only: Set<String>? = nil) throws(PseudowireError) -> (plan: Plan, waiting: [Waiting]) {
                try self.plan(document, .keep, only: only, removesOthers: true)
            }
            // What could not go cannot be what it is to be, either.
            var others: Set<String>?
            if !kept.failures.isEmpty {
                let all = try records(openState()).map(\.configuration.name) + document.pseudowires.map(\.name)
                others = Set(all).subtracting(kept.failures.map(\.name))
            }
            let (plan, waiting) = try planned(others)
            kept.waiting = waiting
            do throws(PseudowireError) {
                try run(plan)
                kept.changes = plan.changes
            } catch {
                let done = oneByOne(plan.changes.map(\.name), failed: failed) { name throws(PseudowireError) in
                    try planned([name]).plan
                }
                kept.changes += done
                if let now = try? planned(others).waiting { kept.waiting = now }
            }
        }
        return kept
    }
}

extension PseudowireManager {
    /// The interfaces that carry filters of ours, those of our own among them.
    func usedInterfaces() throws(PseudowireError) -> Set<UInt32> {
        let found = try reading { (state) throws(PseudowireError) in
            try bpf { () throws(BPFError) in try state.ports.entries() }.map(\.key)
                + [state.identity.splitter.inner, state.identity.joiner.inner]
        }
        return Set(found ?? [])
    }
}
