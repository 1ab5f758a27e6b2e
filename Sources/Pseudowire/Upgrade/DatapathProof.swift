internal import BPF
internal import CPseudowireObject
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// Runs a datapath that nobody uses yet on frames of our making, and compares what comes out with what the codec in
/// Swift says, octet for octet.
///
/// It has maps of its own, and runs in a namespace of its own, in which nothing is sent: so the live maps count
/// nothing of it, and nobody's routes matter. Without `CAP_SYS_ADMIN` there is no such namespace to be had: it runs in
/// the process's own, where nothing is sent either, for a test run ends with the verdict; its maps name no interface
/// but the loopback, so that no route is asked for.
struct DatapathProof: ~Copyable {
    /// What makes packets of two sessions differ in shape.
    fileprivate struct Kind: Hashable {
        let family: IPAddress.Family
        let encapsulation: Encapsulation
        let sending: Cookie.Length
        let expecting: Cookie.Length
        let sublayer: Sublayer
        let fillsChecksum: Bool
    }

    private static let loopback: UInt32 = 1
    private static let slot: UInt32 = 1

    private let programs: DatapathPrograms
    private let access: Map<pw_access_key, pw_encap>
    private let sessions: Map<UInt32, pw_decap>

    private init(_ image: DatapathImage) throws(BPFError) {
        let object = try DatapathObject.open(image, maxSessions: 16).load()
        let programs = try DatapathPrograms(object)
        let access: Map<pw_access_key, pw_encap> = try object.map(DatapathObject.MapName.access.rawValue)
        let sessions: Map<UInt32, pw_decap> = try object.map(DatapathObject.MapName.sessions.rawValue)
        self.programs = programs
        self.access = access
        self.sessions = sessions
    }

    /// - Throws: `refused`, with what was expected and what came, at the first frame that comes out otherwise.
    static func run(_ image: DatapathImage, for configurations: [PseudowireConfiguration]) throws(PseudowireError) {
        let proof = try bpf { () throws(BPFError) in try DatapathProof(image) }
        var namespace: NetworkNamespace?
        if Privileges.has(Privileges.sysAdmin) {
            namespace = try netlink { () throws(NetlinkError) in try NetworkNamespace.anonymous() }
        }
        for kind in Set(basic + configurations.map { Kind($0) }) {
            let outcome: Result<String?, BPFError> = try netlink { () throws(NetlinkError) in
                func look() -> Result<String?, BPFError> {
                    Result { () throws(BPFError) in try proof.fault(kind.configuration) }
                }
                return try namespace?.run(look) ?? look()
            }
            if let fault = try bpf({ () throws(BPFError) in try outcome.get() }) {
                throw .refused(
                    """
                    the new datapath failed its proof (\(kind.description)): \(fault); the one that is there carries \
                    frames as before
                    """)
            }
        }
    }

    private static let basic = [IPAddress.Family.v4, .v6].flatMap { family in
        Encapsulation.allCases.map { encapsulation in
            Kind(
                family: family, encapsulation: encapsulation, sending: .zero, expecting: .zero, sublayer: .default,
                fillsChecksum: encapsulation == .udp)
        }
    }

    /// What is wrong, or nil.
    private func fault(_ configuration: PseudowireConfiguration) throws(BPFError) -> String? {
        let key = pw_access_key(ifindex: Self.loopback, vlan: .any)
        try access.update(
            key: key,
            value: pw_encap(
                configuration, slot: Self.slot, underlay: Self.loopback, splitter: OwnPair.Indexes(outer: 0, inner: 0)))
        let session = configuration.session.local.rawValue
        try sessions.update(key: session, value: pw_decap(configuration, slot: Self.slot, access: Self.loopback))
        let ethernet =
            [UInt8](repeating: 0, count: 12) + (configuration.tunnel.local.family == .v4 ? [8, 0] : [0x86, 0xdd])
        let redirect: Int32 = 7  // TC_ACT_REDIRECT
        for frame in Self.frames {
            guard let packet = try? configuration.codec(outbound: true).encapsulate(frame: frame),
                let reply = try? configuration.codec(outbound: false).encapsulate(frame: frame)
            else { return "the codec cannot make its packets" }
            let mark = TestRunContext(mark: Self.loopback)
            let runs: [(String, TestRunResult, [UInt8])] = [
                ("pw_encap", try programs.encap.testRun(frame), ethernet + packet),
                ("pw_encap_split", try programs.encapSplit.testRun(frame, context: mark), ethernet + packet),
                ("pw_decap", try programs.decap.testRun(ethernet + reply), frame),
                ("pw_decap_l3", try programs.decapL3.testRun(ethernet + reply), frame),
            ]
            for (program, result, expected) in runs {
                if result.verdict != redirect { return "\(program) answers \(result.verdict), not \(redirect)" }
                if result.frame != expected { return Self.difference(program, result.frame, expected) }
            }
            for fault in [
                try xdpFault("pw_encap_xdp", .access, frame, carried: ethernet + packet),
                try xdpFault("pw_decap_xdp", .underlay, ethernet + reply, carried: frame),
            ] {
                if let fault { return fault }
            }
            // With another session id it is nobody's, and is left alone.
            var stranger = configuration
            stranger.session.local = SessionID(rawValue: session ^ 1) ?? 2
            guard let other = try? stranger.codec(outbound: false).encapsulate(frame: frame) else { continue }
            let passed = try programs.decap.testRun(ethernet + other)
            if passed.verdict != -1 || passed.frame != ethernet + other { return "pw_decap takes what is not ours" }
            if let fault = try xdpFault("pw_decap_xdp", .underlay, ethernet + other, carried: nil) { return fault }
        }
        return nil
    }

    /// What is wrong with what an XDP program does with a frame that its filter carries, or nil.
    ///
    /// It may do the same, or pass the frame as it came, and then the filter takes it. Which of the two is speed, and
    /// nothing to be proved.
    ///
    /// - Parameter carried: what leaves when it carries the frame; nil where it may not.
    private func xdpFault(
        _ name: String, _ role: Attachment.Role, _ frame: [UInt8], carried: [UInt8]?
    ) throws(BPFError) -> String? {
        guard let held = programs.xdp(role) else { return "there is no \(name)" }
        let result = try held.program.testRunXDP(frame)
        let (pass, transmit, redirect): (Int32, Int32, Int32) = (2, 3, 4)
        switch (result.verdict, carried) {
        case (pass, _): return result.frame == frame ? nil : Self.difference(name, result.frame, frame)
        case (transmit, let carried?), (redirect, let carried?):
            return result.frame == carried ? nil : Self.difference(name, result.frame, carried)
        default: return "\(name) answers \(result.verdict)"
        }
    }

    private static func difference(_ program: String, _ found: [UInt8], _ expected: [UInt8]) -> String {
        guard let place = zip(found, expected).enumerated().first(where: { $0.element.0 != $0.element.1 }) else {
            return "\(program) leaves \(found.count) octets, not \(expected.count)"
        }
        return "\(program) writes \(place.element.0) at octet \(place.offset), not \(place.element.1)"
    }

    /// One whose checksum can be had from its own, IPv4 and UDP, and one that has to be summed, of odd length.
    private static let frames: [[UInt8]] = [
        [
            2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0x3c, 0, 7, 0x40, 0, 0x40, 0x11, 0xe6, 0x3f,
            0xc6, 0x33, 0x64, 1, 0xc6, 0x33, 0x64, 2, 4, 0xd2, 0, 0x35, 0, 0x28, 0xb5, 0x2b,
        ] + Array(0..<32),
        [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5] + Array(0..<47),
    ]
}

extension DatapathProof.Kind {
    fileprivate init(_ configuration: PseudowireConfiguration) {
        self.init(
            family: configuration.tunnel.local.family, encapsulation: configuration.tunnel.encapsulation,
            sending: configuration.session.sending.length,
            expecting: configuration.session.expecting.first?.length ?? .zero,
            sublayer: configuration.session.sublayer, fillsChecksum: configuration.fillsUDPChecksum)
    }

    fileprivate var description: String {
        "IPv\(family.rawValue)/\(encapsulation.rawValue), cookies \(sending.byteCount)/\(expecting.byteCount), sublayer "
            + sublayer.rawValue
    }

    /// A session of this kind; of outer options those that nobody has to know to say what comes out.
    fileprivate var configuration: PseudowireConfiguration {
        let (local, peer): (IPAddress, IPAddress) =
            family == .v4 ? ("192.0.2.21", "192.0.2.22") : ("2001:db8::21", "2001:db8::22")
        func cookie(_ length: Cookie.Length) -> Cookie {
            Cookie(bytes: Array([1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].prefix(length.byteCount))) ?? .empty
        }
        return PseudowireConfiguration(
            name: "proof", access: "lo",
            tunnel: encapsulation == .udp
                ? .udp(
                    local: local, peer: peer, localPort: 1701, peerPort: 1702, checksum: fillsChecksum ? .full : .zero)
                : .ip(local: local, peer: peer),
            session: .init(
                local: 1012, peer: 1021, expecting: expecting == .zero ? [] : [cookie(expecting)],
                sending: cookie(sending), sublayer: sublayer),
            flowLabel: .zero)
    }
}

extension PseudowireConfiguration {
    /// What the codec says should leave (`outbound`), or should come in from the peer.
    fileprivate func codec(outbound: Bool) -> PacketCodec {
        PacketCodec(
            outer: OuterHeader(
                source: outbound ? tunnel.local : tunnel.peer, destination: outbound ? tunnel.peer : tunnel.local,
                encapsulation: tunnel.encapsulation, sourcePort: outbound ? tunnel.localPort : tunnel.peerPort,
                destinationPort: outbound ? tunnel.peerPort : tunnel.localPort,
                udpChecksum: fillsUDPChecksum ? .full : .zero),
            header: DataHeader(
                encapsulation: tunnel.encapsulation, session: outbound ? session.peer : session.local,
                cookie: outbound ? session.sending : session.expecting.first ?? .empty,
                sublayer: session.sublayer == .default ? SublayerWord() : nil))
    }
}
