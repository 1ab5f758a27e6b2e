internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// Makes the splitter again where somebody has removed it; returns the state, which knows its indexes then.
    ///
    /// Without it no way to a peer is found by the routing tables. Where its names are somebody else's, everything
    /// stays as it is.
    func mendSplitter(_ state: DatapathState) throws(PseudowireError) -> DatapathState {
        let known = state.identity.splitter
        guard let found = try? Splitter.find(client) ?? Splitter.create(client, in: namespace) else { return state }
        if found != known {
            // A command that died while it made this one may have left that out.
            try Splitter.forwardIPv6(in: namespace)
            try bpf { () throws(BPFError) in
                guard var meta = try state.meta[0] else { return }
                meta.splitter_outer = found.outer
                meta.splitter_inner = found.inner
                try state.meta.update(key: 0, value: meta)
            }
        }
        try? Splitter.pair.mend(found, client)
        try Watch.move(to: found.outer, at: directory.pin(DatapathObject.alive), self)
        return found == known ? state : try DatapathState(directory)
    }

    /// Says that frames that have to be cut, or finished, go where nobody sends them on.
    func splitterDamage(
        _ state: DatapathState, _ links: [UInt32: Link], _ cache: InspectionCache
    ) throws(PseudowireError) -> String? {
        try damage(
            Splitter.pair, state.identity.splitter, in: "large frames are cut", program: state.programs.encapSplit.id,
            links, cache)
    }

    /// What is wrong with a pair of ours.
    ///
    /// - Parameters:
    ///   - what: what happens in it.
    ///   - program: what its filter runs.
    func damage(
        _ pair: OwnPair, _ indexes: OwnPair.Indexes, in what: String, program: UInt32, _ links: [UInt32: Link],
        _ cache: InspectionCache
    ) throws(PseudowireError) -> String? {
        guard pair.isWhole(indexes, links) else {
            return "an interface in which \(what) is gone, down or altered; \(Self.cure)"
        }
        return try cache.missingFilter(.access, indexes.inner) { () throws(PseudowireError) in
            try Attachment.programID(.access, on: indexes.inner, at: .clsact, self) == program
                ? nil : "the filter on \(pair.innerName) is gone; \(Self.cure)"
        }
    }
}
