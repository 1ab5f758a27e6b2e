internal import InternetAddress
internal import L2TP

/// A pseudowire as people write it: the command line's options, text not yet understood.
///
/// Each property is the flag of its name, as `pwctl create --help` describes it: `localPort` is `--local-port`. Nil, or empty:
/// not given.
///
/// ```swift
/// var options = PseudowireOptions(name: "pw0")
/// options.access = "eth1"
/// options.local = "192.0.2.21"
/// …
/// let configuration = try options.resolve()     // throws ConfigurationFaults: all of them
/// ```
public struct PseudowireOptions: Hashable, Sendable {
    public var name: String
    public var access: String?
    /// An interface to be made, in place of `access`.
    public var interface: String?
    public var encap: String?
    public var local: String?
    public var peer: String?
    public var localPort: String?
    public var peerPort: String?
    public var sessionID: String?
    public var peerSessionID: String?
    public var underlay: [String] = []
    public var sendCookie: String?
    public var expectCookie: [String] = []
    public var sublayer: String?
    public var sequence: String?
    public var vlan: String?
    public var vlanProtocol: String?
    public var vlanTag: String?
    public var mtu: String?
    public var oversize: String?
    public var icmp: String?
    public var mssClamp: String?
    public var df: String?
    public var udpChecksum: String?
    public var ttl: String?
    public var dscp: String?
    public var ecn: String?
    public var flowLabel: String?
    public var portEntropy: String?
    public var offload: String?
    public var attach: String?
    public var coalesce: String?
    /// How many pseudowires there can be in the namespace; not of one pseudowire, but asked for with the first.
    public var maxSessions: String?

    public init(name: String) {
        self.name = name
    }

    /// The configuration that the text means.
    public func resolve() throws(ConfigurationFaults) -> PseudowireConfiguration {
        let (configuration, _, faults) = read()
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return configuration
    }

    /// What could be understood, with stand-ins for what could not, and everything that is wrong with the words.
    func read() -> (configuration: PseudowireConfiguration, maxSessions: UInt32?, faults: [ConfigurationFault]) {
        var reader = Reader()
        let maxSessions = reader.number("max-sessions", self.maxSessions, 1...16_777_216)
        let encapsulation: Encapsulation = reader.choice("encap", encap) ?? .udp
        let local = reader.address("local", self.local)
        let peer = reader.address("peer", self.peer)
        let localSession = reader.session("session-id", sessionID)
        let peerSession = reader.session("peer-session-id", peerSessionID)
        let localPort = reader.number("local-port", self.localPort, 1...65535) ?? UInt64(Encapsulation.defaultPort)
        let peerPort = reader.number("peer-port", self.peerPort, 1...65535) ?? UInt64(Encapsulation.defaultPort)
        let checksum: PseudowireConfiguration.UDPChecksum = reader.choice("udp-checksum", udpChecksum) ?? .auto
        let offload: PseudowireConfiguration.Offload = reader.choice("offload", self.offload) ?? .auto
        let attach: PseudowireConfiguration.Attach = reader.choice("attach", self.attach) ?? .auto
        let coalesce: PseudowireConfiguration.Coalesce = reader.choice("coalesce", self.coalesce) ?? .auto
        let sublayer: Sublayer = reader.choice("sublayer", self.sublayer) ?? .default
        let sending = sendCookie.flatMap { reader.cookie("send-cookie", $0) } ?? .empty
        let expecting = expectCookie.compactMap { reader.cookie("expect-cookie", $0) }
        let ttl = reader.number("ttl", self.ttl, 1...255) ?? 64
        let sequencing: PseudowireConfiguration.Direction = reader.choice("sequence", sequence) ?? .none
        let entropy: PseudowireConfiguration.Direction = reader.choice("port-entropy", portEntropy) ?? .none
        readAccess(&reader)
        if encapsulation == .ip {
            for (field, value) in [
                ("local-port", self.localPort), ("peer-port", self.peerPort), ("udp-checksum", udpChecksum),
                ("port-entropy", portEntropy),
            ] where value != nil && !reader.isFaulty(field) {
                reader.fault(field, PseudowireConfiguration.needsUDP)
            }
        }

        // What could be read is checked further even if other things could not, so that one answer has it all.
        let stand: (IPAddress, IPAddress)? = if let local, let peer { (local, peer) } else { nil }
        let isUDP = encapsulation == .udp
        var configuration = PseudowireConfiguration(
            name: name, access: access ?? interface ?? "-", makesInterface: access == nil && interface != nil,
            tunnel: .init(
                encapsulation: encapsulation, local: stand?.0 ?? "192.0.2.1", peer: stand?.1 ?? "192.0.2.2",
                localPort: isUDP ? UInt16(localPort) : 0, peerPort: isUDP ? UInt16(peerPort) : 0,
                udpChecksum: isUDP ? checksum : .auto, portEntropy: isUDP ? entropy : .none),
            session: .init(
                local: localSession ?? 1, peer: peerSession ?? 1, expecting: expecting, sending: sending,
                sublayer: sublayer, sequencing: sequencing),
            underlays: underlay, ttl: UInt8(ttl), offload: offload, attach: attach, coalesce: coalesce)
        readFrames(&reader, &configuration)
        readMarking(&reader, &configuration)
        readFamily(&reader, &configuration, (local ?? peer)?.family)
        return (configuration, maxSessions.map(UInt32.init), reader.faults + configuration.faults)
    }
}
