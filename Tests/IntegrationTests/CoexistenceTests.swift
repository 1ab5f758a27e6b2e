import BPF
import Glibc
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

@Suite("others on the same interfaces", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct CoexistenceTests {
    /// One way in which two come and go.
    struct Row: Sendable, CustomTestStringConvertible {
        let attach: PseudowireConfiguration.Attach
        let kind: ForeignProgram.Kind
        let isForeignFirst: Bool
        let leavesForeignFirst: Bool

        var testDescription: String {
            "\(attach.rawValue), \(kind), \(isForeignFirst ? "theirs" : "ours") comes first, "
                + "\(leavesForeignFirst ? "theirs" : "ours") leaves first"
        }

        /// Whether theirs runs before ours, and so sees what is ours.
        var seesOurs: Bool {
            switch kind {
            case .earlyFilter: attach == .clsact
            case .lateFilter, .qdisc: false
            case .firstOnTCX: true
            case .lastOnTCX: attach == .clsact || isForeignFirst
            }
        }

        static let all = UpgradeTests.hooks.flatMap { attach in
            ForeignProgram.Kind.allCases.filter { !$0.needsTCX || UpgradeTests.hooks.contains(.tcx) }.flatMap { kind in
                [true, false].flatMap { first in
                    [true, false].map {
                        Row(attach: attach, kind: kind, isForeignFirst: first, leavesForeignFirst: $0)
                    }
                }
            }
        }
    }

    private static let names = ["veth10", "veth12"]

    /// Sends ten frames of each sort; says how many arrived, and how many of each theirs have counted.
    private struct Burst {
        /// Of ten each way.
        var out = 0
        var back = 0
        /// By the program on the access interface, of what left; by the one on the underlay, of what came.
        var seenAtAccess: UInt64 = 0
        var seenAtUnderlay: UInt64 = 0
        /// By the one on the underlay, of ten frames that are nobody's.
        var strangers: UInt64 = 0
    }

    private static func burst(_ wire: borrowing Wire, _ theirs: [ForeignProgram]) throws -> Burst {
        let near = try FrameTap(on: "veth01", in: wire.network.host0, directions: .received)
        let far = try FrameTap(on: "veth32", in: wire.network.host3, directions: .received)
        let underlay = try FrameTap(on: "veth21", in: wire.network.edge2, directions: .received)
        func frame(_ number: UInt8) -> [UInt8] {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb7, number]
                + [UInt8](repeating: 0, count: 60)
        }
        func arrived(_ tap: borrowing FrameTap) throws -> Int {
            try tap.frames(quiet: .milliseconds(30), timeout: .seconds(2))
                .filter { $0.bytes.count > 14 && $0.bytes[12] == 0x88 && $0.bytes[13] == 0xb7 }.count
        }
        var burst = Burst()
        let start = try theirs.map { try $0.count() }
        for number: UInt8 in 0..<10 { try near.send(frame(number)) }
        burst.out = try arrived(far)
        let middle = try theirs.map { try $0.count() }
        for number: UInt8 in 0..<10 { try far.send(frame(number)) }
        burst.back = try arrived(near)
        let end = try theirs.map { try $0.count() }
        for number: UInt8 in 0..<10 { try underlay.send(frame(number)) }
        usleep(20_000)
        let last = try theirs.map { try $0.count() }
        burst.seenAtAccess = middle[0] - start[0]
        burst.seenAtUnderlay = end[1] - middle[1]
        burst.strangers = last[1] - end[1]
        return burst
    }

    @Test("come and go in any order: all are still there, and see what they are to see")
    func table() throws {
        let wire = try Wire()
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        // Another pseudowire keeps the datapath loaded from row to row.
        let client = try wire.client(.edge1)
        try client.links.create(.veth("keep0", peer: .init(name: "keep1")))
        var keeper = Cell.all[0].configuration(at: .edge1)
        keeper.name = "keeper"
        keeper.access = "keep0"
        keeper.underlays = ["keep1"]
        keeper.session.local = 999
        try wire.first.add(keeper)
        #expect(Row.all.count == (UpgradeTests.hooks.contains(.tcx) ? 40 : 12))
        for row in Row.all { try Self.check(row, wire, client) }
        try wire.first.remove("keeper")
        try client.links.delete(wire.index("keep0", client))
        try wire.takeDown()
    }

    private static func check(_ row: Row, _ wire: borrowing Wire, _ client: RouteClient) throws {
        let place = Comment(rawValue: row.testDescription)
        let indexes = try names.map { try wire.index($0, client) }
        let theirs = try names.map { _ in try ForeignProgram(row.kind) }
        var configuration = Cell.all[0].configuration(at: .edge1)
        configuration.attach = row.attach
        // Where ours has made the qdisc, theirs finds it there.
        let hasOwnQdisc = row.kind == .qdisc && (row.isForeignFirst || row.attach == .tcx)

        func arrive(_ wire: borrowing Wire) throws {
            try wire.network.withNamespace(.edge1) { namespace in
                for (index, name) in names.enumerated() {
                    try theirs[index].arrive(at: indexes[index], name, client, in: namespace)
                }
            }
        }
        func leave(_ wire: borrowing Wire) throws {
            try wire.network.withNamespace(.edge1) { namespace in
                for (index, name) in names.enumerated() where row.kind != .qdisc || hasOwnQdisc {
                    try theirs[index].leave(indexes[index], name, client, in: namespace)
                }
            }
        }
        func expectTheirs(_ wire: borrowing Wire, _ location: SourceLocation = #_sourceLocation) throws {
            for (index, name) in names.enumerated() {
                let hook = TrafficHook(link: indexes[index], direction: .ingress)
                let said = try wire.network.withNamespace(.edge1) { namespace in
                    (
                        try ForeignProgram.tool(["tc", "-j", "filter", "show", "dev", name, "ingress"], in: namespace),
                        try ForeignProgram.tool(["tc", "-j", "qdisc", "show", "dev", name], in: namespace)
                    )
                }
                switch row.kind {
                case .earlyFilter, .lateFilter:
                    let ids = try client.filters.list(at: hook).map(\.programID)
                    #expect(ids.contains(theirs[index].id), place, sourceLocation: location)
                    #expect(said.0.contains("\"bpf_name\":\"foreign\""), place, sourceLocation: location)
                case .firstOnTCX, .lastOnTCX:
                    let ids = try wire.tcxPrograms(on: indexes[index], in: .edge1)
                    #expect(ids.contains(theirs[index].id), place, sourceLocation: location)
                case .qdisc where hasOwnQdisc:
                    #expect(said.1.contains("\"clsact\""), place, sourceLocation: location)
                case .qdisc: break
                }
            }
        }

        if row.isForeignFirst {
            try arrive(wire)
            try wire.first.add(configuration)
        } else {
            try wire.first.add(configuration)
            try arrive(wire)
        }
        try expectTheirs(wire)
        let hooks = try wire.first.pseudowire(named: "pw0").hooks
        #expect(Set(hooks.keys) == Set(names) && hooks.values.allSatisfy { $0.rawValue == row.attach.rawValue }, place)
        let together = try burst(wire, theirs)
        #expect(together.out == 10 && together.back == 10, place)
        if row.kind != .qdisc {
            #expect(row.seesOurs ? together.seenAtAccess >= 10 : together.seenAtAccess == 0, place)
            #expect(row.seesOurs ? together.seenAtUnderlay >= 10 : together.seenAtUnderlay < 10, place)
            #expect(together.strangers >= 10, place)
        }

        if row.leavesForeignFirst {
            try leave(wire)
            if hasOwnQdisc, row.attach == .clsact {
                // The qdisc took our filter with it. That is said, and the next command puts it back.
                let health = try wire.first.pseudowire(named: "pw0").health
                #expect(health.state == .broken && health.sentence.contains("filter on veth10 is gone"), place)
                try wire.first.refresh()
            }
            let alone = try burst(wire, theirs)
            #expect(alone.out == 10 && alone.back == 10, place)
            #expect(try wire.first.pseudowire(named: "pw0").health.state == .up, place)
            try wire.first.remove("pw0")
        } else {
            try wire.first.remove("pw0")
            try expectTheirs(wire)
            let alone = try burst(wire, theirs)
            #expect(alone.out == 0 && alone.back == 0, place)
            if row.kind != .qdisc { #expect(alone.seenAtAccess >= 10 && alone.strangers >= 10, place) }
            try leave(wire)
        }
        for index in indexes {
            #expect(try wire.filterCount(on: index, in: .edge1) == 0, place)
            // A qdisc that theirs had to itself, or came to use after we had made it, nobody takes away.
            let remains = try client.qdiscs.list(on: index).contains { $0.kind == "clsact" }
            let isTheirs = row.kind == .earlyFilter || row.kind == .lateFilter
            #expect(
                remains == (isTheirs && (row.isForeignFirst || row.attach == .tcx || !row.leavesForeignFirst)), place)
            if remains { try client.qdiscs.deleteClsact(on: index) }
        }
    }

    @Test("auto goes after filters that were meant to see frames first, and onto tcx otherwise; it stays where it is")
    func automatic() throws {
        guard UpgradeTests.hooks.contains(.tcx) else { return }
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let theirs = try ForeignProgram(.earlyFilter)
        let access = try wire.index("veth10", client)
        try wire.network.withNamespace(.edge1) { namespace in
            try theirs.arrive(at: access, "veth10", client, in: namespace)
        }
        try wire.connect(Cell.all[0])
        #expect(try wire.first.pseudowire(named: "pw0").hooks == ["veth10": .clsact, "veth12": .tcx])
        try wire.expectPings()
        #expect(try theirs.count() > 0)
        // Asked for, it moves; no longer asked for, it stays.
        func set(_ manager: PseudowireManager, _ word: String?) throws {
            var changes = PseudowireOptions(name: "pw0")
            changes.attach = word
            try manager.execute(try manager.plan(changing: changes, unset: word == nil ? [.attach] : []))
        }
        // Making a qdisc stops an interface's transmit queues for some milliseconds: the first time is not lossless.
        try set(wire.first, "clsact")
        #expect(try wire.first.pseudowire(named: "pw0").hooks == ["veth10": .clsact, "veth12": .clsact])
        let (nearBefore, farBefore) = try (Self.statistics(wire.first), Self.statistics(wire.second))
        let outcome = try wire.streamingBothWays {
            for _ in 0..<25 {
                try set(wire.first, "tcx")
                try set(wire.first, "clsact")
            }
            try set(wire.first, "tcx")
            try set(wire.first, nil)
        }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        let (near, far) = try (Self.statistics(wire.first), Self.statistics(wire.second))
        // Nothing was carried twice either.
        #expect(near.txFrames - nearBefore.txFrames == far.rxFrames - farBefore.rxFrames)
        #expect(far.txFrames - farBefore.txFrames == near.rxFrames - nearBefore.rxFrames)
        #expect(try wire.first.pseudowire(named: "pw0").hooks == ["veth10": .tcx, "veth12": .tcx])
        try client.qdiscs.deleteClsact(on: access)
        try wire.takeDown()
    }

    private static func statistics(_ manager: PseudowireManager) throws -> Statistics {
        try manager.pseudowire(named: "pw0").statistics
    }

    @Test("a link goes with its interface: its pin is reaped by the next command")
    func vanished() throws {
        guard UpgradeTests.hooks.contains(.tcx) else { return }
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { $0.attach = .tcx }
        let client = try wire.client(.edge1)
        let (access, underlay) = try (wire.index("veth10", client), wire.index("veth12", client))
        let state = "\(BPFFileSystem.conventionalPath)/pseudowire/\(String(client.namespaceCookie, radix: 16))"
        let pins = ["\(state)/link:\(access.rawValue):encap", "\(state)/link:\(underlay.rawValue):decap"]
        for pin in pins { #expect(try ProgramLink(pinnedAt: pin).interfaceIndex() > 0) }
        try client.links.delete(access)
        #expect(try ProgramLink(pinnedAt: pins[0]).interfaceIndex() == 0)
        try wire.first.refresh()
        #expect(Glibc.access(pins[0], F_OK) != 0 && Glibc.access(pins[1], F_OK) == 0)
        try wire.first.teardown()
        try wire.second.teardown()
        #expect(Glibc.access(state, F_OK) != 0)
    }

    @Test("two wishes for the one filter of an interface are refused; what is left out goes along")
    func wishes() throws {
        guard UpgradeTests.hooks.contains(.tcx) else { return }
        let wire = try Wire()
        try wire.first.add(Cell.oneOfMany(0, .auto))
        try wire.first.add(Cell.oneOfMany(1, .clsact))  // the first one goes along
        #expect(try wire.first.pseudowires().allSatisfy { $0.hooks == ["veth10": .clsact, "veth12": .clsact] })
        let error = #expect(throws: PseudowireError.self) { try wire.first.add(Cell.oneOfMany(2, .tcx)) }
        let faults: [ConfigurationFault] = if case .faults(let faults) = error { faults } else { [] }
        #expect(faults.map(\.field) == ["attach"])
        #expect(faults.first?.message.contains("pw1 wants it at clsact") == true, "\(faults)")
        try wire.takeDown()
    }
}
