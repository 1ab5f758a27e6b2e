public import InternetAddress

/// A network interface as it was when it was asked for.
public struct Link: Hashable, Sendable {
    public var index: LinkIndex
    public var name: String
    /// What made it: `veth`, `bridge`, `vxlan`; nil for hardware and loopback. `IFLA_INFO_KIND`.
    public var kind: String?
    /// Free text for people. `IFLA_IFALIAS`.
    public var alias: String?
    /// Octets of the largest packet, link header not counted.
    public var mtu: UInt32
    public var minMTU: UInt32?
    public var maxMTU: UInt32?
    /// Nil where the link layer has no addresses of 48 bits.
    public var address: MACAddress?
    /// The address that the hardware came with. `IFLA_PERM_ADDRESS`, Linux 5.6.
    public var permanentAddress: MACAddress?
    public var flags: LinkFlags
    /// The corresponding C constants are `ARPHRD_*`; 1 is Ethernet.
    public var hardwareType: UInt16
    /// The bridge or bond that it is a port of.
    public var master: LinkIndex?
    /// A veth's other end, a VLAN's lower device: in the namespace ``linkNamespaceID`` says, if it says one.
    public var peer: LinkIndex?
    public var linkNamespaceID: Int32?
    /// The corresponding C constants are `IF_OPER_*`; 6 is up.
    public var operationalState: UInt8
    /// How many want all frames of it, the administrator among them.
    public var promiscuity: UInt32
    /// The largest segmentation-offload frame that it takes, in octets.
    public var gsoMaxSize: UInt32?
    /// Nil where they were not asked for.
    public var statistics: LinkStatistics?
}

/// An interface's counters. `struct rtnl_link_stats64`, whose later fields this kernel may lack: they are 0 then.
public struct LinkStatistics: Hashable, Sendable {
    public var receivedPackets: UInt64
    public var transmittedPackets: UInt64
    public var receivedOctets: UInt64
    public var transmittedOctets: UInt64
    public var receiveErrors: UInt64
    public var transmitErrors: UInt64
    public var receiveDropped: UInt64
    public var transmitDropped: UInt64
    public var multicast: UInt64
}
