/// How sure the kernel is of a neighbour, `NUD_*` of `linux/neighbour.h`.
public struct NeighborState: OptionSet, Hashable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Asked for, not answered yet.
    ///
    /// The corresponding C constant is `NUD_INCOMPLETE`.
    public static let incomplete = NeighborState(rawValue: 0x01)
    /// Confirmed lately.
    ///
    /// The corresponding C constant is `NUD_REACHABLE`.
    public static let reachable = NeighborState(rawValue: 0x02)
    /// Usable, to be confirmed at the next use.
    ///
    /// The corresponding C constant is `NUD_STALE`.
    public static let stale = NeighborState(rawValue: 0x04)
    /// Used while it was stale: what the traffic confirms within a moment need not be asked.
    ///
    /// The corresponding C constant is `NUD_DELAY`.
    public static let delay = NeighborState(rawValue: 0x08)
    /// Asked again, not answered yet; frames go where they went.
    ///
    /// The corresponding C constant is `NUD_PROBE`.
    public static let probe = NeighborState(rawValue: 0x10)
    /// Nobody answered.
    ///
    /// The corresponding C constant is `NUD_FAILED`.
    public static let failed = NeighborState(rawValue: 0x20)
    /// Needs no resolution.
    ///
    /// The corresponding C constant is `NUD_NOARP`.
    public static let noARP = NeighborState(rawValue: 0x40)
    /// Set by the administrator, never expires.
    ///
    /// The corresponding C constant is `NUD_PERMANENT`.
    public static let permanent = NeighborState(rawValue: 0x80)

    /// Every state in which frames can be sent.
    ///
    /// The corresponding C constant is `NUD_VALID`.
    public static let valid: NeighborState = [.permanent, .noARP, .reachable, .probe, .stale, .delay]
}
