internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// Makes true what the records say, after a command that died between changing the one and the other.
    ///
    /// A record is written by one update, when what is new is in its place and nothing old has been taken away yet:
    /// before it, what was added belongs to nobody and goes; after it, what was left behind does. The caller holds the
    /// exclusive lock. Records that are only begun stay, to be deleted or applied again.
    func mend() throws(PseudowireError) {
        guard let opened = try openState() else { return }
        let state = try mendSplitter(opened)
        try mendJoiner(state)
        let records: [Record]
        do throws(PseudowireError) { records = try unsortedRecords(state) } catch {
            // What cannot be read may still carry frames: nothing is taken for its leftover.
            guard try !state.unreadable.isEmpty else { throw error }
            return
        }
        // One that waits for its interface has no entries.
        let placed = records.filter { $0.access != 0 || !$0.isReady }
        var sessions = Dictionary(placed.map { ($0.configuration.session.local.rawValue, $0) }) {
            $0.isReady ? $0 : $1
        }
        for (key, value) in try bpf({ () throws(BPFError) in try state.sessions.entries() }) {
            guard let record = sessions.removeValue(forKey: key) else {
                _ = try bpf { () throws(BPFError) in try state.sessions.remove(key: key) }
                continue
            }
            var right = pw_decap(
                record.configuration, slot: record.slot, access: record.access, coalesces: record.coalesces)
            // The datapath's own.
            right.is_unheard = value.is_unheard
            if record.isReady, !Self.same(right, value) { try state.write(.session, record) }
        }
        for record in sessions.values where record.isReady { try state.write(.session, record) }
        try mendAccess(state, placed)
        let paths = Set(placed.map { PathCode(pw_path_key($0.configuration)) })
        for (key, _) in try bpf({ () throws(BPFError) in try state.paths.entries() })
        where !paths.contains(PathCode(key)) {
            _ = try bpf { () throws(BPFError) in try state.paths.remove(key: key) }
        }
        try mendPorts(state, records)
    }

    private func mendAccess(_ state: DatapathState, _ records: [Record]) throws(PseudowireError) {
        var accesses = Dictionary(records.map { ($0.accessKey.code, $0) }) { $0.isReady ? $0 : $1 }
        let splitter = try state.splitter
        for (key, value) in try bpf({ () throws(BPFError) in try state.access.entries() }) {
            guard let record = accesses.removeValue(forKey: key.code) else {
                _ = try bpf { () throws(BPFError) in try state.access.remove(key: key) }
                continue
            }
            var right = state.accessValue(record, value.underlay, splitter)
            // The datapath's own.
            right.path_mtu = value.path_mtu
            right.path_mtu_until = value.path_mtu_until
            if record.isReady, !Self.same(right, value) {
                try state.write(.access(underlay: value.underlay, before: 0), record)
            }
        }
        for record in accesses.values where record.isReady {
            try state.write(.access(underlay: record.underlays.first ?? 0, before: 0), record)
        }
    }

    /// Filters that nobody needs, those of interfaces that no record names, and what is left of moving one.
    private func mendPorts(_ state: DatapathState, _ records: [Record]) throws(PseudowireError) {
        let used: [Attachment.Role: Set<UInt32>] = [
            .access: Set(records.map(\.access)), .underlay: Set(records.flatMap(\.underlays)),
        ]
        // Without records it is teardown's, or the next pseudowire's.
        guard !records.isEmpty else { return }
        for (interface, port) in try bpf({ () throws(BPFError) in try state.ports.entries() }) {
            for role in [Attachment.Role.access, .underlay] {
                guard let hook = port[role] else { continue }
                if used[role]?.contains(interface) == true {
                    try Attachment.mend(role, on: interface, at: hook, state, self)
                } else {
                    try Attachment.detach(role, from: interface, state, self)
                }
            }
        }
        try Attachment.reapLinks(directory)
        try mendAcceleration(state, records)
        try Attachment.mendSplitter(state, self)
    }

    /// The key of the `paths` map, as it can be one of a dictionary.
    private struct PathCode: Hashable {
        private let words: (UInt64, UInt64, UInt64)

        init(_ key: pw_path_key) { words = unsafeBitCast(key, to: (UInt64, UInt64, UInt64).self) }

        static func == (left: PathCode, right: PathCode) -> Bool { left.words == right.words }

        func hash(into hasher: inout Hasher) {
            hasher.combine(words.0)
            hasher.combine(words.1)
            hasher.combine(words.2)
        }
    }

    private static func same<Value: BitwiseCopyable>(_ left: Value, _ right: Value) -> Bool {
        withUnsafeBytes(of: left) { left in withUnsafeBytes(of: right) { left.elementsEqual($0) } }
    }
}
