internal import Pseudowire

/// A pseudowire for machines to read.
struct PseudowireView: Encodable {
    let name: String
    let access: String?
    let interface: String?
    let encap: String
    let local: String
    let peer: String
    let localPort: UInt16?
    let peerPort: UInt16?
    let sessionID: UInt32
    let peerSessionID: UInt32
    let sendCookie: String?
    let expectCookie: [String]
    let sublayer: String
    let sequence: String
    let vlan: WordOrNumber
    let vlanProtocol: String?
    let vlanTag: WordOrNumber?
    let oversize: String
    let icmp: String
    let mssClamp: String
    let df: String?
    let udpChecksum: String?
    let ttl: UInt8
    let dscp: WordOrNumber
    let ecn: String
    let flowLabel: String?
    let portEntropy: String?
    let offload: String
    /// As asked; where each filter is, by interface, is `hooks`, and whether XDP is before it `xdp`.
    let attach: String
    let hooks: [String: String]
    let xdp: [String: AccelerationView]
    let coalesce: String
    let underlay: [String]
    let nextHop: String?
    /// What crosses now; what was asked for is `configured-mtu`.
    let mtu: Int?
    let configuredMTU: UInt16?
    let health: HealthView
    let statistics: CountersView

    struct HealthView: Encodable {
        let state: String
        let sentence: String
    }

    struct AccelerationView: Encodable {
        let on: Bool
        let reason: String?
    }

    enum CodingKeys: String, CodingKey {
        case name, access, interface, encap, local, peer, sublayer, sequence, vlan, oversize, icmp, df, ttl, dscp, ecn
        case offload, attach, hooks, xdp, coalesce, underlay, mtu, health, statistics
        case vlanProtocol = "vlan-protocol"
        case vlanTag = "vlan-tag"
        case mssClamp = "mss-clamp"
        case flowLabel = "flow-label"
        case portEntropy = "port-entropy"
        case configuredMTU = "configured-mtu"
        case localPort = "local-port"
        case peerPort = "peer-port"
        case sessionID = "session-id"
        case peerSessionID = "peer-session-id"
        case sendCookie = "send-cookie"
        case expectCookie = "expect-cookie"
        case udpChecksum = "udp-checksum"
        case nextHop = "next-hop"
    }

    init(_ wire: PseudowireStatus) {
        let configuration = wire.configuration
        let tunnel = configuration.tunnel
        let session = configuration.session
        let isUDP = tunnel.encapsulation == .udp
        let isIPv4 = tunnel.local.family == .v4
        name = wire.name
        access = configuration.makesInterface ? nil : configuration.access
        interface = configuration.makesInterface ? configuration.access : nil
        encap = tunnel.encapsulation.rawValue
        local = "\(tunnel.local)"
        peer = "\(tunnel.peer)"
        localPort = isUDP ? tunnel.localPort : nil
        peerPort = isUDP ? tunnel.peerPort : nil
        sessionID = session.local.rawValue
        peerSessionID = session.peer.rawValue
        sendCookie = session.sending == .empty ? nil : "\(session.sending)"
        expectCookie = session.expecting.map(\.description)
        sublayer = session.sublayer.rawValue
        sequence = session.sequencing.rawValue
        vlan = WordOrNumber("\(configuration.vlan)")
        if case .id(_, let kind) = configuration.vlan {
            vlanProtocol = kind.rawValue
            vlanTag = WordOrNumber("\(configuration.vlanTag)")
        } else {
            vlanProtocol = nil
            vlanTag = nil
        }
        oversize = configuration.oversize.rawValue
        icmp = configuration.repliesTooBig ? "on" : "off"
        mssClamp = configuration.clampsMSS ? "on" : "off"
        df = isIPv4 ? (configuration.forbidsFragments ? "set" : "clear") : nil
        udpChecksum = isUDP ? tunnel.udpChecksum.rawValue : nil
        ttl = configuration.ttl
        dscp = WordOrNumber("\(configuration.dscp)")
        ecn = configuration.ecn.rawValue
        flowLabel = isIPv4 ? nil : configuration.flowLabel.rawValue
        portEntropy = isUDP ? tunnel.portEntropy.rawValue : nil
        offload = configuration.offload.rawValue
        attach = configuration.attach.rawValue
        hooks = wire.hooks.mapValues(\.rawValue)
        xdp = wire.acceleration.mapValues { AccelerationView(on: $0.isOn, reason: $0.reason) }
        coalesce = configuration.coalesce.rawValue
        underlay = wire.underlays
        nextHop = wire.nextHop
        mtu = wire.mtu
        configuredMTU = configuration.mtu
        health = HealthView(state: wire.health.state.rawValue, sentence: wire.health.sentence)
        statistics = CountersView(wire.statistics)
    }
}

/// An option's value as JSON has it: a number where it is one.
struct WordOrNumber: Encodable {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let number = Int(text) { try container.encode(number) } else { try container.encode(text) }
    }
}
