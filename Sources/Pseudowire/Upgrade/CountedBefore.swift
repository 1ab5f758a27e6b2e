internal import BPF
internal import CPseudowireObject

/// What had been counted in maps that an upgrade could not keep; it is added to what the present ones say.
struct CountedBefore {
    var counters: [UInt32: pw_counters] = [:]
    var drops: [UInt32: UInt64] = [:]
    /// By slot, then reason.
    var sessionDrops: [UInt32: [UInt32: pw_drop]] = [:]
}

extension DatapathState {
    /// Reads it all; nothing to read where there was no upgrade.
    func countedBefore() throws(PseudowireError) -> CountedBefore {
        var found = CountedBefore()
        guard identity.generation > 0 else { return found }
        for (key, value) in try bpf({ () throws(BPFError) in try past.entries() }) {
            switch key.kind {
            case UInt32(PW_PAST_COUNTERS): found.counters[key.slot] = value.counters
            case UInt32(PW_PAST_DROPS): found.drops[key.reason] = value.drop.count
            case UInt32(PW_PAST_SESSION_DROPS): found.sessionDrops[key.slot, default: [:]][key.reason] = value.drop
            default: continue
            }
        }
        return found
    }

    /// For a slot that is given to another pseudowire.
    func forgetPast(slot: UInt32) throws(BPFError) {
        guard identity.generation > 0 else { return }
        try past.remove(key: pw_past_key(kind: UInt32(PW_PAST_COUNTERS), slot: slot, reason: 0))
        for reason in 0..<PW_DROP_REASON_COUNT.rawValue {
            try past.remove(key: pw_past_key(kind: UInt32(PW_PAST_SESSION_DROPS), slot: slot, reason: reason))
        }
    }
}
