internal import FoundationEssentials
internal import Pseudowire

/// JSON as this program prints it: keys are the command line's option names.
enum JSONText {
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A pseudowire for machines to read.
struct PseudowireView: Encodable {
    let name: String
    let access: String
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
    let udpChecksum: String?
    let ttl: UInt8
    let dscp: UInt8
    let offload: String
    let underlay: [String]
    let nextHop: String?
    let mtu: Int?
    let health: HealthView
    let statistics: CountersView

    struct HealthView: Encodable {
        let state: String
        let sentence: String
    }

    enum CodingKeys: String, CodingKey {
        case name, access, encap, local, peer, sublayer, ttl, dscp, offload, underlay, mtu, health, statistics
        case localPort = "local-port"
        case peerPort = "peer-port"
        case sessionID = "session-id"
        case peerSessionID = "peer-session-id"
        case sendCookie = "send-cookie"
        case expectCookie = "expect-cookie"
        case udpChecksum = "udp-checksum"
        case nextHop = "next-hop"
    }

    init(_ wire: Pseudowire) {
        let tunnel = wire.configuration.tunnel
        let session = wire.configuration.session
        let isUDP = tunnel.encapsulation == .udp
        name = wire.name
        access = wire.configuration.access
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
        udpChecksum = isUDP ? tunnel.udpChecksum.rawValue : nil
        ttl = wire.configuration.ttl
        dscp = wire.configuration.dscp
        offload = wire.configuration.offload.rawValue
        underlay = wire.underlays
        nextHop = wire.nextHop
        mtu = wire.mtu
        health = HealthView(state: wire.health.state.rawValue, sentence: wire.health.sentence)
        statistics = CountersView(wire.statistics)
    }
}

/// Counters for machines to read.
struct CountersView: Encodable {
    let txFrames, txOctets, txDropped, rxFrames, rxOctets, rxDropped: UInt64
    let drops: [String: UInt64]

    enum CodingKeys: String, CodingKey {
        case drops
        case txFrames = "tx-frames"
        case txOctets = "tx-octets"
        case txDropped = "tx-dropped"
        case rxFrames = "rx-frames"
        case rxOctets = "rx-octets"
        case rxDropped = "rx-dropped"
    }

    init(_ statistics: Statistics) {
        txFrames = statistics.txFrames
        txOctets = statistics.txOctets
        txDropped = statistics.txDropped
        rxFrames = statistics.rxFrames
        rxOctets = statistics.rxOctets
        rxDropped = statistics.rxDropped
        drops = Self.byIdentifier(statistics.drops)
    }

    static func byIdentifier(_ drops: [DropCount]) -> [String: UInt64] {
        Dictionary(drops.map { ($0.reason.identifier, $0.count) }, uniquingKeysWith: +)
    }
}

/// `stats --json`.
struct StatisticsView: Encodable {
    let pseudowires: [String: CountersView]
    /// By reason, of the whole namespace.
    let namespace: [String: UInt64]

    init(_ wires: [Pseudowire], _ drops: [DropCount]) {
        pseudowires = Dictionary(wires.map { ($0.name, CountersView($0.statistics)) }, uniquingKeysWith: { $1 })
        namespace = CountersView.byIdentifier(drops)
    }
}

/// `doctor --json`.
struct FindingView: Encodable {
    let severity: String
    let subject: String
    let message: String
    let cure: String?

    init(_ finding: Finding) {
        severity = finding.severity.rawValue
        subject = finding.subject
        message = finding.message
        cure = finding.cure
    }
}
