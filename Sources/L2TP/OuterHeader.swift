public import InternetAddress

/// The IP header, and the UDP header, under which a frame crosses the network.
///
/// ```swift
/// let outer = OuterHeader(source: "192.0.2.21", destination: "192.0.2.22", encapsulation: .udp)
/// outer.sourcePort        // 1701
/// outer.dontFragment      // true
/// ```
///
/// The initialiser sets fields that a packet of this kind does not have to what the receiver will report: over IP both
/// ports are 0 and the checksum is `zero`; IPv4 has no flow label; IPv6 has no identification and is never fragmented
/// on the way. So a header that was sent equals the header that was received.
public struct OuterHeader: Hashable, Sendable {
    /// What stands in the UDP checksum.
    public enum UDPChecksum: String, Hashable, Sendable, CaseIterable, Codable {
        /// No checksum, which tunnels may do: RFC 768 for IPv4, RFC 6935 and RFC 6936 for IPv6.
        case zero
        /// The checksum over pseudo-header, UDP header and the whole payload.
        case full
    }

    /// The sender's address; its family is the packet's.
    public var source: IPAddress
    /// Of the same family as `source`.
    public var destination: IPAddress
    /// Whether UDP or L2TP follows the IP header.
    public var encapsulation: Encapsulation
    /// Host order; 0 over IP.
    public var sourcePort: UInt16
    /// Host order; 0 over IP.
    public var destinationPort: UInt16
    /// IPv4's time to live, IPv6's hop limit.
    public var ttl: UInt8
    /// DSCP in the upper six bits, ECN in the lower two: IPv4's TOS, IPv6's traffic class.
    public var trafficClass: UInt8
    /// IPv4's DF; true over IPv6, where nobody fragments on the way.
    public var dontFragment: Bool
    /// IPv4's identification, host order; 0 over IPv6.
    public var identification: UInt16
    /// IPv6's flow label, 20 bits; 0 over IPv4.
    public var flowLabel: UInt32
    /// `zero` over IP, which has none.
    public var udpChecksum: UDPChecksum

    public init(
        source: IPAddress, destination: IPAddress, encapsulation: Encapsulation,
        sourcePort: UInt16 = Encapsulation.defaultPort, destinationPort: UInt16 = Encapsulation.defaultPort,
        ttl: UInt8 = 64, trafficClass: UInt8 = 0, dontFragment: Bool = true, identification: UInt16 = 0,
        flowLabel: UInt32 = 0, udpChecksum: UDPChecksum = .full
    ) {
        let isUDP = encapsulation == .udp
        let isIPv4 = source.family == .v4
        self.source = source
        self.destination = destination
        self.encapsulation = encapsulation
        self.sourcePort = isUDP ? sourcePort : 0
        self.destinationPort = isUDP ? destinationPort : 0
        self.ttl = ttl
        self.trafficClass = trafficClass
        self.dontFragment = isIPv4 ? dontFragment : true
        self.identification = isIPv4 ? identification : 0
        self.flowLabel = isIPv4 ? 0 : flowLabel
        self.udpChecksum = isUDP ? udpChecksum : .zero
    }
}
