internal import InternetAddress
internal import L2TP

/// A pseudowire as people write it: the command line's options, text not yet understood.
///
/// Each property is the flag of its name, as `pwctl create --help` describes it: `localPort` is `--local-port`. Nil,
/// or empty: not given, and the default holds. Numbers are decimal, or hexadecimal after `0x`; leading zeros are
/// refused.
///
/// ```swift
/// var options = PseudowireOptions(name: "pw0")
/// options.access = "eth1"
/// options.local = "192.0.2.21"
/// …
/// let configuration = try options.resolve()     // throws ConfigurationFaults: all of them
/// ```
public struct PseudowireOptions: Hashable, Sendable {
    /// 1…31 letters, digits, `-`, `_` or `.`.
    public var name: String
    /// An interface that is there, whose frames are carried.
    ///
    /// Either this or `interface` is needed.
    public var access: String?
    /// An interface to be made, in place of `access`.
    public var interface: String?
    /// `udp`, the default, or `ip`.
    public var encap: String?
    /// Our address, IPv4 or IPv6; needed.
    public var local: String?
    /// The peer's address, of the same family; needed.
    public var peer: String?
    /// Our UDP port, 1…65535; 1701 by default.
    public var localPort: String?
    /// The peer's UDP port, 1…65535; 1701 by default.
    public var peerPort: String?
    /// Our number of the session, 1…4294967295; needed.
    public var sessionID: String?
    /// The peer's number of the session, 1…4294967295; needed.
    public var peerSessionID: String?
    /// At most eight interfaces at which the peer's packets arrive; by default found by route and address.
    public var underlay: [String] = []
    /// 8 or 16 hexadecimal digits; none by default.
    public var sendCookie: String?
    /// At most two cookies of one length, 8 or 16 hexadecimal digits each; none by default.
    public var expectCookie: [String] = []
    /// `default`, the default, or `none`.
    public var sublayer: String?
    /// `none`, the default, `send`, `receive` or `both`.
    public var sequence: String?
    /// `any`, the default, `none`, or the number of a VLAN, 1…4094.
    public var vlan: String?
    /// `802.1Q`, the default, or `802.1ad`; only beside a VLAN's number.
    public var vlanProtocol: String?
    /// `keep`, the default, `strip`, or the number that the peer has, 1…4094; only beside a VLAN's number.
    public var vlanTag: String?
    /// `auto`, the default, or the largest IP packet inside, 68…65535 octets.
    public var mtu: String?
    /// `fragment`, the default, `drop` or `outer`.
    public var oversize: String?
    /// `on`, the default, or `off`.
    public var icmp: String?
    /// `on`, the default, or `off`.
    public var mssClamp: String?
    /// `set`, the default, or `clear`; IPv4 only, and `set` not beside `oversize` `outer`.
    public var df: String?
    /// `auto`, the default, `zero` or `full`; UDP only.
    public var udpChecksum: String?
    /// The outer TTL or hop limit, 1…255; 64 by default.
    public var ttl: String?
    /// `inherit`, or 0…63; 0 by default.
    public var dscp: String?
    /// `compatibility`, the default, or `normal`.
    public var ecn: String?
    /// `auto`, the default, or `zero`; IPv6 only.
    public var flowLabel: String?
    /// `none`, the default, `send`, `receive` or `both`; UDP only.
    public var portEntropy: String?
    /// `auto`, the default, `keep` or `finish`.
    public var offload: String?
    /// `auto`, the default, `clsact`, `tcx` or `xdp`.
    public var attach: String?
    /// `auto`, the default, `on` or `off`.
    public var coalesce: String?
    /// How many pseudowires there can be in the namespace, 1…16777216; by default as many as now, or 65536 where none
    /// is yet.
    ///
    /// Not of one pseudowire, but asked for with the first.
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
