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
    /// The chain of the hook that it is in: packets begin in 0, and come to others by a filter's action only.
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

extension BPFFilter {
    /// `TCA_BPF_FLAG_ACT_DIRECT`, which the importer drops.
    static let directActionFlag: UInt32 = 1
}
