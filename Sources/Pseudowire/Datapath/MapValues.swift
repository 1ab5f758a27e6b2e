internal import CPseudowireObject
internal import InternetAddress
internal import L2TP

/// Imported C arrays are tuples; these copy octets into and out of them.
enum Octets {
    static func write<Tuple>(_ octets: some Collection<UInt8>, to tuple: inout Tuple) {
        withUnsafeMutableBytes(of: &tuple) { $0.copyBytes(from: octets.prefix($0.count)) }
    }

    /// Without a list on the way: there are millions of them.
    static func write<Tuple>(_ address: IPAddress, to tuple: inout Tuple) {
        withUnsafeMutableBytes(of: &tuple) { target in
            for index in 0..<min(address.family.byteCount, target.count) { target[index] = address.octet(at: index) }
        }
    }

    static func write<Tuple>(_ cookie: Cookie, to tuple: inout Tuple) {
        guard cookie.length != .zero else { return }
        write(cookie.bytes, to: &tuple)
    }

    static func read<Tuple>(_ tuple: Tuple, count: Int = .max) -> [UInt8] {
        withUnsafeBytes(of: tuple) { Array($0.prefix(count)) }
    }

    static func address<Tuple>(_ tuple: Tuple, count: Int) -> IPAddress? {
        withUnsafeBytes(of: tuple) { IPAddress(bytes: $0.prefix(count)) }
    }

    /// Nil for what is no length of a cookie.
    static func cookie<Tuple>(_ tuple: Tuple, count: Int) -> Cookie? {
        count == 0 ? .empty : Cookie(bytes: read(tuple, count: count))
    }

    /// A C string in a fixed array.
    static func text<Tuple>(_ tuple: Tuple) -> String {
        withUnsafeBytes(of: tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// The key and the value of a map that has none.
struct Nothing: BitwiseCopyable {}

extension pw_name {
    init(_ name: String) {
        self.init()
        Octets.write(name.utf8.prefix(Int(PW_NAME_SIZE) - 1), to: &text)
    }

    var string: String { Octets.text(text) }

    /// Eight octets each, by which names are put into order.
    var words: (UInt64, UInt64, UInt64, UInt64) {
        withUnsafeBytes(of: text) { octets in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
            }
            return (word(0), word(1), word(2), word(3))
        }
    }
}

extension pw_access_key {
    /// Which frames of an interface.
    init(ifindex: UInt32, vlan: PseudowireConfiguration.VLANSelection) {
        self.init()
        self.ifindex = ifindex
        self.vlan = vlan.code
    }

    /// All of it, as it can be the key of a dictionary.
    var code: UInt64 { UInt64(ifindex) << 16 | UInt64(vlan) }
}

extension pw_path_key {
    /// By what an ICMP message about a packet that we sent can be told.
    init(_ configuration: PseudowireConfiguration) {
        self.init()
        Octets.write(configuration.tunnel.peer, to: &peer_be)
        peer_session_be = configuration.session.peer.rawValue.bigEndian
        `protocol` = UInt32(configuration.tunnel.encapsulation.protocolNumber)
    }
}

extension pw_encap {
    /// What the datapath needs to encapsulate.
    ///
    /// - Parameter finishes: `offload`, resolved for the way that the frames take.
    init(
        _ configuration: PseudowireConfiguration, slot: UInt32, underlay: UInt32, splitter: OwnPair.Indexes,
        finishes: Bool = false
    ) {
        let template = OuterHeaderTemplate(configuration)
        self.init()
        self.slot = slot
        session_id = configuration.session.local.rawValue
        self.underlay = underlay
        fib_ifindex = splitter.inner
        split_ifindex = splitter.outer
        flags = configuration.flags | (finishes ? UInt32(PW_FLAG_FINISH) : 0)
        header_length = UInt8(template.octets.count)
        traffic_class = configuration.dscp.trafficClass
        tag = configuration.vlanTag.code
        mtu = configuration.mtu ?? 0
        ip_sum = template.ipSum
        udp_sum = template.udpSum
        Octets.write(template.octets, to: &header)
    }
}

extension pw_encap {
    /// The same with what the datapath has learned of the path, if the path is the same: peer, encapsulation, way out.
    func learning(from earlier: pw_encap?) -> pw_encap {
        let carrier = UInt32(PW_FLAG_IPV6) | UInt32(PW_FLAG_UDP)
        guard let earlier, earlier.underlay == underlay, earlier.flags & carrier == flags & carrier,
            earlier.peer == peer
        else { return self }
        var value = self
        value.path_mtu = earlier.path_mtu
        value.path_mtu_until = earlier.path_mtu_until
        return value
    }

    /// The destination address in the outer header.
    private var peer: [UInt8] {
        let range = flags & UInt32(PW_FLAG_IPV6) != 0 ? 24..<40 : 16..<20
        return Array(Octets.read(header)[range])
    }
}

extension pw_decap {
    /// What the datapath needs to check and decapsulate.
    ///
    /// - Parameter coalesces: `coalesce`, resolved for the interface that the frames go to.
    init(_ configuration: PseudowireConfiguration, slot: UInt32, access: UInt32, coalesces: Bool = false) {
        let session = configuration.session
        self.init()
        self.slot = slot
        access_ifindex = access
        flags = configuration.flags | (coalesces ? UInt32(PW_FLAG_COALESCE) : 0)
        cookie_length = session.expecting.first?.length.rawValue ?? 0
        cookie_count = UInt8(session.expecting.count)
        vlan = configuration.vlan.code
        tag = configuration.vlanTag.code
        local_port_be = configuration.tunnel.localPort.bigEndian
        peer_port_be = configuration.tunnel.peerPort.bigEndian
        Octets.write(configuration.tunnel.local, to: &local_be)
        Octets.write(configuration.tunnel.peer, to: &peer_be)
        if let first = session.expecting.first { Octets.write(first, to: &cookie_be.0) }
        if session.expecting.count > 1 { Octets.write(session.expecting[1], to: &cookie_be.1) }
    }
}
