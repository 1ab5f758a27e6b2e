import CPseudowireMNL

/// A connection to the kernel's routing subsystem (rtnetlink) in one network namespace.
///
/// ```swift
/// let client = try RouteClient()
/// let veth = try client.links.create(.veth("left", peer: .init(name: "right")))
/// try client.addresses.add("192.0.2.1/24", to: veth.index)
/// ```
///
/// All calls are synchronous: the kernel answers before `send` returns. One client serves one thread at a time,
/// hence it is not Sendable; open another, they are cheap (about 0.4 ms and two descriptors). The socket stays in
/// its namespace whichever thread uses it, and keeps that namespace alive.
public final class RouteClient {
    let socket: NetlinkSocket
    let namespace: NetworkNamespace
    /// The namespace's number, never reused until the next boot.
    public let namespaceCookie: UInt64
    /// Opened at the first use of a family of generic netlink, as are these.
    var generic: NetlinkSocket?
    var ethtool: EthtoolSocket?
    var netDevices: NetDeviceSocket?
    /// Opened at the first look at IPsec policies.
    var ipsec: NetlinkSocket?
    /// What answers in the kernel's place in a test: then nothing may reach the real one.
    let script: (any NetlinkScript)?
    /// Told of what the kernel says about requests that it did all the same (`NETLINK_EXT_ACK` on success).
    ///
    /// Not of those in a batch, whose successes are not answered one by one.
    public var onWarning: ((NetlinkWarning) -> Void)? {
        get { socket.onWarning }
        set { socket.onWarning = newValue }
    }

    /// Connects to `namespace`.
    public init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        let namespace = try namespace.duplicate()
        socket = try NetlinkSocket(NETLINK_ROUTE, in: namespace)
        namespaceCookie = try socket.namespaceCookie()
        self.namespace = namespace
        script = nil
    }

    /// Connects to the calling thread's namespace.
    public init() throws(NetlinkError) {
        socket = try NetlinkSocket(NETLINK_ROUTE)
        namespaceCookie = try socket.namespaceCookie()
        namespace = try .current()
        script = nil
    }

    /// Speaks to a script, in a test.
    package init(to script: any NetlinkScript) throws(NetlinkError) {
        socket = NetlinkSocket(script.makeRouteTransport(), isRoute: true)
        namespaceCookie = 0
        namespace = try .current()
        self.script = script
    }

    /// Interfaces.
    public var links: Links { Links(client: self) }
    /// Addresses of interfaces.
    public var addresses: Addresses { Addresses(client: self) }
    /// Routes, and lookups in them.
    public var routes: Routes { Routes(client: self) }
    /// Next hops that routes name by number.
    public var nextHops: NextHops { NextHops(client: self) }
    /// Which packets are looked up in which table.
    public var rules: Rules { Rules(client: self) }
    /// Numbers of other namespaces.
    public var namespaces: NamespaceIDs { NamespaceIDs(client: self) }
    /// ARP and neighbour discovery entries.
    public var neighbors: Neighbors { Neighbors(client: self) }
    /// Queueing disciplines, of which clsact matters here.
    public var qdiscs: Qdiscs { Qdiscs(client: self) }
    /// BPF classifiers on clsact hooks.
    public var filters: Filters { Filters(client: self) }
}
