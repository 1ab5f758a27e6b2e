internal import ArgumentParser
internal import Pseudowire

/// What can be said of a pseudowire; each flag is one of ``PseudowireOption``.
struct WireOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Interface all of whose frames are carried, also those for this machine itself: not the one you are logged in by.
            """,
            valueName: "IF"))
    var access: String?

    @Option(
        help: ArgumentHelp(
            "Interface to make instead, down at first; it goes with the pseudowire.", valueName: "NAME"))
    var interface: String?

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
            "Sequence numbers: send numbers frames, receive refuses those without or late (default: none).",
            valueName: "none|send|receive|both"))
    var sequence: String?

    @Option(
        help: ArgumentHelp(
            "Carry all frames, those without a tag, or those of one VLAN (default: any).", valueName: "any|none|ID"))
    var vlan: String?

    @Option(help: ArgumentHelp("The tag that --vlan ID means (default: 802.1Q).", valueName: "802.1Q|802.1ad"))
    var vlanProtocol: String?

    @Option(
        help: ArgumentHelp(
            "Carry the tag of --vlan ID, take it off, or send the id that the peer has (default: keep).",
            valueName: "keep|strip|ID"))
    var vlanTag: String?

    @Option(
        help: ArgumentHelp("Largest IP packet inside (default: auto: what the path takes).", valueName: "auto|N"))
    var mtu: String?

    @Option(
        help: ArgumentHelp(
            "What does not fit: cut IPv4 packets before encapsulation, drop, or cut outer packets (default: fragment).",
            valueName: "fragment|drop|outer"))
    var oversize: String?

    @Option(help: ArgumentHelp("Tell senders by ICMP what does not fit (default: on).", valueName: "on|off"))
    var icmp: String?

    @Option(help: ArgumentHelp("Have TCP agree on segments that fit (default: on).", valueName: "on|off"))
    var mssClamp: String?

    @Option(
        help: ArgumentHelp(
            "Outer don't-fragment bit, IPv4 only (default: set; clear with --oversize outer).", valueName: "set|clear"))
    var df: String?

    @Option(
        help: ArgumentHelp(
            "Outer UDP checksum (default: auto: zero over IPv4, full over IPv6).", valueName: "auto|zero|full"))
    var udpChecksum: String?

    @Option(help: ArgumentHelp("Outer TTL or hop limit (default: 64).", valueName: "N"))
    var ttl: String?

    @Option(
        help: ArgumentHelp("Outer DSCP, 0 to 63, or that of the packet inside (default: 0).", valueName: "inherit|N"))
    var dscp: String?

    @Option(
        help: ArgumentHelp(
            "Outer ECN: none, or with normal that of the packet inside, whose marks the peer must hand on (default: compatibility).",
            valueName: "compatibility|normal"))
    var ecn: String?

    @Option(
        help: ArgumentHelp("Outer flow label, from the inner flow; IPv6 only (default: auto).", valueName: "auto|zero"))
    var flowLabel: String?

    @Option(
        help: ArgumentHelp(
            "send: UDP source port by the inner flow, which Linux as peer refuses; receive: any is taken (default: none).",
            valueName: "none|send|receive|both"))
    var portEntropy: String?

    @Option(
        help: ArgumentHelp(
            "Who segments and fills in checksums: the card, or the datapath (default: auto: the datapath if the underlay is a veth).",
            valueName: "auto|keep|finish"))
    var offload: String?

    @Option(
        help: ArgumentHelp(
            """
            Where the filters are put on the interfaces (default: auto: tcx where the kernel has it, and XDP programs before \
            it on hardware whose driver has native XDP); xdp: these on every interface.
            """,
            valueName: "auto|xdp|tcx|clsact"))
    var attach: String?

    @Option(
        help: ArgumentHelp(
            "Join TCP segments from the peer into large frames (default: auto: on if the access interface is a veth).",
            valueName: "auto|on|off"))
    var coalesce: String?

    /// The words, not yet understood.
    func options(_ name: String) -> PseudowireOptions {
        var options = PseudowireOptions(name: name)
        options.access = access
        options.interface = interface
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
        options.sequence = sequence
        options.vlan = vlan
        options.vlanProtocol = vlanProtocol
        options.vlanTag = vlanTag
        options.mtu = mtu
        options.oversize = oversize
        options.icmp = icmp
        options.mssClamp = mssClamp
        options.df = df
        options.udpChecksum = udpChecksum
        options.ttl = ttl
        options.dscp = dscp
        options.ecn = ecn
        options.flowLabel = flowLabel
        options.portEntropy = portEntropy
        options.offload = offload
        options.attach = attach
        options.coalesce = coalesce
        return options
    }
}
