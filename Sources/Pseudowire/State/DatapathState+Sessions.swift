internal import BPF
internal import CPseudowireObject

extension DatapathState {
    /// Sets an entry by one update: a frame finds what was there before, or what is there now.
    func write(_ entry: Action.Entry, _ record: Record) throws(PseudowireError) {
        let configuration = record.configuration
        switch entry {
        case .session:
            let value = pw_decap(
                configuration, slot: record.slot, access: record.access, coalesces: record.coalesces)
            try bpf { () throws(BPFError) in
                try sessions.update(key: configuration.session.local.rawValue, value: value)
            }
        case .path:
            try bpf { () throws(BPFError) in try paths.update(key: pw_path_key(configuration), value: record.accessKey)
            }
        case .access(let underlay, _):
            let described = try description
            let splitter = SplitterIndexes(outer: described.splitter_outer, inner: described.splitter_inner)
            let value = pw_encap(
                configuration, slot: record.slot, underlay: underlay, splitter: splitter, finishes: record.finishes)
            try bpf { () throws(BPFError) in
                try access.update(key: record.accessKey, value: value.learning(from: access[record.accessKey]))
            }
        }
    }

    /// Removes an entry.
    func drop(_ entry: Action.Entry, _ record: Record) throws(PseudowireError) {
        let configuration = record.configuration
        try bpf { () throws(BPFError) in
            switch entry {
            case .session: _ = try sessions.remove(key: configuration.session.local.rawValue)
            case .path: _ = try paths.remove(key: pw_path_key(configuration))
            case .access: _ = try access.remove(key: record.accessKey)
            }
        }
    }

    /// A slot that is given to another pseudowire starts from zero.
    func clearCounters(slot: UInt32) throws(BPFError) {
        try counters.updateOnEveryCPU(key: slot, value: pw_counters())
        try sequences.update(key: slot, value: pw_sequence())
        for reason in 0..<PW_DROP_REASON_COUNT.rawValue {
            _ = try sessionDrops.remove(key: pw_drop_key(slot: slot, reason: reason))
        }
        try forgetPast(slot: slot)
    }
}
