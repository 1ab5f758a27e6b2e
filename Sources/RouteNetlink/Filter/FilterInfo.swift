import CPseudowireMNL

/// A BPF filter as the kernel holds it.
public struct BPFFilterInfo: Hashable, Sendable {
    /// The interface and the direction that it hangs on.
    public var hook: TrafficHook
    /// 1…65535: lower ones run first.
    public var priority: UInt16
    /// The kernel's number of the filter within its priority.
    public var handle: UInt32
    /// The chain of the hook that it is in: packets begin in 0.
    public var chain: UInt32
    /// What whoever attached it called it; nil if they gave no name.
    public var name: String?
    /// The kernel's number of the program: what tells ours from others'.
    public var programID: UInt32?
    /// The first eight bytes of the hash over the program's instructions.
    public var programTag: [UInt8]?
    /// Whether the program's result is the verdict, rather than a class.
    ///
    /// The corresponding C constant is `TCA_BPF_FLAG_ACT_DIRECT`.
    public var isDirectAction: Bool

    /// As a kernel would tell of it, for tests of code that reads filters; to attach one, see `BPFFilter`.
    public init(
        hook: TrafficHook, priority: UInt16, handle: UInt32, chain: UInt32 = 0, name: String? = nil,
        programID: UInt32? = nil, programTag: [UInt8]? = nil, isDirectAction: Bool = true
    ) {
        self.hook = hook
        self.priority = priority
        self.handle = handle
        self.chain = chain
        self.name = name
        self.programID = programID
        self.programTag = programTag
        self.isDirectAction = isDirectAction
    }
}

/// A filter of any kind on a hook.
public struct FilterInfo: Hashable, Sendable {
    /// As `bpf`, `flower`, `matchall`.
    public var kind: String
    /// 1…65535: lower ones run first.
    ///
    /// Filters of one chain and priority are of one kind and protocol. A request with 0 is refused.
    public var priority: UInt16
    /// Its number within the priority; what the number means is the kind's to say.
    ///
    /// 0 lets the kernel choose when one is added, and is refused when one is deleted.
    public var handle: UInt32
    /// The Ethernet type that it looks at; 3 (`ETH_P_ALL`) for every one.
    public var `protocol`: UInt16
    /// The chain of the hook that it is in: packets begin in 0, and come to others by a filter's action only.
    public var chain: UInt32
    /// Its parameters, undecoded: the payload of `TCA_OPTIONS`.
    public var options: [UInt8]?
    /// Kind `bpf` only, as are the following.
    public var name: String?
    /// The kernel's number of the program.
    public var programID: UInt32?
    /// The first eight bytes of the hash over the program's instructions.
    public var programTag: [UInt8]?
    /// Whether the program's result is the verdict, rather than a class; false of other kinds.
    ///
    /// It follows from `options` when a filter is listed; one that is added takes it from there as well.
    public var isDirectAction: Bool

    /// A filter of any kind for `Filters.add(_:at:)`; a handle of 0 lets the kernel choose.
    public init(
        kind: String, priority: UInt16, handle: UInt32 = 0, protocol: UInt16 = 3, chain: UInt32 = 0,
        options: [UInt8]? = nil
    ) {
        self.kind = kind
        self.priority = priority
        self.handle = handle
        self.protocol = `protocol`
        self.chain = chain
        self.options = options
        isDirectAction = false
    }
}

extension FilterInfo {
    /// Reads an `RTM_NEWTFILTER`; nil for anything else, and for the entry without a handle that heads each priority.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWTFILTER else { return nil }
        try message.require(20, "tcmsg")
        let info: UInt32 = message.field(16)
        self.init(
            kind: "", priority: UInt16(truncatingIfNeeded: info >> 16), handle: message.field(8),
            protocol: UInt16(bigEndian: UInt16(truncatingIfNeeded: info)))
        var cursor = message.attributes(after: 20)
        while let attribute = cursor.next() {
            switch attribute.type {
            case TCA_KIND: kind = attribute.text
            case TCA_CHAIN: chain = try attribute.integer()
            case TCA_OPTIONS: options = attribute.payload.array
            default: continue
            }
        }
        guard handle != 0 || options != nil else { return nil }
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

extension FilterInfo {
    /// The chain that an `RTM_NEWTFILTER` is about; nil for anything else, and for another priority than `priority`.
    ///
    /// Also of the entry that heads a priority: the kernel has priorities of which that is all (`cls_fw.c`).
    static func chain(_ message: borrowing Message, _ priority: UInt16?) throws(MalformedMessage) -> UInt32? {
        guard message.type == RTM_NEWTFILTER else { return nil }
        try message.require(20, "tcmsg")
        let info: UInt32 = message.field(16)
        if let priority, info >> 16 != UInt32(priority) { return nil }
        var cursor = message.attributes(after: 20)
        while let attribute = cursor.next() {
            if attribute.type == TCA_CHAIN { return try attribute.integer() }
        }
        return 0
    }
}

extension BPFFilterInfo {
    init?(_ filter: FilterInfo, at hook: TrafficHook) {
        guard filter.kind == "bpf" else { return nil }
        self.init(
            hook: hook, priority: filter.priority, handle: filter.handle, chain: filter.chain, name: filter.name,
            programID: filter.programID, programTag: filter.programTag, isDirectAction: filter.isDirectAction)
    }
}
