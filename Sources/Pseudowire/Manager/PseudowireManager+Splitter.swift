internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// Makes the splitter again where somebody has removed it; returns the state, which knows its indexes then.
    ///
    /// Without it no way to a peer is found by the routing tables. Where its names are somebody else's, everything stays as
    /// it is.
    func mendSplitter(_ state: DatapathState) throws(PseudowireError) -> DatapathState {
        let known = state.identity.splitter
        guard let found = try? Splitter.find(client) ?? Splitter.create(client, in: namespace) else { return state }
        if found != known {
            try bpf { () throws(BPFError) in
                guard var meta = try state.meta[0] else { return }
                meta.splitter_outer = found.outer
                meta.splitter_inner = found.inner
                try state.meta.update(key: 0, value: meta)
            }
        }
        try Watch.move(to: found.outer, at: directory.pin(DatapathObject.alive), self)
        return found == known ? state : try DatapathState(directory)
    }
}
