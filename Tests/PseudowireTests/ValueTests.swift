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
        return [plain, full, overIP]
    }()

    @Test("a record read back is the record written", arguments: wires)
    func record(wire: PseudowireConfiguration) throws {
        let record = Record(
            configuration: wire, slot: 7, access: 3, underlays: wire.underlays.isEmpty ? [9] : [17, 18],
            finishes: true, isReady: true,
            created: 1_700_000_000_000_000_000)
        let name = pw_name(wire.name)
        #expect(name.string == wire.name)
        let names: [UInt32: String] = [17: "eth7", 18: "eth8"]
        let read = try #require(Record(name: name.string, value: record.value) { names[$0] })
        #expect(read.configuration == wire)
        #expect(read.slot == 7)
        #expect(read.access == 3)
        #expect(read.underlays == record.underlays)
        #expect(read.isReady)
        #expect(read.created == record.created)
    }

    @Test("a record that nobody wrote is refused, not trusted")
    func nonsense() {
        var value = pw_record()
        #expect(Record(name: "x", value: value) { _ in nil } == nil)
        withUnsafeMutableBytes(of: &value) { for index in $0.indices { $0[index] = 0xff } }
        #expect(Record(name: "x", value: value) { _ in nil } == nil)
    }

    @Test("the header template is what the codec sends, less lengths and checksums", arguments: wires)
    func template(wire: PseudowireConfiguration) throws {
        let tunnel = wire.tunnel
        let codec = PacketCodec(
            outer: OuterHeader(
                source: tunnel.local, destination: tunnel.peer, encapsulation: tunnel.encapsulation,
                sourcePort: tunnel.localPort, destinationPort: tunnel.peerPort, ttl: wire.ttl,
                trafficClass: wire.dscp << 2, udpChecksum: .zero),
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
        #expect(OuterHeaderTemplate(wire).octets == expected)
    }

    @Test("every drop reason has a name, a direction and a sentence of its own")
    func reasons() {
        let all = DropReason.allCases
        #expect(Set(all.map(\.identifier)).count == all.count)
        #expect(Set(all.map(\.description)).count == all.count)
        #expect(all.allSatisfy { ["tx", "rx", "seen"].contains($0.direction) })
        #expect(DropReason(rawValue: 10_000).identifier == "unknown")
    }

    @Test("each step of a plan has an opposite whose opposite it is")
    func inverses() {
        let record = Record(
            configuration: Self.wires[0], slot: 1, access: 2, underlays: [3], finishes: false, isReady: false,
            created: 0)
        let actions: [Action] = [
            .writeRecord(record), .eraseRecord(record), .attach(.access, interface: 2, name: "eth1"),
            .detach(.underlay, interface: 3, name: "eth0"), .openSession(record), .closeSession(record),
            .openAccess(record, underlay: 3), .closeAccess(record, underlay: 3),
        ]
        for action in actions {
            #expect(action.inverse.description != action.description)
            #expect(action.inverse.inverse.description == action.description)
        }
    }
}
