internal import CPseudowireObject
internal import InternetAddress
internal import L2TP

/// A pseudowire as the kernel keeps it: what was asked for, and the indexes that it came to.
///
/// Copies share one place in memory until they are changed: a plan for a million has some steps for each.
struct Record: Sendable {
    private struct Fields: Sendable {
        var configuration: PseudowireConfiguration
        var slot: UInt32
        var access: UInt32
        var underlays: [UInt32]
        var finishes: Bool
        var coalesces: Bool
        var isReady: Bool
        var created: UInt64
    }

    @Shared private var fields: Fields

    var configuration: PseudowireConfiguration {
        _read { yield fields.configuration }
        _modify { yield &fields.configuration }
    }
    var slot: UInt32 {
        get { fields.slot }
        set { fields.slot = newValue }
    }
    /// The interface that carries the encap filter; 0 as long as one that is made with the pseudowire is not made.
    var access: UInt32 {
        get { fields.access }
        set { fields.access = newValue }
    }
    /// Interfaces with a decap filter for it.
    var underlays: [UInt32] {
        _read { yield fields.underlays }
        _modify { yield &fields.underlays }
    }
    /// `offload`, resolved for the way that the frames took when it was made.
    var finishes: Bool {
        get { fields.finishes }
        set { fields.finishes = newValue }
    }
    /// `coalesce`, resolved for the access interface that it had when it was made.
    var coalesces: Bool {
        get { fields.coalesces }
        set { fields.coalesces = newValue }
    }
    var isReady: Bool {
        get { fields.isReady }
        set { fields.isReady = newValue }
    }
    /// Nanoseconds since 1970.
    var created: UInt64 {
        get { fields.created }
        set { fields.created = newValue }
    }

    init(
        configuration: PseudowireConfiguration, slot: UInt32, access: UInt32, underlays: [UInt32], finishes: Bool,
        coalesces: Bool, isReady: Bool, created: UInt64
    ) {
        fields = Fields(
            configuration: configuration, slot: slot, access: access, underlays: underlays, finishes: finishes,
            coalesces: coalesces, isReady: isReady, created: created)
    }

    /// The value of the `pseudowires` map.
    var value: pw_record { value(isReady: isReady) }

    /// The same, whole or half made.
    func value(isReady: Bool) -> pw_record {
        let configuration = configuration
        let tunnel = configuration.tunnel
        let session = configuration.session
        var record = pw_record()
        record.state = UInt32(isReady ? PW_STATE_READY : PW_STATE_BEGUN)
        record.slot = slot
        record.session_id = session.local.rawValue
        record.peer_session_id = session.peer.rawValue
        record.flags = configuration.flags
        if finishes { record.flags |= UInt32(PW_FLAG_FINISH) }
        if coalesces { record.flags |= UInt32(PW_FLAG_COALESCE) }
        if configuration.makesInterface { record.flags |= UInt32(PW_FLAG_OWNS_ACCESS) }
        record.local_port = tunnel.localPort
        record.peer_port = tunnel.peerPort
        record.vlan = configuration.vlan.code
        record.tag = configuration.vlanTag.code
        record.mtu = configuration.mtu ?? 0
        record.access_ifindex = access
        Octets.write(configuration.access.utf8, to: &record.access_name)
        Octets.write(tunnel.local, to: &record.local_be)
        Octets.write(tunnel.peer, to: &record.peer_be)
        Octets.write(session.sending, to: &record.send_cookie)
        record.send_cookie_length = session.sending.length.rawValue
        record.expect_cookie_length = session.expecting.first?.length.rawValue ?? 0
        record.expect_cookie_count = UInt8(session.expecting.count)
        if let first = session.expecting.first { Octets.write(first, to: &record.expect_cookie.0) }
        if session.expecting.count > 1 { Octets.write(session.expecting[1], to: &record.expect_cookie.1) }
        record.ttl = configuration.ttl
        record.traffic_class = configuration.dscp.trafficClass
        record.udp_checksum = Self.code(of: tunnel.udpChecksum, in: Self.checksums)
        record.offload = Self.code(of: configuration.offload, in: Self.offloads)
        record.attach = Self.code(of: configuration.attach, in: Self.attachments)
        record.coalesce = Self.code(of: configuration.coalesce, in: Self.coalescing)
        record.underlay_count = UInt8(min(underlays.count, Int(PW_MAX_UNDERLAYS)))
        record.underlay_named = configuration.underlays.isEmpty ? 0 : 1
        withUnsafeMutableBytes(of: &record.underlay) { bytes in
            for (index, underlay) in underlays.prefix(Int(PW_MAX_UNDERLAYS)).enumerated() {
                bytes.storeBytes(of: underlay, toByteOffset: index * 4, as: UInt32.self)
            }
        }
        record.created = created
        return record
    }

    /// The name of the interface that carries the encap filter.
    var accessName: String { configuration.makesInterface ? CustomerPort.hiddenName(slot: slot) : configuration.access }

    /// The key of the `access` map.
    var accessKey: pw_access_key { pw_access_key(ifindex: access, vlan: configuration.vlan) }

    private static func code<Choice: Equatable>(of choice: Choice, in choices: [Choice]) -> UInt8 {
        UInt8(choices.firstIndex(of: choice) ?? 0)
    }

    // Order is ABI.
    fileprivate static let checksums = PseudowireConfiguration.UDPChecksum.allCases
    fileprivate static let offloads = PseudowireConfiguration.Offload.allCases
    fileprivate static let attachments = PseudowireConfiguration.Attach.allCases
    fileprivate static let coalescing = PseudowireConfiguration.Coalesce.allCases
}

extension Record {
    /// Reads a value of the `pseudowires` map.
    ///
    /// Nil when it is none that we would have written.
    ///
    /// - Parameter interfaceName: the name of an index today; underlays that the operator named are kept by index,
    ///   since names change.
    init?(name: String, value: pw_record, interfaceName: (UInt32) -> String?) {
        let isIPv6 = value.flags & UInt32(PW_FLAG_IPV6) != 0
        let length = isIPv6 ? 16 : 4
        guard let local = Octets.address(value.local_be, count: length),
            let peer = Octets.address(value.peer_be, count: length),
            let localSession = SessionID(rawValue: value.session_id),
            let peerSession = SessionID(rawValue: value.peer_session_id),
            let sending = Octets.cookie(value.send_cookie, count: Int(value.send_cookie_length)),
            let vlan = PseudowireConfiguration.VLANSelection(code: value.vlan),
            let vlanTag = PseudowireConfiguration.VLANTag(code: value.tag),
            Int(value.udp_checksum) < Self.checksums.count, Int(value.offload) < Self.offloads.count,
            Int(value.attach) < Self.attachments.count, Int(value.coalesce) < Self.coalescing.count
        else { return nil }
        var expecting: [Cookie] = []
        if value.expect_cookie_count > 0 {
            expecting = [value.expect_cookie.0, value.expect_cookie.1].prefix(Int(value.expect_cookie_count))
                .compactMap { Octets.cookie($0, count: Int(value.expect_cookie_length)) }
        }
        let indexes = withUnsafeBytes(of: value.underlay) { bytes in
            (0..<min(Int(value.underlay_count), Int(PW_MAX_UNDERLAYS))).map {
                bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)
            }
        }
        let isUDP = value.flags & UInt32(PW_FLAG_UDP) != 0
        var configuration = PseudowireConfiguration(
            name: name, access: Octets.text(value.access_name),
            tunnel: .init(
                encapsulation: isUDP ? .udp : .ip, local: local, peer: peer, localPort: value.local_port,
                peerPort: value.peer_port, udpChecksum: Self.checksums[Int(value.udp_checksum)]),
            session: .init(
                local: localSession, peer: peerSession, expecting: expecting, sending: sending),
            underlays: value.underlay_named == 0 ? [] : indexes.map { interfaceName($0) ?? "#\($0)" },
            vlan: vlan, vlanTag: vlanTag, mtu: value.mtu == 0 ? nil : value.mtu, ttl: value.ttl,
            dscp: .fixed(value.traffic_class >> 2), offload: Self.offloads[Int(value.offload)],
            attach: Self.attachments[Int(value.attach)],
            coalesce: Self.coalescing[Int(value.coalesce)])
        configuration.take(flags: value.flags)
        self.init(
            configuration: configuration, slot: value.slot, access: value.access_ifindex, underlays: indexes,
            finishes: value.flags & UInt32(PW_FLAG_FINISH) != 0,
            coalesces: value.flags & UInt32(PW_FLAG_COALESCE) != 0, isReady: value.state == UInt32(PW_STATE_READY),
            created: value.created)
    }
}
