internal import BPF
internal import CPseudowireObject

extension DatapathState {
    /// Why frames of each slot were dropped, read at once.
    func sessionDropCounts() throws(PseudowireError) -> [UInt32: [DropCount]] {
        let entries = try bpf { () throws(BPFError) in try sessionDrops.entries() }
        var found: [UInt32: [DropCount]] = [:]
        for (key, value) in entries {
            found[key.slot, default: []].append(
                DropCount(reason: DropReason(rawValue: key.reason), count: value.count, lastSeen: value.last))
        }
        return found.mapValues { $0.sorted { $0.reason.rawValue < $1.reason.rawValue } }
    }

    /// The counters of one slot, summed over all CPUs.
    func statistics(slot: UInt32, drops: [DropCount]) throws(PseudowireError) -> Statistics {
        var statistics = Statistics()
        for value in try bpf({ () throws(BPFError) in try counters.valuesPerCPU(of: slot) }) ?? [] {
            statistics.add(value)
        }
        statistics.drops = drops
        return statistics
    }

    /// What was dropped or noticed in the whole namespace, by reason.
    func namespaceDrops() throws(PseudowireError) -> [DropCount] {
        try bpf { () throws(BPFError) in
            var counts: [DropCount] = []
            for reason in DropReason.allCases {
                let count = try (drops.valuesPerCPU(of: reason.rawValue) ?? []).reduce(0, &+)
                if count > 0 { counts.append(DropCount(reason: reason, count: count)) }
            }
            return counts
        }
    }
}

extension Statistics {
    /// Adds what one CPU has counted.
    mutating func add(_ value: pw_counters) {
        txFrames += value.tx_frames
        txOctets += value.tx_octets
        rxFrames += value.rx_frames
        rxOctets += value.rx_octets
        txDropped += value.tx_dropped
        rxDropped += value.rx_dropped
        replies += value.replies
    }
}
