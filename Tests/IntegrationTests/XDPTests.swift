import BPF
import CPseudowireObject
import Glibc
import L2TP
import PseudowireTestbed
import RouteNetlink
import SystemPackage
import Testing

@testable import Pseudowire

@Suite("XDP programs before the filters", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct XDPTests {
    /// Somebody else's XDP program: it passes everything.
    private final class Foreign {
        let program: Program
        private var link: Held?

        private final class Held {
            let link: ProgramLink
            init(_ link: consuming ProgramLink) { self.link = link }
        }

        init() throws {
            program = try Program(instructions: [0x0000_0002_0000_00b7, 0x95], type: 6, name: "foreign_xdp")
        }

        func arrive(at index: LinkIndex, _ mode: ProgramLink.XDPMode, in namespace: borrowing NetworkNamespace) throws {
            let program = self
            link = try namespace.run {
                Held(try ProgramLink(xdp: program.program, interfaceIndex: index.rawValue, mode: mode))
            }
        }

        func leave() { link = nil }
    }

    private static let names = ["veth10", "veth12"]

    /// The programs that the interfaces at the first edge have in their drivers.
    private static func present(_ wire: borrowing Wire) throws -> [UInt32?] {
        let client = try wire.client(.edge1)
        return try names.map { try client.links.find(named: $0)?.xdp?.driver }
    }

    private static func ours(_ manager: PseudowireManager) throws -> [UInt32?] {
        let programs = try #require(try manager.openState()).programs
        return [programs.xdp(.access)?.program.id, programs.xdp(.underlay)?.program.id]
    }

    private static func set(_ manager: PseudowireManager, _ word: String?) throws {
        var changes = PseudowireOptions(name: "pw0")
        changes.attach = word
        try manager.execute(try manager.plan(changing: changes, unset: word == nil ? [.attach] : []))
    }

    private static func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test("are put there, carry, and go with the pseudowire", arguments: [Cell.all[0], Cell.all[3]])
    func lifecycle(cell: Cell) throws {
        let wire = try Wire()
        let before = try Census(wire.first)
        var near = cell.configuration(at: .edge1)
        near.attach = .xdp
        let plan = try wire.first.plan(adding: [near])
        #expect(plan.description.contains("attach encap to veth10 (xdp)"))
        #expect(plan.description.contains("attach decap to veth12 (xdp)"))
        try wire.first.execute(plan)
        #expect(try Self.present(wire) == Self.ours(wire.first))
        let client = try wire.client(.edge1)
        for (name, word) in zip(Self.names, ["encap", "decap"]) {
            let index = try wire.index(name, client)
            // Filters are where they would be without.
            #expect(try wire.filterCount(on: index, in: .edge1) == 1)
            let pin = wire.first.directory.pin("link:\(index.rawValue):\(word):xdp")
            #expect(try ProgramLink(pinnedAt: pin).interfaceIndex() == index.rawValue)
            let said = try wire.network.withNamespace(.edge1) { namespace in
                try ForeignProgram.tool(["ip", "-j", "link", "show", "dev", name], in: namespace)
            }
            // Mode 1 is the driver's.
            #expect(said.replacing(" ", with: "").contains("\"xdp\":{\"mode\":1"), "\(said)")
        }
        let flags = try #require(try wire.first.openState()).portList.mapValues(\.flags)
        #expect(flags.values.filter { $0 & UInt32(PW_PORT_ACCESS_XDP) != 0 }.count == 1)
        #expect(flags.values.filter { $0 & UInt32(PW_PORT_UNDERLAY_XDP) != 0 }.count == 1)
        // A veth sends what is redirected to it only while its other end has a program too.
        #expect(flags.values.allSatisfy { $0 & UInt32(PW_PORT_TRANSMITS) == 0 })
        var far = cell.configuration(at: .edge2)
        far.attach = .xdp
        try wire.second.add(far)
        try wire.first.refresh()
        if try client.links.xdpFeatures() != nil {
            let ports = try #require(try wire.first.openState()).portList
            for (name, transmits) in [("veth10", false), ("veth12", true)] {
                let flags = try ports[wire.index(name, client).rawValue]?.flags ?? 0
                #expect((flags & UInt32(PW_PORT_TRANSMITS) != 0) == transmits, "\(name)")
            }
        }
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.health.state == .up && !found.health.sentence.contains("but"), "\(found.health)")
        #expect(Set(found.acceleration.keys) == Set(Self.names) && found.acceleration.values.allSatisfy(\.isOn))
        #expect(try wire.first.export().pseudowires.first?.attach == .xdp)
        try wire.expectPings(sizes: [56, 1200])
        try wire.first.remove("pw0")
        try wire.second.remove("pw0")
        #expect(try Self.present(wire) == [nil, nil])
        #expect(try Census(wire.first) == before)
        try wire.takeDown()
    }

    @Test("are put there and taken off in place; auto has none on what is virtual, and says why")
    func inPlace() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.acceleration.values.allSatisfy { $0.reason?.contains("virtual (veth)") == true })
        let before = try Census(wire.first)
        let outcome = try wire.streamingBothWays { try Self.set(wire.first, "xdp") }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        #expect(try Self.present(wire) == Self.ours(wire.first))
        for word in ["tcx", "xdp", "clsact", "xdp", nil] where word != "tcx" || AttachmentHook.hasTCX {
            try Self.set(wire.first, word)
            #expect(
                try Self.present(wire) == (word == "xdp" ? Self.ours(wire.first) : [nil, nil]), "\(word ?? "auto")")
            try wire.expectPings()
        }
        // A filter stays where it was moved to, and so may a qdisc.
        try Self.set(wire.first, AttachmentHook.hasTCX ? "tcx" : "clsact")
        try Self.set(wire.first, nil)
        let after = try Census(wire.first)
        #expect(after == before, "\(after.differences(from: before))")
        try wire.takeDown()
    }

    @Test("of somebody else's who was first refuse ours, and nothing has changed")
    func foreignFirst() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        var near = Cell.all[0].configuration(at: .edge1)
        near.attach = .xdp
        for name in Self.names {
            for mode in [ProgramLink.XDPMode.driver, .generic] {
                let foreign = try Foreign()
                let index = try wire.index(name, client)
                let plan = try wire.first.plan(adding: [near])
                try wire.network.withNamespace(.edge1) { namespace in
                    try foreign.arrive(at: index, mode, in: namespace)
                }
                let before = try Census(wire.first)
                let planned = Self.message { try wire.first.add(near) }
                // It may also come between planning and doing.
                let done = Self.message { try wire.first.execute(plan) }
                for message in [planned, done] {
                    #expect(message.contains(name) && message.contains("somebody else's XDP program"), "\(message)")
                    #expect(message.contains("number \(foreign.program.id) (foreign_xdp)"), "\(message)")
                    #expect(message.contains("leave --attach xdp out"), "\(message)")
                }
                #expect(try Census(wire.first) == before)
                let there = try client.links.find(named: name)?.xdp
                #expect(there?.first == foreign.program.id)
                // Filters do beside it.
                try wire.connect(Cell.all[0])
                try wire.expectPings()
                #expect(
                    try wire.first.pseudowire(named: "pw0").acceleration[name]?.reason?.contains("somebody else's")
                        == true)
                try wire.first.remove("pw0")
                try wire.second.remove("pw0")
                #expect(try client.links.find(named: name)?.xdp == there)
                foreign.leave()
            }
        }
        try wire.takeDown()
    }

    @Test("of somebody else's who comes later are refused by the kernel, and ours stay")
    func foreignLater() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        try wire.connect(Cell.all[0]) { $0.attach = .xdp }
        let foreign = try Foreign()
        let pin = "\(BPFFileSystem.conventionalPath)/foreign_xdp_\(getpid())"
        try foreign.program.pin(at: pin)
        defer { _ = unlink(pin) }
        for name in Self.names {
            let index = try wire.index(name, client)
            try wire.network.withNamespace(.edge1) { namespace in
                for mode in [ProgramLink.XDPMode.driver, .generic] {
                    let error = #expect(throws: BPFError.self) { try foreign.arrive(at: index, mode, in: namespace) }
                    #expect(
                        error?.errno == .resourceBusy || error?.errno == .fileExists, "\(String(describing: error))")
                }
                // By netlink, which would replace what was put there by netlink.
                for words in [["xdpdrv", "pinned", pin], ["xdp", "off"]] {
                    _ = try ForeignProgram.tool(["ip", "-force", "link", "set", "dev", name] + words, in: namespace)
                }
            }
        }
        #expect(try Self.present(wire) == Self.ours(wire.first))
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("that were taken off are told by health, and put back by the next command")
    func healed() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        // As hardware does, each end sends what is redirected to it, whatever the other one has attached.
        for (place, name) in [(FourNamespaces.Place.edge1, "veth12"), (.edge2, "veth21")] {
            let client = try wire.client(place)
            try client.links.setOffloads(wire.index(name, client), [.genericReceive: true])
        }
        try wire.connect(Cell.all[0]) { $0.attach = .xdp }
        let before = try Census(wire.first)
        let document = try wire.first.export()
        for (name, word) in zip(Self.names, ["encap", "decap"]) {
            let index = try wire.index(name, client)
            let pin = wire.first.directory.pin("link:\(index.rawValue):\(word):xdp")
            try ProgramLink(pinnedAt: pin).detach()
            let found = try wire.first.pseudowire(named: "pw0")
            #expect(found.health.state == .up && found.health.sentence.contains("XDP program on \(name) is gone"))
            #expect(found.acceleration[name]?.isOn == false)
            try wire.expectPings()
            // What an agent does.
            if word == "encap" { try wire.first.refresh() } else { _ = try wire.first.keep(document) }
            #expect(try Self.present(wire) == Self.ours(wire.first))
            #expect(try wire.first.pseudowire(named: "pw0").health.sentence.contains("XDP") == false)

            _ = unlink(pin)
            let foreign = try Foreign()
            try wire.network.withNamespace(.edge1) { namespace in
                // A link ends some time after its last pin.
                for _ in 0..<500 {
                    do { return try foreign.arrive(at: index, .driver, in: namespace) } catch let error as BPFError {
                        guard error.errno == .resourceBusy else { throw error }
                    }
                    usleep(10_000)
                }
                Issue.record("\(name) stays taken")
            }
            try wire.first.refresh()
            let disturbed = try wire.first.pseudowire(named: "pw0")
            #expect(disturbed.health.state == .up, "\(disturbed.health)")
            #expect(disturbed.health.sentence.contains("number \(foreign.program.id) (foreign_xdp)"))
            try wire.expectPings()
            foreign.leave()
            try wire.first.refresh()
            #expect(try Self.present(wire) == Self.ours(wire.first))
        }
        let after = try Census(wire.first)
        #expect(after == before, "\(after.differences(from: before))")
        // A pin goes with its interface.
        let index = try wire.index("veth10", client)
        try client.links.delete(index)
        try wire.first.refresh()
        #expect(!FileSystem.exists(wire.first.directory.pin("link:\(index.rawValue):encap:xdp")))
        try wire.first.teardown()
        try wire.second.teardown()
    }

    @Test("that send to a driver which no longer takes it are told by health, and stopped by the next command")
    func untransmitted() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { $0.attach = .xdp }
        // The other end's program is the last: only since then does the underlay send what is redirected to it.
        try wire.first.refresh()
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        try wire.expectPings()
        let far = try wire.index("veth21", wire.client(.edge2))
        try ProgramLink(pinnedAt: wire.second.directory.pin("link:\(far.rawValue):decap:xdp")).detach()
        let health = try wire.first.pseudowire(named: "pw0").health
        #expect(health.state == .broken && health.sentence.contains("send to veth12 is lost"), "\(health)")
        try wire.first.refresh()
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        try wire.expectPings()
        try wire.first.teardown()
        try wire.second.teardown()
    }

    @Test("that send to a driver which no longer takes it are stopped by an agent as soon as the kernel says so")
    func announced() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { $0.attach = .xdp }
        let agent = try RunningAgent(
            try wire.first.export(), in: .path(wire.network.path(of: .edge1)), recheck: .seconds(600))
        let far = try wire.index("veth21", wire.client(.edge2))
        let underlay = try wire.index("veth12", wire.client(.edge1)).rawValue
        func transmits() throws -> Bool {
            let port = try #require(try wire.first.openState()).portList[underlay]
            return (port?.flags ?? 0) & UInt32(PW_PORT_TRANSMITS) != 0
        }
        // An interface's first notification is looked into whatever it says.
        for _ in 0..<3 {
            for _ in 0..<2000 where try !transmits() { usleep(10_000) }
            #expect(try transmits())
            try ProgramLink(pinnedAt: wire.second.directory.pin("link:\(far.rawValue):decap:xdp")).detach()
            for _ in 0..<2000 where try transmits() { usleep(10_000) }
            #expect(try !transmits())
            try wire.expectPings()
            try wire.second.refresh()
        }
        try agent.end()
        try wire.takeDown()
    }

    @Test("are refused where a driver or a packet's beginning speaks against them, with the interface and the cure")
    func unfit() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        try wire.network.withNamespace(.edge1) { namespace in
            for words in [["link", "add", "br0", "type", "bridge"], ["tuntap", "add", "dev", "tun0", "mode", "tun"]] {
                _ = try ForeignProgram.tool(["ip"] + words, in: namespace)
            }
        }
        let before = try Census(wire.first)
        func refused(_ change: (inout PseudowireConfiguration) -> Void) -> String {
            var one = Cell.all[0].configuration(at: .edge1)
            one.attach = .xdp
            change(&one)
            return Self.message { try wire.first.add(one) }
        }
        let bridge = refused { $0.access = "br0" }
        #expect(bridge.contains("br0") && bridge.contains("no native XDP"), "\(bridge)")
        let tun = refused { $0.underlays = ["tun0"] }
        #expect(tun.contains("tun0") && tun.contains("no Ethernet header"), "\(tun)")
        for message in [bridge, tun] { #expect(message.contains("leave --attach xdp out"), "\(message)") }
        // What only the driver knows: too large a frame for one page.
        let far = try wire.client(.host0)
        try far.links.update(wire.index("veth01", far), LinkUpdate(mtu: 9000))
        let large = refused { _ in }
        #expect(large.contains("veth10") && large.contains("MTU"), "\(large)")
        #expect(try Census(wire.first) == before)
        try far.links.update(wire.index("veth01", far), LinkUpdate(mtu: 1400))
        for name in ["br0", "tun0"] { try client.links.delete(wire.index(name, client)) }
        try wire.takeDown()
    }

    @Test("are shared by the pseudowires of an interface, and go with the last one that asked for them")
    func shared() throws {
        let wire = try Wire()
        try wire.first.add(Cell.oneOfMany(0, .auto))
        try wire.first.add(Cell.oneOfMany(1, .xdp))  // the first one goes along
        #expect(try wire.first.pseudowires().allSatisfy { $0.acceleration.values.allSatisfy(\.isOn) })
        let refusal = Self.message { try wire.first.add(Cell.oneOfMany(2, .clsact)) }
        #expect(refusal.contains("pw1 wants it at xdp"), "\(refusal)")
        try wire.first.add(Cell.oneOfMany(2, .xdp))
        try wire.first.remove("pw1")
        #expect(try Self.present(wire) == Self.ours(wire.first))
        try wire.first.remove("pw2")
        #expect(try Self.present(wire) == [nil, nil])
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        try wire.takeDown()
    }

    @Test("are on the hidden end of an interface that is made with its pseudowire")
    func madeInterface() throws {
        let wire = try Wire()
        var one = Cell.all[0].configuration(at: .edge1)
        one.access = "lan0"
        one.makesInterface = true
        one.attach = .xdp
        try wire.first.add(one)
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.acceleration["pw-1"]?.isOn == true && found.acceleration["veth12"]?.isOn == true)
        try wire.takeDown()
    }

    @Test("are exchanged with the filters when the datapath is replaced, and no frame is lost")
    func upgraded() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { $0.attach = .xdp }
        let old = try Self.ours(wire.first)
        #expect(try wire.first.planUpgrade().filters.allSatisfy(\.hasXDP))
        let outcome = try wire.streamingBothWays {
            for _ in 0..<3 { try wire.first.upgrade(evenIfCurrent: true) }
        }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        let new = try Self.ours(wire.first)
        #expect(try Self.present(wire) == new && Set(new).isDisjoint(with: old))
        #expect(try wire.first.pseudowire(named: "pw0").health.sentence.contains("XDP") == false)
        try wire.takeDown()
    }
}
