import CPseudowireMNL

/// A BPF program to be put on a hook, `cls_bpf`.
///
/// ```swift
/// let filter = BPFFilter(program: fd, name: "pseudowire", priority: 1, handle: 1)
/// try client.filters.add(filter, at: TrafficHook(link: index, direction: .ingress))
/// ```
///
/// Priority and handle name the filter. Neither may be zero: the kernel would pick one, and a `replace` would then add
/// a second filter beside the first. It sees frames of every protocol (`ETH_P_ALL`).
public struct BPFFilter: Hashable, Sendable {
    /// A descriptor of a loaded program of type `SCHED_CLS`, lent until the call returns; the kernel holds its own.
    public var program: Int32
    /// Shown by `tc filter show`; at most 255 bytes, no key.
    public var name: String
    /// Lower ones run first; at least 1.
    public var priority: UInt16
    /// At least 1.
    public var handle: UInt32
    public var chain: UInt32
    /// Whether the program's result is the verdict, rather than a class.
    public var directAction: Bool

    public init(
        program: Int32, name: String, priority: UInt16, handle: UInt32, chain: UInt32 = 0, directAction: Bool = true
    ) {
        self.program = program
        self.name = name
        self.priority = priority
        self.handle = handle
        self.chain = chain
        self.directAction = directAction
    }
}

/// A BPF filter as the kernel holds it.
public struct BPFFilterInfo: Hashable, Sendable {
    public var hook: TrafficHook
    public var priority: UInt16
    public var handle: UInt32
    public var chain: UInt32
    public var name: String?
    /// The kernel's number of the program: what tells ours from others'.
    public var programID: UInt32?
    /// The first eight bytes of the hash over the program's instructions.
    public var programTag: [UInt8]?
    public var isDirectAction: Bool
}

/// A filter of any kind on a hook.
public struct FilterInfo: Hashable, Sendable {
    /// As `bpf`, `flower`, `matchall`.
    public var kind: String
    public var priority: UInt16
    public var handle: UInt32
    /// The Ethernet type that it looks at; 3 (`ETH_P_ALL`) for every one.
    public var `protocol`: UInt16
    public var chain: UInt32
    /// Kind `bpf` only, as are the following.
    public var name: String?
    /// The kernel's number of the program.
    public var programID: UInt32?
    public var programTag: [UInt8]?
    public var isDirectAction: Bool
}

extension FilterInfo {
    /// Reads an `RTM_NEWTFILTER`; nil for anything else, and for the entry without a handle that heads each priority.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWTFILTER else { return nil }
        try message.require(20, "tcmsg")
        let info: UInt32 = message.field(16)
        self.init(
            kind: "", priority: UInt16(truncatingIfNeeded: info >> 16), handle: message.field(8),
            protocol: UInt16(bigEndian: UInt16(truncatingIfNeeded: info)), chain: 0, isDirectAction: false)
        var hasOptions = false
        var cursor = message.attributes(after: 20)
        while let attribute = cursor.next() {
            switch attribute.type {
            case TCA_KIND: kind = attribute.text
            case TCA_CHAIN: chain = try attribute.integer()
            case TCA_OPTIONS: hasOptions = true
            default: continue
            }
        }
        guard handle != 0 || hasOptions else { return nil }
        guard kind == "bpf" else { return }
        // The kind decides what the options mean, wherever it stands in the message.
        cursor = message.attributes(after: 20)
        while let attribute = cursor.next() {
            guard attribute.type == TCA_OPTIONS else { continue }
            var options = attribute.attributes
            while let option = options.next() {
                switch option.type {
                case TCA_BPF_NAME: name = option.text
                case TCA_BPF_ID: programID = try option.integer()
                case TCA_BPF_TAG: programTag = option.payload.array
                case TCA_BPF_FLAGS: isDirectAction = try option.integer(UInt32.self) & BPFFilter.directActionFlag != 0
                default: continue
                }
            }
        }
    }
}

extension BPFFilter {
    /// `TCA_BPF_FLAG_ACT_DIRECT`, which the importer drops.
    static let directActionFlag: UInt32 = 1
}

extension BPFFilterInfo {
    init?(_ filter: FilterInfo, at hook: TrafficHook) {
        guard filter.kind == "bpf" else { return nil }
        self.init(
            hook: hook, priority: filter.priority, handle: filter.handle, chain: filter.chain, name: filter.name,
            programID: filter.programID, programTag: filter.programTag, isDirectAction: filter.isDirectAction)
    }
}
