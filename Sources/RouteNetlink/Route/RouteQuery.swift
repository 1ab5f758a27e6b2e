public import InternetAddress

/// A packet to be looked up in the routes, as `ip route get` has it.
///
/// ```swift
/// var query = RouteQuery(to: "198.51.100.7")
/// query.outputInterface = index
/// let way = try client.routes.lookup(query)
/// ```
public struct RouteQuery: Hashable, Sendable {
    /// Where the packet goes; decides the family.
    public var destination: IPAddress
    /// The packet's source address, of the same family; nil lets the kernel choose, as for a socket that is not
    /// bound.
    public var source: IPAddress?
    /// The packet's firewall mark, for rules to look at.
    public var mark: UInt32?
    /// The interface that its socket is bound to.
    public var outputInterface: LinkIndex?
    /// The user that its socket belongs to, for rules to look at (Linux 4.10).
    public var userID: UInt32?
    /// Whether the answer is the route as it was added, with its prefix, rather than what it means for this packet
    /// (Linux 4.13).
    public var wantsRoute: Bool

    public init(
        to destination: IPAddress, from source: IPAddress? = nil, mark: UInt32? = nil,
        outputInterface: LinkIndex? = nil, userID: UInt32? = nil, wantsRoute: Bool = false
    ) {
        self.destination = destination
        self.source = source
        self.mark = mark
        self.outputInterface = outputInterface
        self.userID = userID
        self.wantsRoute = wantsRoute
    }
}
