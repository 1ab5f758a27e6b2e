internal import BPF
internal import CPseudowireObject

extension DatapathState {
    /// Why frames of each slot were dropped, read at once.
    func sessionDropCounts(_ past: CountedBefore) throws(PseudowireError) -> [UInt32: [DropCount]] {
        let entries = try bpf { () throws(BPFError) in try sessionDrops.entries() }
        var counts = past.sessionDrops
        for (key, value) in entries {
            let before = counts[key.slot]?[key.reason]
            counts[key.slot, default: [:]][key.reason] = pw_drop(
                count: value.count &+ (before?.count ?? 0), last: max(value.last, before?.last ?? 0))
        }
        return counts.mapValues { reasons in
            reasons.sorted { $0.key < $1.key }.map { reason, drop in
                DropCount(reason: DropReason(rawValue: reason), count: drop.count, lastSeen: drop.last)
            }
        }
    }

    /// What was dropped or noticed in the whole namespace, by reason.
    func namespaceDrops() throws(PseudowireError) -> [DropCount] {
        let past = try countedBefore()
        return try bpf { () throws(BPFError) in
            var counts: [DropCount] = []
            for reason in DropReason.allCases {
                let count = try (drops.valuesPerCPU(of: reason.rawValue) ?? [])
                    .reduce(past.drops[reason.rawValue] ?? 0, &+)
                if count > 0 { counts.append(DropCount(reason: reason, count: count)) }
            }
            return counts
        }
    }
}

extension Statistics {
    /// Adds what one CPU has counted.
    mutating func add(_ value: pw_counters) {
        txFrames &+= value.tx_frames
        txOctets &+= value.tx_octets
        rxFrames &+= value.rx_frames
        rxOctets &+= value.rx_octets
        txDropped &+= value.tx_dropped
        rxDropped &+= value.rx_dropped
        replies &+= value.replies
    }
}
