internal import BPF
internal import CPseudowireObject

/// The pinned maps and programs of one namespace, opened.
final class DatapathState {
    let directory: StateDirectory
    /// What it was when it was opened.
    let identity: StateIdentity
    let meta: Map<UInt32, pw_meta>
    let access: Map<pw_access_key, pw_encap>
    let sessions: Map<UInt32, pw_decap>
    let pseudowires: Map<pw_name, pw_record>
    let ports: Map<UInt32, pw_port>
    let counters: Map<UInt32, pw_counters>
    let drops: Map<UInt32, UInt64>
    let sessionDrops: Map<pw_drop_key, pw_drop>
    let paths: Map<pw_path_key, pw_access_key>
    let sequences: Map<UInt32, pw_sequence>
    /// A ring buffer of `pw_event`: it has neither keys nor values.
    let events: Map<Nothing, Nothing>
    let programs: DatapathPrograms

    /// What counting began with after an upgrade that could not keep the maps.
    let past: Map<pw_past_key, pw_past>

    /// Opens what is pinned, after making sure that it is of our making and of our ABI.
    ///
    /// - Parameter path: where, if not at the directory's own place.
    init(_ directory: StateDirectory, at path: String? = nil) throws(PseudowireError) {
        let path = path ?? directory.path
        let identity = try StateIdentity(at: path)
        try identity.requireOwnABI()
        func pin(_ map: DatapathObject.MapName) -> String { "\(path)/\(map.rawValue)" }
        func shape(_ map: DatapathObject.MapName) -> MapShape { map.shape(maxSessions: identity.maxSessions) }
        self.directory = directory
        self.identity = identity
        do throws(BPFError) {
            meta = try Map(pinnedAt: pin(.meta), expecting: shape(.meta))
            access = try Map(pinnedAt: pin(.access), expecting: shape(.access))
            sessions = try Map(pinnedAt: pin(.sessions), expecting: shape(.sessions))
            pseudowires = try Map(pinnedAt: pin(.pseudowires), expecting: shape(.pseudowires))
            ports = try Map(pinnedAt: pin(.ports), expecting: shape(.ports))
            counters = try Map(pinnedAt: pin(.counters), expecting: shape(.counters))
            drops = try Map(pinnedAt: pin(.drops), expecting: shape(.drops))
            sessionDrops = try Map(pinnedAt: pin(.sessionDrops), expecting: shape(.sessionDrops))
            paths = try Map(pinnedAt: pin(.paths), expecting: shape(.paths))
            sequences = try Map(pinnedAt: pin(.sequences), expecting: shape(.sequences))
            events = try Map(pinnedAt: pin(.events), expecting: shape(.events))
            // An upgrade may have given it room.
            var ofPast = shape(.past)
            ofPast.maxEntries = nil
            past = try Map(pinnedAt: pin(.past), expecting: ofPast)
            programs = try DatapathPrograms(pinnedIn: path)
        } catch {
            throw StateDirectory.unopened(path, error)
        }
    }

    var description: pw_meta {
        get throws(PseudowireError) {
            try bpf { () throws(BPFError) in try meta[0] } ?? pw_meta()
        }
    }

    /// The interfaces that carry filters of ours.
    var portList: [UInt32: pw_port] {
        get throws(PseudowireError) {
            let entries = try bpf { () throws(BPFError) in try ports.entries() }
            return Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
        }
    }

    /// The same; none where they cannot be read.
    var portsOrNone: [UInt32: pw_port] { (try? portList) ?? [:] }

    /// Has the underlays that pseudowires name found again by those names: they are kept with the interfaces.
    func nameUnderlays(of records: [Record]) throws(BPFError) {
        var names: [UInt32: String] = [:]
        for record in records where !record.configuration.underlays.isEmpty {
            for (name, index) in zip(record.configuration.underlays, record.underlays) { names[index] = name }
        }
        for (index, name) in names {
            guard var port = try ports[index], Octets.text(port.name) != name else { continue }
            port.name = pw_port().name
            Octets.write(name.utf8, to: &port.name)
            try ports.update(key: index, value: port)
        }
    }

    /// All pseudowires, by name.
    func records(interfaceName: (UInt32) -> String?) throws(PseudowireError) -> [Record] {
        var found: [Record] = []
        // Of names, which are ASCII, the order is that of their octets: two words of eight nearly always tell it.
        var order: [(name: (UInt64, UInt64, UInt64, UInt64), index: Int)] = []
        try forEachRecord(interfaceName) { name, record in
            order.append((name.words, found.count))
            found.append(record)
        }
        order.sort { $0.name < $1.name }
        return order.map { found[$0.index] }
    }

    /// The same in the kernel's order.
    func unsortedRecords(interfaceName: (UInt32) -> String?) throws(PseudowireError) -> [Record] {
        var found: [Record] = []
        try forEachRecord(interfaceName) { found.append($1) }
        return found
    }

    /// The names of those whose records this program cannot read: another one has written there.
    var unreadable: [String] {
        get throws(PseudowireError) {
            var names: [String] = []
            try bpf { () throws(BPFError) in
                try pseudowires.forEachEntry { name, value in
                    if Record(name: name.string, value: value, interfaceName: { _ in nil }) == nil {
                        names.append(name.string)
                    }
                }
            }
            return names.sorted()
        }
    }

    private func forEachRecord(
        _ interfaceName: (UInt32) -> String?, _ body: (pw_name, Record) -> Void
    ) throws(PseudowireError) {
        // An underlay is called what it was when it was asked for, whatever has become of it since.
        let asked = Dictionary(try bpf { () throws(BPFError) in try ports.entries() }.map { ($0.key, $0.value) }) { $1 }
        var unreadable: String?
        try bpf { () throws(BPFError) in
            try pseudowires.forEachEntry { name, value in
                let record = Record(name: name.string, value: value) { index in
                    asked[index].map { Octets.text($0.name) } ?? interfaceName(index)
                }
                guard let record else {
                    unreadable = min(unreadable ?? name.string, name.string)
                    return
                }
                body(name, record)
            }
        }
        if let unreadable {
            throw .refused(
                """
                what is written down of "\(unreadable)" is nothing that this program can read; use the one that wrote it, or \
                'pwctl teardown', which removes all pseudowires of this namespace
                """)
        }
    }
}
