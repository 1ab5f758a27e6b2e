internal import InternetAddress
internal import L2TP

extension PseudowireOptions {
    /// The words that mean a configuration: those that are needed, and no other that says what holds without it.
    public init(_ configuration: PseudowireConfiguration) {
        let tunnel = configuration.tunnel
        let session = configuration.session
        self.init(name: configuration.name)
        if configuration.makesInterface { interface = configuration.access } else { access = configuration.access }
        local = "\(tunnel.local)"
        peer = "\(tunnel.peer)"
        sessionID = "\(session.local)"
        peerSessionID = "\(session.peer)"
        encap = Self.unless(tunnel.encapsulation, .udp)
        if tunnel.encapsulation == .udp {
            localPort = tunnel.localPort == Encapsulation.defaultPort ? nil : "\(tunnel.localPort)"
            peerPort = tunnel.peerPort == Encapsulation.defaultPort ? nil : "\(tunnel.peerPort)"
        }
        udpChecksum = Self.unless(tunnel.udpChecksum, .auto)
        portEntropy = Self.unless(tunnel.portEntropy, .none)
        sendCookie = session.sending == .empty ? nil : "\(session.sending)"
        expectCookie = session.expecting.map(\.description)
        sublayer = Self.unless(session.sublayer, .default)
        sequence = Self.unless(session.sequencing, .none)
        underlay = configuration.underlays
        vlan = configuration.vlan == .any ? nil : "\(configuration.vlan)"
        if case .id(_, let kind) = configuration.vlan { vlanProtocol = Self.unless(kind, .customer) }
        vlanTag = configuration.vlanTag == .keep ? nil : "\(configuration.vlanTag)"
        mtu = configuration.mtu.map { "\($0)" }
        oversize = Self.unless(configuration.oversize, .fragment)
        icmp = configuration.repliesTooBig ? nil : "off"
        mssClamp = configuration.clampsMSS ? nil : "off"
        df = configuration.dontFragment ? nil : "clear"
        ttl = configuration.ttl == 64 ? nil : "\(configuration.ttl)"
        dscp = configuration.dscp == 0 ? nil : "\(configuration.dscp)"
        ecn = Self.unless(configuration.ecn, .compatibility)
        flowLabel = Self.unless(configuration.flowLabel, .auto)
        offload = Self.unless(configuration.offload, .auto)
        attach = Self.unless(configuration.attach, .auto)
        coalesce = Self.unless(configuration.coalesce, .auto)
    }

    private static func unless<Choice: RawRepresentable & Equatable>(_ choice: Choice, _ usual: Choice) -> String?
    where Choice.RawValue == String {
        choice == usual ? nil : choice.rawValue
    }

    /// These words with others in the place of those that they are about.
    ///
    /// - Parameters:
    ///   - changes: what is to be said now; options that it does not speak of stay.
    ///   - unset: options that are to be as if they had never been given.
    public func changed(by changes: PseudowireOptions, unset: [PseudowireOption] = []) -> PseudowireOptions {
        var result = self
        for option in unset { result[option] = [] }
        for option in PseudowireOption.allCases where !changes[option].isEmpty { result[option] = changes[option] }
        // One of the two names the interface: saying the one takes the other back.
        if changes.access != nil, changes.interface == nil { result.interface = nil }
        if changes.interface != nil, changes.access == nil { result.access = nil }
        return result
    }
}
