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

    private let map: Map<pw_name, pw_intent>

    /// Writes it down; nobody knows of it yet.
    init(_ intents: [Intent]) throws(PseudowireError) {
        var header = pw_intent()
        header.flags = UInt32(PW_INTENT_HEADER)
        header.magic = UInt32(PW_JOURNAL_MAGIC)
        header.version = UInt32(PW_JOURNAL_VERSION)
        header.abi_version = UInt32(PW_ABI_VERSION)
        header.direction = Direction.forward.rawValue
        header.count = UInt32(truncatingIfNeeded: intents.count)
        let (first, count) = (header, intents.count + 1)
        map = try bpf { () throws(BPFError) in
            // BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC.
            let map = try Map<pw_name, pw_intent>(
                creating: 1, name: Self.name, maxEntries: UInt32(truncatingIfNeeded: count), flags: 1)
            try map.update(count: count) { index in
                index == 0 ? (pw_name(""), first) : (pw_name(intents[index - 1].name), intents[index - 1].value)
            }
            return map
        }
    }

    /// Opens the one that a command has left in a state; nil where all is done.
    init?(in directory: String) throws(PseudowireError) {
        let path = "\(directory)/\(Self.name)"
        guard FileSystem.exists(path) else { return nil }
        let map = try bpf { () throws(BPFError) in try Map<pw_name, pw_intent>(pinnedAt: path) }
        guard let header = try bpf({ () throws(BPFError) in try map[pw_name("")] }),
            header.magic == UInt32(PW_JOURNAL_MAGIC), header.version == UInt32(PW_JOURNAL_VERSION),
            header.abi_version == UInt32(PW_ABI_VERSION)
        else { throw .refused("\(path) is a journal that this program cannot read; use the release that wrote it") }
        self.map = map
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
            let header = try bpf { () throws(BPFError) in try map[pw_name("")] }
            return header.flatMap { Direction(rawValue: $0.direction) } ?? .forward
        }
    }

    /// From here on it is to be undone.
    func turnBack() throws(PseudowireError) {
        try bpf { () throws(BPFError) in
            guard var header = try map[pw_name("")] else { return }
            header.direction = Direction.back.rawValue
            try map.update(key: pw_name(""), value: header)
        }
    }

    /// What is written in it, by name.
    func intents(interfaceName: (UInt32) -> String?) throws(PseudowireError) -> [Intent] {
        var intents: [Intent] = []
        for (key, value) in try bpf({ () throws(BPFError) in try map.entries() })
        where value.flags & UInt32(PW_INTENT_HEADER) == 0 {
            guard let intent = Intent(name: key.string, value: value, interfaceName: interfaceName) else {
                throw .refused("the journal's entry for \(key.string) makes no sense")
            }
            intents.append(intent)
        }
        return intents.sorted { $0.name < $1.name }
    }
}
