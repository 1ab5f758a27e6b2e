internal import ArgumentParser
internal import Pseudowire

struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a pseudowire.",
        discussion: """
            Session ids and cookies belong to their receiver: --session-id and --expect-cookie are what the peer sends \
            to us, --peer-session-id and --send-cookie what we send to it.
            """)

    @Argument(help: ArgumentHelp("What to call it here.", valueName: "NAME"))
    var name: String

    @Option(help: ArgumentHelp("Interface whose frames are carried.", valueName: "IF"))
    var access: String?

    @Option(help: ArgumentHelp("Our address.", valueName: "ADDR"))
    var local: String?

    @Option(help: ArgumentHelp("The peer's address.", valueName: "ADDR"))
    var peer: String?

    @Option(help: ArgumentHelp("Our session id, 1 to 4294967295.", valueName: "N"))
    var sessionID: String?

    @Option(help: ArgumentHelp("The peer's session id.", valueName: "N"))
    var peerSessionID: String?

    @Option(help: ArgumentHelp("Encapsulation (default: udp).", valueName: "udp|ip"))
    var encap: String?

    @Option(help: ArgumentHelp("Our UDP port (default: 1701).", valueName: "PORT"))
    var localPort: String?

    @Option(help: ArgumentHelp("The peer's UDP port (default: 1701).", valueName: "PORT"))
    var peerPort: String?

    @Option(
        help: ArgumentHelp(
            "Interface at which the peer's packets arrive; may be repeated (default: by route and address).",
            valueName: "IF"))
    var underlay: [String] = []

    @Option(help: ArgumentHelp("Cookie that we send: 8 or 16 hexadecimal digits.", valueName: "HEX"))
    var sendCookie: String?

    @Option(help: ArgumentHelp("Cookie that we accept; may be repeated once.", valueName: "HEX"))
    var expectCookie: [String] = []

    @Option(help: ArgumentHelp("L2-specific sublayer (default: default).", valueName: "default|none"))
    var sublayer: String?

    @Option(
        help: ArgumentHelp(
            "Outer UDP checksum (default: auto: zero over IPv4, full over IPv6).", valueName: "auto|zero|full"))
    var udpChecksum: String?

    @Option(help: ArgumentHelp("Outer TTL or hop limit (default: 64).", valueName: "N"))
    var ttl: String?

    @Option(help: ArgumentHelp("Outer DSCP, 0 to 63 (default: 0).", valueName: "N"))
    var dscp: String?

    @Option(
        help: ArgumentHelp(
            "Who segments and fills in checksums: the card, or the datapath (default: auto: the datapath if the underlay is a veth).",
            valueName: "auto|keep|finish"))
    var offload: String?

    @Option(
        help: ArgumentHelp(
            "How many pseudowires there can be here; the first one decides (default: 65536).", valueName: "N"))
    var maxSessions: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        var options = PseudowireOptions(name: name)
        options.access = access
        options.encap = encap
        options.local = local
        options.peer = peer
        options.localPort = localPort
        options.peerPort = peerPort
        options.sessionID = sessionID
        options.peerSessionID = peerSessionID
        options.underlay = underlay
        options.sendCookie = sendCookie
        options.expectCookie = expectCookie
        options.sublayer = sublayer
        options.udpChecksum = udpChecksum
        options.ttl = ttl
        options.dscp = dscp
        options.offload = offload
        options.maxSessions = maxSessions
        let manager = try common.manager()
        try common.change(manager) { () throws(PseudowireError) in try manager.plan(adding: options) }
    }
}
