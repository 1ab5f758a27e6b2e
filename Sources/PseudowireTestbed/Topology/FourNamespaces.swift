import CPseudowireLinux
import Glibc
public import InternetAddress
public import RouteNetlink

/// The network that a pseudowire is shown and tested in: four namespaces in a row, joined by three cables.
///
/// ```swift
/// let network = try FourNamespaces.anonymous()
/// try network.setInnerMTU(1446)
/// // … pseudowires on veth10 in edge1 and on veth23 in edge2 …
/// let outcome = try Echo(to: FourNamespaces.Place.host3.address(.v4)).run(in: network.host0)
/// ```
///
/// ```
/// host0 (veth01) ── (veth10) edge1 (veth12) ── (veth21) edge2 (veth23) ── (veth32) host3
/// ```
///
/// The hosts have addresses of one network, 192.0.1.0/24 and 2001:db8::/64, and nothing between them but what a
/// pseudowire from `veth10` to `veth23` carries: the edges do not forward. The edges reach each other by 192.0.2.0/24
/// and 2001:db8::/64. Everything is up, offloads are the kernel's defaults, nothing is promiscuous, and IPv6 sends
/// neither duplicate address detection nor router solicitations.
///
/// Needs `CAP_SYS_ADMIN` and `CAP_NET_ADMIN`.
public struct FourNamespaces: ~Copyable, Sendable {
    /// A customer's host, with one end of the pseudowire's traffic.
    public let host0: NetworkNamespace
    /// Where the pseudowire ends that `host0` uses.
    public let edge1: NetworkNamespace
    /// Where the pseudowire ends that `host3` uses.
    public let edge2: NetworkNamespace
    /// The host at the far end.
    public let host3: NetworkNamespace

    /// One of the four.
    public enum Place: Int, Hashable, Sendable, CaseIterable {
        case host0, edge1, edge2, host3

        /// `host0` to `host3`.
        public var name: String { "\(self)" }

        /// The names of the place's interfaces, the one towards `host0` first.
        public var interfaces: [String] {
            switch self {
            case .host0: ["veth01"]
            case .edge1: ["veth10", "veth12"]
            case .edge2: ["veth21", "veth23"]
            case .host3: ["veth32"]
            }
        }

        /// The interface that has the addresses: towards the edge at a host, towards the other edge at an edge.
        public var addressedInterface: String {
            switch self {
            case .host0: "veth01"
            case .edge1: "veth12"
            case .edge2: "veth21"
            case .host3: "veth32"
            }
        }

        /// A host's inner address, or an edge's outer one.
        public func address(_ family: IPAddress.Family) -> IPAddress { prefix(family).address }

        /// The same with the length of its network: 24 or 64.
        public func prefix(_ family: IPAddress.Family) -> IPPrefix {
            switch (self, family) {
            case (.host0, .v4): "192.0.1.100/24"
            case (.host0, .v6): "2001:db8::100/64"
            case (.edge1, .v4): "192.0.2.21/24"
            case (.edge1, .v6): "2001:db8::21/64"
            case (.edge2, .v4): "192.0.2.22/24"
            case (.edge2, .v6): "2001:db8::22/64"
            case (.host3, .v4): "192.0.1.103/24"
            case (.host3, .v6): "2001:db8::103/64"
            }
        }
    }

    init(
        host0: consuming NetworkNamespace, edge1: consuming NetworkNamespace, edge2: consuming NetworkNamespace,
        host3: consuming NetworkNamespace
    ) {
        self.host0 = host0
        self.edge1 = edge1
        self.edge2 = edge2
        self.host3 = host3
    }

    /// Builds the network in namespaces without names, which are gone with this value, or with the process.
    ///
    /// - Parameters:
    ///   - underlayMTU: of `veth12` and `veth21`, octets.
    ///   - innerMTU: see ``setInnerMTU(_:)``.
    public static func anonymous(underlayMTU: Int = 1500, innerMTU: Int = 1500) throws(TestbedError) -> FourNamespaces {
        let network = try netlink { () throws(NetlinkError) in
            try FourNamespaces(
                host0: .anonymous(), edge1: .anonymous(), edge2: .anonymous(), host3: .anonymous())
        }
        try network.build(underlayMTU: underlayMTU, innerMTU: innerMTU)
        return network
    }

    /// Lends the namespace of a place.
    public borrowing func withNamespace<Value: ~Copyable, Failure: Error>(
        _ place: Place, _ body: (borrowing NetworkNamespace) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        switch place {
        case .host0: try body(host0)
        case .edge1: try body(edge1)
        case .edge2: try body(edge2)
        case .host3: try body(host3)
        }
    }

    /// A path that leads this process to the namespace, as `/proc/self/fd/5`; it is valid while this value lives.
    public borrowing func path(of place: Place) -> String {
        "/proc/self/fd/\(withNamespace(place) { $0.fileDescriptor })"
    }

    /// Sets what the hosts send at most: the MTU of `veth01` and `veth32`.
    ///
    /// The other ends, `veth10` and `veth23`, are raised to it if theirs is smaller, and never lowered.
    ///
    /// - Parameter mtu: octets; IPv6 goes away below 1280.
    public borrowing func setInnerMTU(_ mtu: Int) throws(TestbedError) {
        // The edges first, so that at no moment a host may send what the other end refuses.
        try setMTU(mtu, of: "veth10", in: edge1, onlyRaise: true)
        try setMTU(mtu, of: "veth23", in: edge2, onlyRaise: true)
        try setMTU(mtu, of: "veth01", in: host0)
        try setMTU(mtu, of: "veth32", in: host3)
    }

    /// Sets the MTU of `veth12` and `veth21`, in octets.
    public borrowing func setUnderlayMTU(_ mtu: Int) throws(TestbedError) {
        try setMTU(mtu, of: "veth12", in: edge1)
        try setMTU(mtu, of: "veth21", in: edge2)
    }

    private borrowing func setMTU(
        _ mtu: Int, of name: String, in namespace: borrowing NetworkNamespace, onlyRaise: Bool = false
    ) throws(TestbedError) {
        let mtu = try Self.checked(mtu: mtu)
        try netlink { () throws(NetlinkError) in
            let client = try RouteClient(in: namespace)
            let link = try client.links.require(name)
            if link.mtu == mtu || onlyRaise && link.mtu > mtu { return }
            try client.links.update(link.index, LinkUpdate(mtu: mtu))
        }
    }

    static func checked(mtu: Int) throws(TestbedError) -> UInt32 {
        guard let value = UInt32(exactly: mtu), (68...65535).contains(value) else {
            throw .refused("an MTU is 68 to 65535 octets, not \(mtu)")
        }
        return value
    }
}
