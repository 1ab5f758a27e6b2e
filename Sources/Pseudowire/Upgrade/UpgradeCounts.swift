internal import BPF
internal import CPseudowireObject

/// What the datapath writes itself, in maps that an upgrade could not keep.
///
/// Counts go to `past`, by setting each sum and not by adding, so that doing it twice does no harm. The old programs
/// must have ended by then.
struct UpgradeCounts {
    private let path: String
    private let abi: UInt32
    private let new: DatapathState
    private let renewed: Set<DatapathObject.MapName>

    init(from path: String, abi: UInt32, to new: DatapathState, _ renewed: Set<DatapathObject.MapName>) {
        self.path = path
        self.abi = abi
        self.new = new
        self.renewed = renewed
    }

    private func old(_ map: DatapathObject.MapName) throws(BPFError) -> RawMap {
        try RawMap(pinnedAt: "\(path)/\(map.rawValue)")
    }

    private static func key(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

    private func slots() throws(PseudowireError) -> [UInt32] {
        try bpf { () throws(BPFError) in try new.pseudowires.entries().map(\.value.slot) }
    }

    /// How far the new datapath's numbers are ahead of the old one's.
    ///
    /// That one still numbers frames while filters are exchanged, and no number is to be sent twice. The peer notes a
    /// gap, and drops nothing.
    static let numberLead: UInt64 = 4096

    /// Has the new datapath number frames from beyond what the old one will reach.
    func startNumbers() throws(PseudowireError) {
        guard renewed.contains(.sequences) else { return }
        let slots = try slots()
        try bpf { () throws(BPFError) in
            let before = try old(.sequences)
            for slot in slots {
                guard let octets = try before.value(of: Self.key(slot)) else { continue }
                var (was, value) = (pw_sequence(), try new.sequences[slot] ?? pw_sequence())
                Octets.write(octets, to: &was)
                if was.send > 0 { value.send = max(value.send, was.send &+ Self.numberLead) }
                if value.receive == 0 { value.receive = was.receive }
                try new.sequences.update(key: slot, value: value)
            }
        }
    }

    /// Takes over what the old programs have left.
    func carryOver() throws(PseudowireError) {
        let slots = try slots()
        try bpf { () throws(BPFError) in
            if renewed.contains(.counters) { try carryCounters(slots) }
            if renewed.contains(.drops) { try carryDrops() }
            if renewed.contains(.sessionDrops) { try carrySessionDrops() }
            if renewed.contains(.access) { try carryLearnedMTUs() }
        }
    }

    /// What had been counted before the old datapath's maps began.
    private func base(_ key: pw_past_key) throws(BPFError) -> pw_past {
        var value = pw_past()
        guard abi >= 4 else { return value }
        let octets = withUnsafeBytes(of: key) { Array($0) }
        if let found = try old(.past).value(of: octets) { Octets.write(found, to: &value) }
        return value
    }

    private func carryCounters(_ slots: [UInt32]) throws(BPFError) {
        let before = try old(.counters)
        for slot in slots {
            let key = pw_past_key(kind: UInt32(PW_PAST_COUNTERS), slot: slot, reason: 0)
            var sum = try base(key)
            let octets = try before.value(of: Self.key(slot)) ?? []
            for start in stride(from: 0, to: octets.count, by: (before.info.valueSize + 7) / 8 * 8) {
                var counted = pw_counters()
                Octets.write(octets[start...].prefix(before.info.valueSize), to: &counted)
                sum.counters.add(counted)
            }
            try new.past.update(key: key, value: sum)
        }
    }

    private func carryDrops() throws(BPFError) {
        let before = try old(.drops)
        for reason in 0..<min(before.info.maxEntries, PW_DROP_REASON_COUNT.rawValue) {
            let key = pw_past_key(kind: UInt32(PW_PAST_DROPS), slot: 0, reason: reason)
            var sum = try base(key)
            let octets = try before.value(of: Self.key(reason)) ?? []
            for start in stride(from: 0, to: octets.count - 7, by: 8) {
                sum.drop.count &+= octets[start...].withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            }
            if sum.drop.count > 0 { try new.past.update(key: key, value: sum) }
        }
    }

    private func carrySessionDrops() throws(BPFError) {
        for (octets, value) in try old(.sessionDrops).entries() {
            var (drop, counted) = (pw_drop_key(), pw_drop())
            Octets.write(octets, to: &drop)
            Octets.write(value, to: &counted)
            let key = pw_past_key(kind: UInt32(PW_PAST_SESSION_DROPS), slot: drop.slot, reason: drop.reason)
            var sum = try base(key)
            sum.drop.count &+= counted.count
            sum.drop.last = max(sum.drop.last, counted.last)
            try new.past.update(key: key, value: sum)
        }
    }

    /// What ICMP said to the old datapath since its entries were copied.
    ///
    /// Should ICMP say something of the same path in this very moment, it may have to say it again.
    private func carryLearnedMTUs() throws(BPFError) {
        for entry in try old(.access).entries() {
            let (octets, value) = StateConversion.convert(entry, of: .access, from: abi)
            var (key, was) = (pw_access_key(), pw_encap())
            Octets.write(octets, to: &key)
            Octets.write(value, to: &was)
            guard var now = try new.access[key], was.path_mtu_until > now.path_mtu_until else { continue }
            now.path_mtu = was.path_mtu
            now.path_mtu_until = was.path_mtu_until
            try new.access.update(key: key, value: now)
        }
    }
}

extension pw_counters {
    /// Adds what one CPU has counted.
    mutating func add(_ other: pw_counters) {
        tx_frames &+= other.tx_frames
        tx_octets &+= other.tx_octets
        rx_frames &+= other.rx_frames
        rx_octets &+= other.rx_octets
        tx_dropped &+= other.tx_dropped
        rx_dropped &+= other.rx_dropped
        replies &+= other.replies
    }
}
