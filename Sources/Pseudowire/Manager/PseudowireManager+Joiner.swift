internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// Makes the joiner again where somebody has removed it, and for a datapath that had none before it was upgraded.
    ///
    /// `meta` learns of it last: what it names is whole. Where it cannot be made, segments are delivered as they come.
    func mendJoiner(_ state: DatapathState) throws(PseudowireError) {
        guard let join = state.programs.join else { return }
        let known = state.identity.joiner
        let found = try? Joiner.pair.find(client)
        if let found, found == known {
            try? Joiner.pair.mend(found, client)
            watchJoiner(found)
            guard try Attachment.programID(.access, on: found.inner, at: .clsact, self) != join.program.id else {
                return
            }
            try? Attachment.attachJoiner(found.inner, state.programs, client)
            return
        }
        // Nothing is to be sent into what is not there.
        if known.outer != 0 { try record(OwnPair.Indexes(outer: 0, inner: 0), state) }
        do throws(PseudowireError) {
            try Joiner.pair.remove(client)
            let made = try Joiner.create(client)
            try Attachment.attachJoiner(made.inner, state.programs, client)
            try FaultPoint.joinerAttached.reach()
            try record(made, state)
            watchJoiner(made)
        } catch {
            guard case .bpf = error else { return }
            throw error
        }
    }

    /// Somebody else's program may be on it; the splitter is watched over, too.
    private func watchJoiner(_ joiner: OwnPair.Indexes) {
        try? Watch.move(to: joiner.outer, at: directory.pin(StateDirectory.joinerWatch), self)
    }

    /// Says that segments go where nobody sends them on.
    func joinerDamage(
        _ state: DatapathState, _ links: [UInt32: Link], _ cache: InspectionCache
    ) throws(PseudowireError) -> String? {
        let joiner = state.identity.joiner
        guard joiner.outer != 0, let join = state.programs.join else { return nil }
        return try damage(Joiner.pair, joiner, in: "TCP segments are joined", program: join.program.id, links, cache)
    }

    private func record(_ joiner: OwnPair.Indexes, _ state: DatapathState) throws(PseudowireError) {
        try bpf { () throws(BPFError) in
            guard var meta = try state.meta[0] else { return }
            meta.joiner_outer = joiner.outer
            meta.joiner_inner = joiner.inner
            try state.meta.update(key: 0, value: meta)
        }
    }
}
