public import InternetAddress

/// Which packets are looked up in which routing table.
///
/// ```swift
/// try client.rules.add(Rule(.v4, mark: 0x10, table: 100, priority: 1000))
/// ```
///
/// Source: `struct fib_rule_hdr` and `FRA_*` of `linux/fib_rules.h`.
public struct Rule: Hashable, Sendable {
    /// What becomes of a packet that the rule fits, `FR_ACT_*`.
    public struct Action: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Looked up in the rule's table.
        ///
        /// The corresponding C constant is `FR_ACT_TO_TBL`.
        public static let lookup = Action(rawValue: 1)
        /// Dropped in silence.
        ///
        /// The corresponding C constant is `FR_ACT_BLACKHOLE`.
        public static let blackhole = Action(rawValue: 6)
        /// Answered "network unreachable".
        ///
        /// The corresponding C constant is `FR_ACT_UNREACHABLE`.
        public static let unreachable = Action(rawValue: 7)
        /// Answered "administratively prohibited".
        ///
        /// The corresponding C constant is `FR_ACT_PROHIBIT`.
        public static let prohibit = Action(rawValue: 8)
    }

    /// The family of packets that it is asked about; prefixes of the other one are refused.
    public var family: IPAddress.Family
    /// Packets from there; nil for everywhere.
    public var source: IPPrefix?
    /// Packets to there; nil for everywhere.
    public var destination: IPPrefix?
    /// The name of the interface that packets arrived by, `lo` for our own; it need not exist.
    public var inputInterface: String?
    /// The name of the interface that the sending socket is bound to; it need not exist.
    public var outputInterface: String?
    /// Packets with this mark, in the bits of `markMask`.
    public var mark: UInt32?
    /// The kernel fills in all ones where a rule has a mark and no mask.
    public var markMask: UInt32?
    /// Zero for an action that needs no table.
    public var table: UInt32
    /// Rules are asked in ascending order; nil lets the kernel choose one before all that it has.
    public var priority: UInt32?
    /// Passes over routes whose prefix has this length or less: 0 suppresses default routes.
    public var suppressPrefixLength: UInt32?
    /// What becomes of a packet that it fits: looked up in `table` unless stated.
    public var action: Action
    /// Whether the rule fits the packets that its conditions do not fit.
    public var isInverted: Bool

    public init(
        _ family: IPAddress.Family, from source: IPPrefix? = nil, to destination: IPPrefix? = nil,
        inputInterface: String? = nil, outputInterface: String? = nil, mark: UInt32? = nil, markMask: UInt32? = nil,
        table: UInt32 = Route.mainTable, priority: UInt32? = nil, suppressPrefixLength: UInt32? = nil,
        action: Action = .lookup, isInverted: Bool = false
    ) {
        self.family = family
        self.source = source
        self.destination = destination
        self.inputInterface = inputInterface
        self.outputInterface = outputInterface
        self.mark = mark
        self.markMask = markMask
        self.table = table
        self.priority = priority
        self.suppressPrefixLength = suppressPrefixLength
        self.action = action
        self.isInverted = isInverted
    }
}

extension Rule: CustomStringConvertible {
    /// As `ip rule` words it, as far as it tells rules apart.
    public var description: String {
        var text = isInverted ? "not " : ""
        text += "from \(source.map { "\($0)" } ?? "all")"
        if let destination { text += " to \(destination)" }
        if let mark { text += " fwmark \(mark)" }
        if let inputInterface { text += " iif \(inputInterface)" }
        if let outputInterface { text += " oif \(outputInterface)" }
        if action == .lookup { text += " table \(table)" }
        if let priority { text += " priority \(priority)" }
        return text
    }
}
