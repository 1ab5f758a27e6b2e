import CPseudowireObject
import Testing

@testable import Pseudowire

@Suite("what the control plane writes into the kernel's maps")
struct ValueTests {
    static let wires: [PseudowireConfiguration] = {
        var plain = PseudowireConfiguration(
            name: "pw0", access: "eth1", tunnel: .udp(local: "192.0.2.21", peer: "192.0.2.22"),
            session: .init(local: 1012, peer: 1021))
        var full = PseudowireConfiguration(
            name: "a-name-of-thirty-one-characters", access: "fifteen-letters",
            tunnel: .udp(local: "2001:db8::21", peer: "2001:db8::22", localPort: 5000, peerPort: 6000, checksum: .zero),
            session: .init(
                local: 1, peer: 4_294_967_295, expecting: ["89abcdef01234567", "fedcba9876543210"], sending: "01234567",
                sublayer: .none),
            ttl: 255, dscp: 63, offload: .finish)
        full.underlays = ["eth7", "eth8"]
        var overIP = plain
        overIP.tunnel = .ip(local: "2001:db8::21", peer: "2001:db8::22")
        return [plain, full, overIP] + options(plain)
    }()

    /// A wire for each option that changes what is written, with the option not at its default.
    static func options(_ plain: PseudowireConfiguration) -> [PseudowireConfiguration] {
        var overIPv6 = plain
        overIPv6.tunnel = .udp(local: "2001:db8::21", peer: "2001:db8::22")
        let common: [(inout PseudowireConfiguration) -> Void] = [
            { $0.makesInterface = true }, { $0.session.sequencing = .send }, { $0.session.sequencing = .receive },
            { $0.session.sequencing = .both }, { $0.vlan = .none }, { $0.vlan = .id(1) },
            { $0.vlan = .id(4094, .service) },
            { wire in
                wire.vlan = .id(100)
                wire.vlanTag = .strip
            },
            { wire in
                wire.vlan = .id(100, .service)
                wire.vlanTag = .rewrite(4094)
            },
            { $0.mtu = 68 }, { $0.mtu = 65535 }, { $0.oversize = .drop }, { $0.repliesTooBig = false },
            { $0.clampsMSS = false }, { $0.dscp = .inherit }, { $0.dscp = 63 }, { $0.ecn = .normal },
            { $0.tunnel.portEntropy = .send }, { $0.tunnel.portEntropy = .receive },
            { $0.tunnel.portEntropy = .both }, { $0.coalesce = .on }, { $0.coalesce = .off },
        ]
        func changed(_ wire: PseudowireConfiguration, _ changes: [(inout PseudowireConfiguration) -> Void])
            -> [PseudowireConfiguration]
        {
            changes.map { change in
                var wire = wire
                change(&wire)
                return wire
            }
        }
        return changed(plain, common + [{ $0.oversize = .outer }, { $0.dontFragment = false }])
            + changed(overIPv6, common + [{ $0.flowLabel = .zero }])
    }

    @Test("a record read back is the record written", arguments: wires)
    func record(wire: PseudowireConfiguration) throws {
        #expect(wire.faults.isEmpty)
        let record = Record(
            configuration: wire, slot: 7, access: 3, underlays: wire.underlays.isEmpty ? [9] : [17, 18],
            finishes: true, coalesces: true, isReady: true,
            created: 1_700_000_000_000_000_000)
        let name = pw_name(wire.name)
        #expect(name.string == wire.name)
        let names: [UInt32: String] = [17: "eth7", 18: "eth8"]
        let read = try #require(Record(name: name.string, value: record.value) { names[$0] })
        #expect(read.configuration == wire)
        #expect(read.slot == 7)
        #expect(read.access == 3)
        #expect(read.underlays == record.underlays)
        #expect(read.isReady && read.coalesces && read.finishes)
        #expect(read.created == record.created)
    }

    @Test("a record that nobody wrote is refused, not trusted")
    func nonsense() {
        var value = pw_record()
        #expect(Record(name: "x", value: value) { _ in nil } == nil)
        withUnsafeMutableBytes(of: &value) { for index in $0.indices { $0[index] = 0xff } }
        #expect(Record(name: "x", value: value) { _ in nil } == nil)
    }

    @Test("a record with a VLAN or tag that nobody could have asked for is refused", arguments: [0, 4095, 0x2001])
    func strangeVLAN(code: UInt16) {
        let record = Record(
            configuration: Self.wires[0], slot: 7, access: 3, underlays: [9], finishes: true,
            coalesces: false, isReady: true, created: 1)
        var value = record.value
        value.vlan = code
        #expect(Record(name: "pw0", value: value) { _ in nil } == nil)
        value = record.value
        value.tag = code
        #expect(Record(name: "pw0", value: value) { _ in nil } == nil)
    }

    @Test("the header template is what the codec sends, less what changes from frame to frame", arguments: wires)
    func template(wire: PseudowireConfiguration) throws {
        let tunnel = wire.tunnel
        let codec = PacketCodec(
            outer: OuterHeader(
                source: tunnel.local, destination: tunnel.peer, encapsulation: tunnel.encapsulation,
                sourcePort: tunnel.portEntropy.sends ? 0 : tunnel.localPort, destinationPort: tunnel.peerPort,
                ttl: wire.ttl, dontFragment: wire.dontFragment && wire.oversize != .outer, udpChecksum: .zero),
            header: DataHeader(
                encapsulation: tunnel.encapsulation, session: wire.session.peer, cookie: wire.session.sending,
                sublayer: wire.session.sublayer == .default ? SublayerWord() : nil))
        var expected = Array(try codec.encapsulate(frame: [UInt8](repeating: 0, count: 14)).dropLast(14))
        let isIPv4 = tunnel.local.family == .v4
        for place in isIPv4 ? [2, 3, 10, 11] : [4, 5] { expected[place] = 0 }
        if tunnel.encapsulation == .udp {
            let udp = isIPv4 ? 20 : 40
            for place in udp + 4...udp + 5 { expected[place] = 0 }
        }
        let template = OuterHeaderTemplate(wire)
        #expect(template.octets == expected)
        // The sums are of the very octets, and of the pseudo header that is not among them.
        func fold(_ sum: UInt32) -> UInt16 {
            let once = (sum & 0xffff) + (sum >> 16)
            return UInt16(truncatingIfNeeded: (once & 0xffff) + (once >> 16))
        }
        func sum(_ octets: some Sequence<UInt8>) -> UInt16 {
            let octets = Array(octets)
            return fold(
                stride(from: 0, to: octets.count, by: 2).reduce(0) { total, index in
                    total + UInt32(octets[index]) + UInt32(octets[index + 1]) << 8
                })
        }
        #expect(fold(template.ipSum) == (isIPv4 ? sum(expected[..<20]) : 0))
        let pseudo = tunnel.local.bytes + tunnel.peer.bytes + [0, 17]
        let isUDP = tunnel.encapsulation == .udp
        #expect(fold(template.udpSum) == (isUDP ? sum(pseudo + expected[(isIPv4 ? 20 : 40)...]) : 0))
    }

    @Test("what encapsulation and decapsulation are told of the options")
    func mapValues() {
        var wire = Self.wires[0]
        wire.vlan = .id(100, .service)
        wire.vlanTag = .rewrite(200)
        wire.mtu = 1400
        wire.dscp = 46
        let encap = pw_encap(wire, slot: 7, underlay: 3, splitter: OwnPair.Indexes(outer: 5, inner: 4), finishes: true)
        #expect(encap.traffic_class == 184)
        #expect(encap.tag == 200)
        #expect(encap.mtu == 1400)
        #expect(encap.path_mtu == 0)
        #expect(encap.path_mtu_until == 0)
        #expect(encap.flags & UInt32(PW_FLAG_FINISH) != 0)
        let decap = pw_decap(wire, slot: 7, access: 3)
        #expect(decap.vlan == 0x1064)
        #expect(decap.tag == 200)
        let key = pw_access_key(ifindex: 3, vlan: wire.vlan)
        #expect(key.ifindex == 3)
        #expect(key.vlan == 0x1064)
        #expect(pw_access_key(ifindex: 3, vlan: .any).vlan == UInt16(PW_VLAN_ANY))
        #expect(pw_access_key(ifindex: 3, vlan: .none).vlan == UInt16(PW_VLAN_NONE))
        let path = pw_path_key(wire)
        #expect(Octets.read(path.peer_be) == [192, 0, 2, 22] + [UInt8](repeating: 0, count: 12))
        #expect(UInt32(bigEndian: path.peer_session_be) == 1021)
        #expect(path.protocol == 17)
        #expect(pw_path_key(Self.wires[2]).protocol == 115)
        wire.dscp = .inherit
        #expect(pw_encap(wire, slot: 7, underlay: 3, splitter: OwnPair.Indexes(outer: 5, inner: 4)).traffic_class == 0)
    }

    /// A change and the flag that must differ for it, and no other.
    struct Flagged: Sendable {
        let flag: Int
        let change: @Sendable (inout PseudowireConfiguration) -> Void

        init(_ flag: Int, _ change: @escaping @Sendable (inout PseudowireConfiguration) -> Void) {
            self.flag = flag
            self.change = change
        }
    }

    @Test(
        "each option has its flags, and only those",
        arguments: [
            Flagged(PW_FLAG_SEQUENCE_SEND) { $0.session.sequencing = .send },
            Flagged(PW_FLAG_SEQUENCE_RECEIVE) { $0.session.sequencing = .receive },
            Flagged(PW_FLAG_SEQUENCE_SEND | PW_FLAG_SEQUENCE_RECEIVE) { $0.session.sequencing = .both },
            Flagged(PW_FLAG_ENTROPY_SEND) { $0.tunnel.portEntropy = .send },
            Flagged(PW_FLAG_ENTROPY_RECEIVE) { $0.tunnel.portEntropy = .receive },
            Flagged(PW_FLAG_DSCP_INHERIT) { $0.dscp = .inherit }, Flagged(0) { $0.dscp = 46 },
            Flagged(PW_FLAG_ECN) { $0.ecn = .normal }, Flagged(PW_FLAG_MSS_CLAMP) { $0.clampsMSS = false },
            Flagged(PW_FLAG_TOO_BIG_REPLY) { $0.repliesTooBig = false },
            Flagged(PW_FLAG_FRAGMENT_INNER) { $0.oversize = .drop },
            Flagged(PW_FLAG_FRAGMENT_INNER | PW_FLAG_FRAGMENT_OUTER) { $0.oversize = .outer },
            Flagged(PW_FLAG_MAY_FRAGMENT) { $0.dontFragment = false },
            Flagged(PW_FLAG_SUBLAYER) { $0.session.sublayer = .none },
            Flagged(PW_FLAG_UDP_CHECKSUM) { $0.tunnel.udpChecksum = .full },
            Flagged(PW_FLAG_IPV6 | PW_FLAG_UDP_CHECKSUM | PW_FLAG_FLOW_LABEL) {
                $0.tunnel = .udp(local: "2001:db8::21", peer: "2001:db8::22")
            },
            Flagged(0) { $0.makesInterface = true }, Flagged(0) { $0.vlan = .none },
        ])
    func flags(flagged: Flagged) {
        var wire = Self.wires[0]
        flagged.change(&wire)
        #expect(wire.flags ^ Self.wires[0].flags == UInt32(flagged.flag))
    }

    @Test("every drop reason has a name, a direction and a sentence of its own")
    func reasons() {
        let all = DropReason.allCases
        #expect(Set(all.map(\.identifier)).count == all.count)
        #expect(Set(all.map(\.description)).count == all.count)
        #expect(all.allSatisfy { ["tx", "rx", "seen", "noted"].contains($0.direction) })
        #expect(DropReason(rawValue: 10_000).identifier == "unknown")
    }

    @Test("each step of a plan has an opposite whose opposite it is")
    func inverses() throws {
        let record = Record(
            configuration: Self.wires[0], slot: 1, access: 2, underlays: [3], finishes: false, coalesces: true,
            isReady: false, created: 0)
        let actions: [Action] = [
            .addRecord(record), .addRecord(record.committed), .commitRecord(record), .reopenRecord(record.committed),
            .eraseRecord(record),
            .attach(.access, interface: 2, name: "eth1", hook: .tcx),
            .detach(.underlay, interface: 3, name: "eth0", hook: .clsact),
            .moveFilter(.access, interface: 2, name: "eth1", to: .tcx), .write(.session, record, over: nil),
            .drop(.access(underlay: 0, before: 3), record), .drop(.path, record),
            .makeInterface(record, .init(mtu: 1446, isDormant: true)),
            .removeInterface(record, .init(mtu: 1446, isDormant: false)),
        ]
        for action in actions {
            let inverse = try #require(action.inverse)
            #expect(inverse.description != action.description)
            #expect(inverse.inverse?.description == action.description)
        }
    }

    /// One of many that are new.
    private static func pair(_ slot: UInt32, makes: Bool = false, isParked: Bool = false) -> Transition.Pair {
        var wire = wires[0]
        wire.name = "pw\(slot)"
        let record = Record(
            configuration: wire, slot: slot, access: isParked ? 0 : 2, underlays: [3], finishes: false, coalesces: true,
            isReady: true, created: 0)
        return Transition.Pair(new: record, old: nil, underlay: 7, makes: makes, isParked: isParked)
    }

    @Test("a step for each of many is in its place among others")
    func rows() {
        let pairs = (1...3 as ClosedRange<UInt32>).map { Self.pair($0, makes: $0 == 3) }
        let attached = Action.attach(.access, interface: 2, name: "eth1", hook: .tcx)
        var list = ActionList()
        list.append([])
        list.append(.session, pairs)
        list.append([attached, attached])
        list.append(.path, [])
        list.append(.record, pairs)
        let expected =
            pairs.map { Action.write(.session, $0.new, over: nil).description } + [
                attached.description, attached.description, "record pw1", "record pw2", "commit pw3",
            ]
        #expect(list.map(\.description) == expected)
        #expect(list.indices.reversed().map { list[$0].description } == expected.reversed())
        #expect(list[2..<5].map(\.description) == Array(expected[2..<5]))
        #expect(Plan(list, for: []).description == expected.joined(separator: "\n"))
    }

    @Test("what rows of steps come to is what the steps come to, one by one")
    func additions() {
        let pairs = (1...4 as ClosedRange<UInt32>).map { Self.pair($0, isParked: $0 == 4) }
        var list = ActionList([.makeState(maxSessions: 8), .attach(.underlay, interface: 3, name: "eth0", hook: .tcx)])
        list.append(.clearCounters, pairs)
        list.append(.session, Array(pairs.prefix(3)))
        list.append(.path, Array(pairs.prefix(2)))
        list.append(.access, Array(pairs.prefix(3)))
        list.append(.record, pairs)
        #expect(list.additions?.count == 4)
        func entries(_ list: ActionList) -> [[UInt8]] {
            Intent.all(of: list).flatMap { intent in
                (0..<intent.entryCount).map { number in withUnsafeBytes(of: intent.entry(number)) { Array($0) } }
            }.sorted { $0.lexicographicallyPrecedes($1) }
        }
        let one = ActionList(Array(list))
        #expect(one.additions == nil)
        #expect(entries(list).count == 4)
        #expect(entries(list) == entries(one))
        // What is made with one of them is more than a row says.
        list.append([.makeInterface(pairs[0].new, .init(mtu: 1446, isDormant: true))])
        #expect(list.additions == nil)
    }

    @Test("names in the order of their words are in the order of names")
    func order() {
        let longest = String(repeating: "a", count: 31)
        let names = ["pw0", "pw1", "pw10", "pw2", "PW0", "a.b", "a-b", "a_b", "12345678", "123456789", longest]
        #expect(names.sorted { pw_name($0).words < pw_name($1).words } == names.sorted())
    }
}
