/// A BPF classifier that is to be put on a hook (`cls_bpf`), for frames of all protocols.
///
/// Priority and handle are not optional: without them the kernel picks some, and what was meant as a replacement
/// becomes a second filter.
public struct BPFFilter: Hashable, Sendable {
    /// The program's descriptor; it stays the caller's, the filter holds the program by itself.
    public var program: Int32
    /// Shown in listings; at most 255 octets.
    public var name: String
    /// Lower runs first.
    public var priority: UInt16
    /// Tells apart filters of one priority.
    public var handle: UInt32
    public var chain: UInt32
    /// The program's return value is the verdict; without it, it is a class.
    public var isDirectAction: Bool

    public init(
        program: Int32, name: String, priority: UInt16, handle: UInt32, chain: UInt32 = 0, isDirectAction: Bool = true
    ) {
        self.program = program
        self.name = name
        self.priority = priority
        self.handle = handle
        self.chain = chain
        self.isDirectAction = isDirectAction
    }
}

/// A filter as the kernel describes it.
public struct FilterInfo: Hashable, Sendable {
    /// `bpf`, `u32`, `flower`, …
    public var kind: String
    public var priority: UInt16
    public var handle: UInt32
    /// Which frames it sees, an ethertype in host order; 3 is all (`ETH_P_ALL`).
    public var protocolNumber: UInt16
    public var chain: UInt32
    /// Of kind `bpf` only, as all that follow.
    public var name: String?
    /// The kernel's number of the program: what tells whose filter it is.
    public var programID: UInt32?
    /// Eight octets. Changes with kernel and compiler; not for comparing.
    public var programTag: [UInt8]?
    public var isDirectAction: Bool
}
