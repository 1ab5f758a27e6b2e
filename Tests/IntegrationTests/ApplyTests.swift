import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("documents applied, options changed in place", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ApplyTests {
    /// Options of the first end that it can change alone.
    static let alone: [[PseudowireOption: String]] = [
        [.mtu: "1300"], [.ttl: "9"], [.dscp: "46"], [.ecn: "normal"], [.oversize: "drop"], [.icmp: "off"],
        [.mssClamp: "off"], [.df: "clear"], [.udpChecksum: "full"], [.offload: "keep"], [.sequence: "send"],
        [.portEntropy: "receive"], [.underlay: "veth12"], [.vlan: "none"], [.coalesce: "off"],
    ]

    @Test("an option that changes costs no frame", arguments: alone.indices)
    func lossless(index: Int) throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        var changes = PseudowireOptions(name: "pw0")
        for (option, word) in Self.alone[index] { changes[option] = [word] }
        let outcome = try wire.streaming {
            for _ in 0..<20 {
                try wire.first.execute(try wire.first.plan(changing: changes))
                try wire.first.execute(
                    try wire.first.plan(
                        changing: PseudowireOptions(name: "pw0"), unset: Array(Self.alone[index].keys)))
            }
            try wire.first.execute(try wire.first.plan(changing: changes))
        }
        #expect(outcome.lost == 0, "\(outcome)")
        let found = try wire.first.pseudowire(named: "pw0")
        for (option, word) in Self.alone[index] { #expect(PseudowireOptions(found.configuration)[option] == [word]) }
        #expect(found.statistics.txFrames >= UInt64(outcome.sent))
        try wire.takeDown()
    }

    @Test("a cookie is rolled over by three commands without losing a frame")
    func rollover() throws {
        let wire = try Wire()
        try wire.first.add(Cell.all[0].configuration(at: .edge1, sending: "01234567"))
        try wire.second.add(Cell.all[0].configuration(at: .edge2, expecting: ["01234567"]))
        let outcome = try wire.streaming {
            var both = PseudowireOptions(name: "pw0")
            both.expectCookie = ["01234567", "89abcdef"]
            var sending = PseudowireOptions(name: "pw0")
            sending.sendCookie = "89abcdef"
            var new = PseudowireOptions(name: "pw0")
            new.expectCookie = ["89abcdef"]
            try wire.second.execute(try wire.second.plan(changing: both))
            try wire.first.execute(try wire.first.plan(changing: sending))
            usleep(100_000)  // what is on its way with the old one arrives
            try wire.second.execute(try wire.second.plan(changing: new))
        }
        #expect(outcome.lost == 0, "\(outcome)")
        try wire.takeDown()
    }

    @Test("applying twice changes nothing the second time; what is no longer described goes, unless it is kept")
    func document() throws {
        let wire = try Wire()
        let one = Cell.all[0].configuration(at: .edge1)
        var two = one
        two.name = "pw1"
        two.session.local = 2
        let vlans = [(one, 5 as UInt16), (two, 6)].map { wire, id in
            var wire = wire
            wire.vlan = .id(id)
            return wire
        }
        let both = PseudowireDocument(vlans)
        try wire.first.execute(try wire.first.plan(applying: both))
        #expect(try wire.first.plan(applying: both).isEmpty)
        #expect(try wire.first.export() == both)
        let less = PseudowireDocument([vlans[0]])
        #expect(try wire.first.plan(applying: less, keepsOthers: true).isEmpty)
        #expect(try wire.first.plan(applying: less).changes == [.remove("pw1")])
        // Two that change places.
        var swapped = vlans
        swapped[0].session.local = vlans[1].session.local
        swapped[1].session.local = vlans[0].session.local
        try wire.first.execute(try wire.first.plan(applying: PseudowireDocument(swapped)))
        #expect(try wire.first.export() == PseudowireDocument(swapped))
        // One that takes over what another one leaves.
        var heir = swapped[0]
        heir.name = "pw9"
        try wire.first.execute(try wire.first.plan(applying: PseudowireDocument([heir])))
        #expect(try wire.first.export() == PseudowireDocument([heir]))
        #expect(try wire.first.pseudowire(named: "pw9").health.state == .up)
        try wire.first.execute(try wire.first.plan(applying: PseudowireDocument([])))
        try wire.takeDown()
    }

    @Test("an underlay's alternative name is as good as its own, and nothing that changes")
    func alternativeNames() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let underlay = try wire.index("veth12", client)
        try client.links.addAlternativeName("uplink-to-edge2", to: underlay)
        var named = Cell.all[0].configuration(at: .edge1)
        named.underlays = ["uplink-to-edge2"]
        let document = PseudowireDocument([named])
        try wire.first.apply(document)
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        #expect(try wire.first.plan(applying: document).changes.isEmpty)
        #expect(try wire.first.keep(document).changes.isEmpty)
        #expect(try wire.first.export().pseudowires.first?.underlays == ["veth12"])
        // One device by two names is one underlay.
        try wire.first.remove("pw0")
        var twice = named
        twice.underlays = ["veth12", "uplink-to-edge2"]
        try wire.first.add(twice)
        #expect(try wire.first.plan(applying: document).changes.isEmpty)
        #expect(try wire.first.plan(applying: try wire.first.export()).changes.isEmpty)
        named.underlays = ["veth12"]
        #expect(try wire.first.plan(applying: PseudowireDocument([named])).changes.isEmpty)
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("three take the places of three where there is room for three: the plan is refused, with what to do")
    func crowded() throws {
        let wire = try Wire()
        func document(_ numbers: Range<UInt32>) -> PseudowireDocument {
            PseudowireDocument(numbers.map { Cell.oneOfMany($0, .auto) }, maxSessions: 3)
        }
        try wire.first.apply(document(1..<4))
        let error = #expect(throws: PseudowireError.self) { _ = try wire.first.plan(applying: document(4..<7)) }
        #expect("\(error as Any)".contains("until those that are to go have gone there would be 6: delete some first"))
        try wire.first.apply(document(1..<3))
        try wire.first.apply(document(2..<4))
        #expect(try wire.first.export().pseudowires.map(\.name) == ["pw2", "pw3"])
        try wire.takeDown()
    }

    @Test("memory for all that may come is taken where half of them come at once; an upgrade lives with either")
    func roomy() throws {
        let wire = try Wire()
        for (room, isTaken) in [(5, true), (6, true), (8, false)] as [(UInt32, Bool)] {
            let document = PseudowireDocument((1..<4).map { Cell.oneOfMany($0, .auto) }, maxSessions: room)
            try wire.first.apply(document)
            for map in DatapathObject.MapName.allCases {
                let flags = try RawMap(pinnedAt: wire.first.directory.pin(map.rawValue)).info.flags
                // BPF_F_NO_PREALLOC.
                if DatapathObject.roomy.contains(map) { #expect(flags == (isTaken ? 0 : 1), "\(map), \(room)") }
            }
            _ = try wire.first.upgrade(evenIfCurrent: true)
            #expect(try wire.first.export() == document)
            #expect(try wire.first.plan(applying: document).isEmpty)
            try wire.first.teardown()
        }
        try wire.takeDown()
    }

    @Test("one option cannot be given a value and be unset")
    func contradiction() throws {
        let wire = try Wire()
        try wire.first.add(Cell.all[0].configuration(at: .edge1))
        var changes = PseudowireOptions(name: "pw0")
        changes.dscp = "4"
        let error = #expect(throws: PseudowireError.self) {
            _ = try wire.first.plan(changing: changes, unset: [.dscp, .ttl])
        }
        #expect("\(error as Any)".contains("is given a value and unset"))
        try wire.takeDown()
    }

    @Test("a plan that fails at any place leaves everything as it was")
    func undone() throws {
        let wire = try Wire()
        try wire.first.add(Cell.all[0].configuration(at: .edge1))
        let before = try wire.first.export()
        var changed = before.pseudowires[0]
        changed.ttl = 9
        changed.vlan = .id(7)
        changed.session.local = 99
        var added = changed
        added.name = "pw1"
        added.session.local = 100
        added.access = "gone0"
        added.vlan = .any
        let client = try wire.client(.edge1)
        try client.links.create(.veth("gone0", peer: .init(name: "gone1")))
        let plan = try wire.first.plan(applying: PseudowireDocument([changed, added]))
        try client.links.delete(wire.index("gone0", client))
        #expect(throws: PseudowireError.self) { try wire.first.execute(plan) }
        #expect(try wire.first.export() == before)
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("10,000 pseudowires in one document")
    func tenThousand() throws {
        let wire = try Wire()
        let base = Cell.all[0].configuration(at: .edge1)
        let client = try wire.client(.edge1)
        for number in 0..<3 { try client.links.create(.veth("m\(number)", peer: .init(name: "n\(number)"))) }
        let wires = (0..<10_000).map { number in
            var one = base
            one.name = "pw\(number)"
            one.access = "m\(number / 4000)"
            one.vlan = .id(UInt16(number % 4000 + 1))
            one.session.local = SessionID(rawValue: UInt32(number + 1)) ?? 1
            one.session.peer = one.session.local
            return one
        }
        let document = try PseudowireDocument(parsing: PseudowireDocument(wires).text)
        let clock = ContinuousClock()
        let applied = try clock.measure { try wire.first.execute(try wire.first.plan(applying: document)) }
        var found = 0
        let again = try clock.measure { found = try wire.first.plan(applying: document).steps.count }
        #expect(found == 0)
        #expect(try wire.first.export().pseudowires.count == 10_000)
        let removed = try clock.measure {
            try wire.first.execute(try wire.first.plan(applying: PseudowireDocument([])))
        }
        print("10,000 pseudowires: applied in \(applied), looked at again in \(again), removed in \(removed)")
        for number in 0..<3 { try client.links.delete(wire.index("m\(number)", client)) }
        try wire.takeDown()
    }
}

extension Cell {
    fileprivate func configuration(
        at edge: FourNamespaces.Place, sending: Cookie = .empty, expecting: [Cookie] = []
    ) -> PseudowireConfiguration {
        var wire = configuration(at: edge)
        wire.session.sending = sending
        wire.session.expecting = expecting
        return wire
    }
}
