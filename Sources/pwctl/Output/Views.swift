internal import FoundationEssentials
internal import Pseudowire

/// JSON as this program prints it: keys are the command line's option names.
enum JSONText {
    /// On one line, for those who read line by line.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Counters for machines to read.
struct CountersView: Encodable {
    let txFrames, txOctets, txDropped, rxFrames, rxOctets, rxDropped, replies: UInt64
    let drops: [String: UInt64]

    enum CodingKeys: String, CodingKey {
        case drops, replies
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
        replies = statistics.replies
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

    init(_ wires: [PseudowireStatus], _ drops: [DropCount]) {
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

/// `trace --json`, one a line.
struct EventView: Encodable {
    let time: UInt64
    let reason: String
    let sessionID: UInt32
    let source: String?
    let destination: String?
    let sourcePort: UInt16?
    let destinationPort: UInt16?
    let interface: UInt32
    let length: Int

    enum CodingKeys: String, CodingKey {
        case time, reason, source, destination, interface, length
        case sessionID = "session-id"
        case sourcePort = "source-port"
        case destinationPort = "destination-port"
    }

    init(_ event: PacketEvent) {
        time = event.time
        reason = event.reason.identifier
        sessionID = event.session
        source = event.addresses.map { "\($0.source)" }
        destination = event.addresses.map { "\($0.destination)" }
        sourcePort = event.ports?.source
        destinationPort = event.ports?.destination
        interface = event.interface
        length = event.length
    }
}
