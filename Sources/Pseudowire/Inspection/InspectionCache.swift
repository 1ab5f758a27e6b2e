internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// What one look at all pseudowires needs of the kernel, asked once: entries in batches, and what many share.
final class InspectionCache {
    let survey: SurveyCache
    /// The interfaces, by index.
    let links: [UInt32: Link]
    /// The interfaces that carry filters of ours.
    let ports: [UInt32: pw_port]
    private let names: Set<String>
    /// What was found last at each access interface.
    var surroundings: [UInt32: Surroundings] = [:]
    private var missing: [Attachment.Role: [UInt32: String?]] = [:]
    private var missingXDP: [XDPQuestion: String?] = [:]
    /// What routers said that a path takes, as long as that is believed.
    private var learned: [UInt64: Int] = [:]
    /// Sessions of peers of which ICMP said that they cannot be reached, and that have not been heard since.
    private var unheard: Set<UInt32> = []
    /// By slot.
    private var counters: [Statistics] = []

    init(
        _ survey: SurveyCache, _ links: [Link], _ state: DatapathState, _ records: [Record], _ past: CountedBefore,
        _ drops: [UInt32: [DropCount]]
    ) throws(PseudowireError) {
        self.survey = survey
        self.links = Dictionary(links.map { ($0.index.rawValue, $0) }) { first, _ in first }
        names = Set(links.flatMap { [$0.name] + $0.alternativeNames })
        ports = try state.portList
        let now = MonotonicClock.now()
        var learned: [UInt64: Int] = [:]
        try bpf { () throws(BPFError) in
            try state.access.forEachEntry { key, value in
                if value.path_mtu != 0, value.path_mtu_until > now { learned[key.code] = Int(value.path_mtu) }
            }
        }
        self.learned = learned
        // Where ICMP has said nothing of the kind, nobody asks.
        let unreachable = DropReason(rawValue: PW_DROP_UNREACHABLE.rawValue)
        if drops.values.contains(where: { $0.contains { $0.reason == unreachable } }) {
            var unheard: Set<UInt32> = []
            try bpf { () throws(BPFError) in
                try state.sessions.forEachEntry { key, value in if value.is_unheard == 1 { unheard.insert(key) } }
            }
            self.unheard = unheard
        }
        // Slots are given from the lowest: those beyond the last one were never used.
        let slots = min(Int(records.lazy.map(\.slot).max() ?? 0) + 1, Int(state.counters.info.maxEntries))
        var counters = [Statistics](repeating: Statistics(), count: slots)
        try bpf { () throws(BPFError) in
            try state.counters.forEachValue(ofFirst: slots) { slot, value in
                if slot < slots { counters[Int(slot)].add(value) }
            }
        }
        for (slot, before) in past.counters where slot < slots { counters[Int(slot)].add(before) }
        self.counters = counters
    }

    /// The largest outer packet that a router said it would take; nil: nobody has said anything.
    func learnedPathMTU(_ record: Record) -> Int? { learned[record.accessKey.code] }

    /// Whether a frame of the peer's came after the last ICMP message that it cannot be reached; true without such one.
    func isPeerHeard(_ record: Record) -> Bool { !unheard.contains(record.configuration.session.local.rawValue) }

    /// What all CPUs together have counted for a slot.
    func statistics(slot: UInt32, drops: [DropCount]) -> Statistics {
        var statistics = slot < counters.count ? counters[Int(slot)] : Statistics()
        statistics.drops = drops
        return statistics
    }

    /// Whether some interface may be called so.
    func answers(to name: String) -> Bool { names.contains(name) }

    /// What is wrong with an interface's filter.
    func missingFilter(
        _ role: Attachment.Role, _ interface: UInt32, _ find: () throws(PseudowireError) -> String?
    ) throws(PseudowireError) -> String? {
        if let known = missing[role]?[interface] { return known }
        let found = try find()
        missing[role, default: [:]][interface] = .some(found)
        return found
    }

    /// What is wrong with the XDP program before it, for one who has asked for it or one who has not.
    func missingXDP(
        _ role: Attachment.Role, _ interface: UInt32, isAsked: Bool, _ find: () throws(PseudowireError) -> String?
    ) throws(PseudowireError) -> String? {
        let question = XDPQuestion(role: role, interface: interface, isAsked: isAsked)
        if let known = missingXDP[question] { return known }
        let found = try find()
        missingXDP[question] = .some(found)
        return found
    }

    private struct XDPQuestion: Hashable {
        let role: Attachment.Role
        let interface: UInt32
        let isAsked: Bool
    }
}
