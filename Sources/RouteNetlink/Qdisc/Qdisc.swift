/// A queueing discipline.
public struct Qdisc: Hashable, Sendable {
    /// The kernel's name: `clsact`, `noqueue`, `fq_codel`.
    public var kind: String
    public var link: LinkIndex
    public var handle: UInt32
    public var parent: UInt32
}
