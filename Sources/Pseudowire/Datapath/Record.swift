internal import CPseudowireObject
internal import InternetAddress
internal import L2TP

/// A pseudowire as the kernel keeps it: what was asked for, and the indexes that it came to.
struct Record: Sendable {
    var configuration: PseudowireConfiguration
    var slot: UInt32
    /// The interface that carries the encap filter; 0 as long as one that is made with the pseudowire is not made.
    var access: UInt32
    /// Interfaces with a decap filter for it.
    var underlays: [UInt32]
    /// `offload`, resolved for the way that the frames took when it was made.
    var finishes: Bool
    /// `coalesce`, resolved for the access interface that it had when it was made.
    var coalesces: Bool
    var isReady: Bool
    /// Nanoseconds since 1970.
    var created: UInt64

    /// The value of the `pseudowires` map.
    var value: pw_record {
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
        Octets.write(tunnel.local.bytes, to: &record.local_be)
        Octets.write(tunnel.peer.bytes, to: &record.peer_be)
        Octets.write(session.sending.bytes, to: &record.send_cookie)
        record.send_cookie_length = session.sending.length.rawValue
        record.expect_cookie_length = session.expecting.first?.length.rawValue ?? 0
        record.expect_cookie_count = UInt8(session.expecting.count)
        if let first = session.expecting.first { Octets.write(first.bytes, to: &record.expect_cookie.0) }
        if session.expecting.count > 1 { Octets.write(session.expecting[1].bytes, to: &record.expect_cookie.1) }
        record.ttl = configuration.ttl
        record.traffic_class = configuration.dscp.trafficClass
        record.udp_checksum = UInt8(UDPChecksumCode.allCases.firstIndex(of: tunnel.udpChecksum) ?? 0)
        record.offload = UInt8(OffloadCode.allCases.firstIndex(of: configuration.offload) ?? 0)
        record.attach = UInt8(AttachCode.allCases.firstIndex(of: configuration.attach) ?? 0)
        record.coalesce = UInt8(CoalesceCode.allCases.firstIndex(of: configuration.coalesce) ?? 0)
        record.underlay_count = UInt8(underlays.count)
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

    /// Order is ABI.
    fileprivate typealias UDPChecksumCode = PseudowireConfiguration.UDPChecksum
    fileprivate typealias OffloadCode = PseudowireConfiguration.Offload
    fileprivate typealias AttachCode = PseudowireConfiguration.Attach
    fileprivate typealias CoalesceCode = PseudowireConfiguration.Coalesce
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
        guard let local = IPAddress(bytes: Octets.read(value.local_be, count: length)),
            let peer = IPAddress(bytes: Octets.read(value.peer_be, count: length)),
            let localSession = SessionID(rawValue: value.session_id),
            let peerSession = SessionID(rawValue: value.peer_session_id),
            let sending = Cookie(bytes: Octets.read(value.send_cookie, count: Int(value.send_cookie_length))),
            let vlan = PseudowireConfiguration.VLANSelection(code: value.vlan),
            let vlanTag = PseudowireConfiguration.VLANTag(code: value.tag),
            Int(value.udp_checksum) < UDPChecksumCode.allCases.count,
            Int(value.offload) < OffloadCode.allCases.count,
            Int(value.attach) < AttachCode.allCases.count,
            Int(value.coalesce) < CoalesceCode.allCases.count
        else { return nil }
        let stored = [Octets.read(value.expect_cookie.0), Octets.read(value.expect_cookie.1)]
        let expecting = stored.prefix(Int(value.expect_cookie_count)).compactMap {
            Cookie(bytes: $0.prefix(Int(value.expect_cookie_length)))
        }
        let indexes = withUnsafeBytes(of: value.underlay) { bytes in
            (0..<min(Int(value.underlay_count), Int(PW_MAX_UNDERLAYS))).map {
                bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)
            }
        }
        let isUDP = value.flags & UInt32(PW_FLAG_UDP) != 0
        configuration = PseudowireConfiguration(
            name: name, access: Octets.text(value.access_name),
            tunnel: .init(
                encapsulation: isUDP ? .udp : .ip, local: local, peer: peer, localPort: value.local_port,
                peerPort: value.peer_port, udpChecksum: UDPChecksumCode.allCases[Int(value.udp_checksum)]),
            session: .init(
                local: localSession, peer: peerSession, expecting: expecting, sending: sending),
            underlays: value.underlay_named == 0 ? [] : indexes.map { interfaceName($0) ?? "#\($0)" },
            vlan: vlan, vlanTag: vlanTag, mtu: value.mtu == 0 ? nil : value.mtu, ttl: value.ttl,
            dscp: .fixed(value.traffic_class >> 2), offload: OffloadCode.allCases[Int(value.offload)],
            attach: AttachCode.allCases[Int(value.attach)], coalesce: CoalesceCode.allCases[Int(value.coalesce)])
        configuration.take(flags: value.flags)
        slot = value.slot
        access = value.access_ifindex
        underlays = indexes
        finishes = value.flags & UInt32(PW_FLAG_FINISH) != 0
        coalesces = value.flags & UInt32(PW_FLAG_COALESCE) != 0
        isReady = value.state == UInt32(PW_STATE_READY)
        created = value.created
    }
}
