/// What an answer about an interface holds beyond the usual, or leaves out of it: `IFLA_EXT_MASK`.
///
/// ```swift
/// let index = try client.links.find(named: "eth0", .withoutIPv6Statistics)?.index
/// ```
public struct LinkDetails: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// How many virtual functions hardware has; `Link` does not decode them.
    ///
    /// The corresponding C constant is `RTEXT_FILTER_VF`.
    public static let virtualFunctions = LinkDetails(rawValue: 1)
    /// None of IPv6's own counters, which are a third of an answer; `LinkStatistics` is not among them.
    ///
    /// The corresponding C constant is `RTEXT_FILTER_SKIP_STATS`.
    public static let withoutIPv6Statistics = LinkDetails(rawValue: 8)
}
