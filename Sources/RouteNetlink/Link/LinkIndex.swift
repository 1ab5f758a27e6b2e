/// The kernel's number of an interface, unique within its network namespace.
///
/// ```swift
/// let index = try client.links.find(named: "eth0")?.index
/// ```
public struct LinkIndex: RawRepresentable, Hashable, Sendable, BitwiseCopyable, Comparable, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public var description: String { "\(rawValue)" }

    public static func < (left: LinkIndex, right: LinkIndex) -> Bool { left.rawValue < right.rawValue }
}

extension LinkIndex {
    /// An index from an `int` of the kernel's; nil for zero and negative numbers, which mean "none".
    init?(_ value: Int32) {
        guard value > 0 else { return nil }
        self.init(rawValue: UInt32(value))
    }

    /// The index as the `int` that family headers hold; an index beyond it names no interface.
    var header: Int32 { Int32(clamping: rawValue) }
}
