internal import BPF
internal import CPseudowireObject

extension Action {
    /// Steps of one family, one after the other, go to the kernel together: a thousand entries by one call.
    enum Family {
        case record, erasure, counters
        case session, path, access
        case dropSession, dropPath, dropAccess
    }

    /// Nil for what is done alone.
    var family: Family? {
        switch self {
        case .addRecord, .reopenRecord, .commitRecord, .replaceRecord: .record
        case .eraseRecord: .erasure
        case .clearCounters: .counters
        case .write(.session, _, _): .session
        case .write(.path, _, _): .path
        case .write(.access, _, _): .access
        case .drop(.session, _): .dropSession
        case .drop(.path, _): .dropPath
        case .drop(.access, _): .dropAccess
        default: nil
        }
    }

    /// The pseudowire that a step of a family is about; nil for what is done alone.
    var subject: Record? {
        switch self {
        case .addRecord(let record), .reopenRecord(let record), .commitRecord(let record),
            .replaceRecord(let record, _), .eraseRecord(let record), .clearCounters(let record),
            .write(_, let record, _), .drop(_, let record):
            record
        default: nil
        }
    }

    /// Whether the record that it writes is that of a whole pseudowire.
    var leavesWhole: Bool {
        switch self {
        case .commitRecord: true
        case .addRecord(let record), .replaceRecord(let record, _): record.isReady
        default: false
        }
    }
}

extension Executor {
    /// So few steps are done one by one: a call for each costs less than to gather them.
    static let smallestBatch = 16
    /// So many make up one batch: entries are made for it, and a failure has so many to undo at most.
    static let largestBatch = 4096

    /// How many of the steps from here on are done together.
    static func batch(of actions: ActionList, from start: Int) -> Range<Int> {
        guard let family = actions[start].family else { return start..<start + 1 }
        var end = start + 1
        while end < min(actions.count, start + largestBatch), actions[end].family == family { end += 1 }
        return end - start < smallestBatch ? start..<start + 1 : start..<end
    }

    /// Does steps of one family; where it fails, any number of them are done.
    func perform(_ batch: ActionList.SubSequence, of family: Action.Family) throws(PseudowireError) {
        let maps = try opened()
        var records: [Record] = []
        records.reserveCapacity(batch.count)
        for action in batch {
            if let record = action.subject { records.append(located(record)) }
        }
        switch family {
        case .record:
            try bpf { () throws(BPFError) in
                try maps.nameUnderlays(of: records)
                try maps.pseudowires.updateTogether(count: records.count) { index in
                    let record = records[index]
                    let isReady = batch[batch.startIndex + index].leavesWhole
                    return (pw_name(record.configuration.name), record.value(isReady: isReady))
                }
            }
        case .erasure:
            let names = records.map { pw_name($0.configuration.name) }
            _ = try bpf { () throws(BPFError) in try maps.pseudowires.remove(keys: names) }
        case .counters:
            try bpf { () throws(BPFError) in try maps.clearCounters(slots: records.map(\.slot)) }
        case .session:
            try bpf { () throws(BPFError) in
                try maps.sessions.updateTogether(count: records.count) { maps.sessionEntry(records[$0]) }
            }
        case .path:
            try bpf { () throws(BPFError) in
                try maps.paths.updateTogether(count: records.count) {
                    (pw_path_key(records[$0].configuration), records[$0].accessKey)
                }
            }
        case .access: try writeAccess(batch, records, maps)
        case .dropSession:
            let keys = records.map(\.configuration.session.local.rawValue)
            _ = try bpf { () throws(BPFError) in try maps.sessions.remove(keys: keys) }
        case .dropPath:
            let keys = records.map { pw_path_key($0.configuration) }
            _ = try bpf { () throws(BPFError) in try maps.paths.remove(keys: keys) }
        case .dropAccess:
            let keys = records.map(\.accessKey)
            _ = try bpf { () throws(BPFError) in try maps.access.remove(keys: keys) }
        }
    }

    private func writeAccess(
        _ batch: ActionList.SubSequence, _ records: [Record], _ maps: DatapathState
    ) throws(PseudowireError) {
        let splitter = try maps.splitter
        try bpf { () throws(BPFError) in
            // What the datapath has learned of the path stays with an entry that is replaced.
            var learned: [Int: pw_encap] = [:]
            for (index, action) in batch.enumerated() {
                guard case .write(_, _, _?) = action else { continue }
                learned[index] = try maps.access[records[index].accessKey]
            }
            try maps.access.updateTogether(count: records.count) { index in
                var underlay: UInt32 = 0
                if case .write(.access(let wayOut, _), _, _) = batch[batch.startIndex + index] {
                    underlay = wayOut
                }
                let value = maps.accessValue(records[index], underlay, splitter)
                return (records[index].accessKey, value.learning(from: learned[index]))
            }
        }
    }
}
