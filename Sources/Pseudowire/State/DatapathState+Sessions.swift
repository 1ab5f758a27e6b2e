internal import BPF
internal import CPseudowireObject

extension DatapathState {
    /// Sets an entry by one update: a frame finds what was there before, or what is there now.
    func write(_ entry: Action.Entry, _ record: Record) throws(PseudowireError) {
        let configuration = record.configuration
        switch entry {
        case .session:
            let entry = sessionEntry(record)
            try bpf { () throws(BPFError) in try sessions.update(key: entry.key, value: entry.value) }
        case .path:
            try bpf { () throws(BPFError) in try paths.update(key: pw_path_key(configuration), value: record.accessKey)
            }
        case .access(let underlay, _):
            let value = accessValue(record, underlay, try splitter)
            try bpf { () throws(BPFError) in
                try access.update(key: record.accessKey, value: value.learning(from: access[record.accessKey]))
            }
        }
    }

    func sessionEntry(_ record: Record) -> (key: UInt32, value: pw_decap) {
        let configuration = record.configuration
        return (
            configuration.session.local.rawValue,
            pw_decap(configuration, slot: record.slot, access: record.access, coalesces: record.coalesces)
        )
    }

    func accessValue(_ record: Record, _ underlay: UInt32, _ splitter: OwnPair.Indexes) -> pw_encap {
        pw_encap(
            record.configuration, slot: record.slot, underlay: underlay, splitter: splitter, finishes: record.finishes)
    }

    /// The two ends of the splitter as they are now.
    var splitter: OwnPair.Indexes {
        get throws(PseudowireError) {
            let described = try description
            return OwnPair.Indexes(outer: described.splitter_outer, inner: described.splitter_inner)
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
    private func clearCounters(slot: UInt32) throws(BPFError) {
        try counters.updateOnEveryCPU(key: slot, value: pw_counters())
        try sequences.update(key: slot, value: pw_sequence())
        for reason in 0..<PW_DROP_REASON_COUNT.rawValue {
            _ = try sessionDrops.remove(key: pw_drop_key(slot: slot, reason: reason))
        }
        try forgetPast(slot: slot)
    }

    /// The same of many slots: what there are counts for is asked once.
    func clearCounters(slots: [UInt32]) throws(BPFError) {
        guard slots.count >= Executor.smallestBatch else {
            for slot in slots { try clearCounters(slot: slot) }
            return
        }
        try counters.updateOnEveryCPU(keys: slots, value: pw_counters())
        try sequences.update(count: slots.count) { (slots[$0], pw_sequence()) }
        let cleared = Set(slots)
        try sessionDrops.remove(keys: try sessionDrops.entries().map(\.key).filter { cleared.contains($0.slot) })
        guard identity.generation > 0 else { return }
        try past.remove(
            keys: try past.entries().map(\.key).filter {
                $0.kind != UInt32(PW_PAST_DROPS) && cleared.contains($0.slot)
            })
    }
}
