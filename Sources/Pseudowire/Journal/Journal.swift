internal import BPF
internal import CPseudowireObject

/// What a command is about to do, in a map of the kernel's.
///
/// It is filled first and pinned then: the pin says that all of it is meant, and stays until all of it is done, or
/// undone. A command that dies leaves it to the next one, which takes up where the other left off.
struct Journal: ~Copyable {
    enum Direction: UInt32, Sendable {
        /// Towards what is to be.
        case forward = 1
        /// Something failed: back to what was.
        case back = 2
    }

    /// The pin's name.
    static let name = "journal"

    private let map: Map<UInt32, pw_intent>

    /// How many entries it has.
    var count: Int { Int(map.info.maxEntries) - 1 }

    /// Writes it down; nobody knows of it yet.
    init(_ intents: [Intent]) throws(PseudowireError) {
        var sides: [(intent: Int, number: Int)] = []
        sides.reserveCapacity(intents.count)
        for (index, intent) in intents.enumerated() {
            for number in 0..<intent.entryCount { sides.append((index, number)) }
        }
        let (entries, first) = (sides, Self.header(count: sides.count))
        map = try bpf { () throws(BPFError) in
            // BPF_MAP_TYPE_ARRAY.
            let map = try Map<UInt32, pw_intent>(
                creating: 2, name: Self.name, maxEntries: UInt32(truncatingIfNeeded: entries.count + 1))
            try map.update(key: 0, value: first)
            try map.updateTogether(count: entries.count) { index in
                let entry = entries[index]
                return (UInt32(truncatingIfNeeded: index + 1), intents[entry.intent].entry(entry.number))
            }
            return map
        }
    }

    private static func header(count: Int) -> pw_intent {
        var header = pw_intent()
        header.flags = UInt32(PW_INTENT_HEADER)
        header.magic = UInt32(PW_JOURNAL_MAGIC)
        header.version = UInt32(PW_JOURNAL_VERSION)
        header.abi_version = UInt32(PW_ABI_VERSION)
        header.direction = Direction.forward.rawValue
        header.count = UInt32(truncatingIfNeeded: count)
        return header
    }

    /// Opens the one that a command has left in a state; nil where all is done.
    init?(in directory: String) throws(PseudowireError) {
        let path = "\(directory)/\(Self.name)"
        guard FileSystem.exists(path) else { return nil }
        let map = try Self.open(path)
        guard let header = try bpf({ () throws(BPFError) in try map[0] }),
            header.magic == UInt32(PW_JOURNAL_MAGIC), header.version == UInt32(PW_JOURNAL_VERSION),
            header.abi_version == UInt32(PW_ABI_VERSION)
        else { throw Self.unreadable(path) }
        self.map = map
    }

    private static func open(_ path: String) throws(PseudowireError) -> Map<UInt32, pw_intent> {
        do throws(BPFError) {
            return try Map(pinnedAt: path)
        } catch {
            if case .mapDiffers = error.cause { throw unreadable(path) }
            throw .bpf(error)
        }
    }

    private static func unreadable(_ path: String) -> PseudowireError {
        .refused("\(path) is a journal that this program cannot read; use the release that wrote it")
    }

    /// Says that it is meant.
    func pin(in directory: String) throws(PseudowireError) {
        try bpf { () throws(BPFError) in try map.pin(at: "\(directory)/\(Self.name)") }
    }

    /// Says that nothing is left to do.
    static func remove(from directory: String) throws(PseudowireError) {
        try bpf { () throws(BPFError) in _ = try BPFFileSystem.unpin("\(directory)/\(name)") }
    }

    var direction: Direction {
        get throws(PseudowireError) {
            let header = try bpf { () throws(BPFError) in try map[0] }
            return header.flatMap { Direction(rawValue: $0.direction) } ?? .forward
        }
    }

    /// From here on it is to be undone.
    func turnBack() throws(PseudowireError) {
        try bpf { () throws(BPFError) in
            guard var header = try map[0] else { return }
            header.direction = Direction.back.rawValue
            try map.update(key: 0, value: header)
        }
    }

    /// What is written in it, by name.
    func intents(interfaceName: (UInt32) -> String?) throws(PseudowireError) -> [Intent] {
        var intents: [String: Intent] = [:]
        for (_, entry) in try bpf({ () throws(BPFError) in try map.entries() })
        where entry.flags & UInt32(PW_INTENT_HEADER) == 0 {
            let name = entry.name.string
            guard intents[name, default: Intent(name: name)].take(entry, interfaceName: interfaceName) else {
                throw .refused("the journal's entry for \(name) makes no sense")
            }
        }
        return intents.values.sorted { $0.name < $1.name }
    }
}
