import BPF
import CPseudowireObject
import Glibc
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

/// Documents that cannot be had as they stand, and names that people change.
extension ChurnTests {
    /// The same with an underlay of no use to XDP, whose programs are asked for.
    private static func impossible(_ wire: PseudowireConfiguration) -> PseudowireConfiguration {
        var wire = wire
        wire.attach = .xdp
        wire.underlays = ["tun0"]
        return wire
    }

    /// - Parameter isMade: whether the interface of `pw1` is made with it.
    private static func begin(isMade: Bool) throws -> Churn {
        let arena = try Churn.begin()
        _ = try arena.wire.network.withNamespace(.edge1) { namespace in
            try ForeignProgram.tool(["ip", "tuntap", "add", "dev", "tun0", "mode", "tun"], in: namespace)
        }
        if isMade {
            try arena.wire.first.remove("pw1")
            try arena.wire.first.add(arena.madeConfiguration)
            try arena.change("lan0", isUp: true)
        }
        return arena
    }

    @Test("an option that cannot be had waits; the pseudowire goes on as it was", arguments: [false, true])
    func held(isMade: Bool) throws {
        let arena = try Self.begin(isMade: isMade)
        let before = try arena.wire.first.export()
        let wires = before.pseudowires.map { $0.name == "pw1" ? Self.impossible($0) : $0 }
        let outcome = try arena.wire.streaming {
            for _ in 0..<2 {
                let kept = try arena.wire.first.keep(PseudowireDocument(wires))
                #expect(kept.changes.isEmpty && kept.failures.isEmpty)
                #expect(kept.waiting.first?.reason.contains("no XDP program on tun0") == true, "\(kept.waiting)")
                try arena.expect(.up(), "held")
            }
            #expect(try arena.wire.first.export() == before)
            #expect(try arena.wire.first.keep(before).waiting.isEmpty)
            try arena.expectNothingStale()
        }
        #expect(outcome.lost == 0, "\(outcome)")
        try arena.delete("tun0")
        try arena.end()
    }

    @Test("it does not go on where somebody else, who comes first in the document, has been given its place")
    func rivalled() throws {
        let arena = try Self.begin(isMade: false)
        let manager = arena.wire.first
        let before = try manager.export()
        try arena.client.links.addAlternativeName("customer-1", to: arena.find("eth1").index)
        var other = arena.configuration
        (other.name, other.access, other.session.local) = ("pw2", "customer-1", 77)
        let rest = before.pseudowires.filter { $0.name != "pw1" }
        let kept = try manager.keep(PseudowireDocument([other] + rest + [Self.impossible(arena.configuration)]))
        #expect(kept.waiting.map(\.name) == ["pw1"] && kept.failures.isEmpty)
        #expect(try manager.pseudowire(named: "pw2").health.state == .up)
        #expect(try manager.pseudowire(named: "pw1").health.state == .waiting)
        let port = try arena.find("eth1").index.rawValue
        let state = try #require(try manager.openState())
        #expect(try state.access.entries().filter { $0.key.ifindex == port }.map(\.value.session_id) == [77])
        #expect(try state.sessions.entries().allSatisfy { $0.key != 2 })
        #expect(try manager.keep(before).waiting.isEmpty)
        try arena.expect(.up(), "alone again")
        try arena.delete("tun0")
        try arena.end()
    }

    @Test("an interface that was made stays while nothing can be carried for it, and is taken up again as it is")
    func parked() throws {
        let arena = try Self.begin(isMade: true)
        let manager = arena.wire.first
        let index = try arena.find("lan0").index
        let before = try manager.export()
        var other = Self.impossible(arena.madeConfiguration)
        other.tunnel.peer = "198.51.100.3"
        var kept = try manager.keep(PseudowireDocument([before.pseudowires[0], other]))
        #expect(kept.waiting.map(\.name) == ["pw1"])
        try arena.expect(.waiting("no XDP program on tun0"), "parked")
        kept = try manager.keep(before)
        #expect(kept.waiting.isEmpty, "\(kept.waiting)")
        try arena.expect(.up(), "taken up")
        #expect(try arena.find("lan0").index == index)
        try arena.expectNothingStale()
        try arena.delete("tun0")
        try arena.end()
    }

    @Test("a named underlay that was renamed is recorded by its new name, and nobody else's of the old one is taken")
    func renamedUnderlay() throws {
        let arena = try Churn.begin()
        let manager = arena.wire.first
        var wire = arena.configuration
        wire.underlays = ["und0"]
        try manager.apply(PseudowireDocument([wire]), keepsOthers: true)
        try arena.rename("und0", "und9")
        wire.underlays = ["und9"]
        let document = PseudowireDocument([wire])
        let plan = try manager.plan(applying: document, keepsOthers: true)
        #expect(plan.changes.map(\.description) == ["change pw1: underlay und0 -> und9"])
        try manager.execute(plan)
        #expect(try manager.plan(applying: document, keepsOthers: true).isEmpty)
        #expect(try manager.export().pseudowires.last?.underlays == ["und9"])
        let index = try arena.find("und9").index
        try arena.make("und0", peer: "cust7")
        try manager.refresh()
        try arena.expect(.up(), "as it was")
        #expect(try manager.pseudowire(named: "pw1").underlays == ["und9"])
        #expect(try arena.wire.filterCount(on: arena.find("und0").index, in: .edge1) == 0)
        #expect(try arena.wire.filterCount(on: index, in: .edge1) == 1)
        try arena.expectNothingStale()
        try arena.delete("und0")
        try arena.rename("und9", "und0")
        try arena.end()
    }

    @Test("an address on more interfaces than a pseudowire can have underlays is no trap: they are to be named")
    func crowdedAddress() throws {
        let arena = try Churn.begin()
        let manager = arena.wire.first
        for number in 0..<300 {
            let link = try arena.client.links.create(.veth("ppp\(number)", peer: .init(name: "far\(number + 1)")))
            try arena.client.addresses.add("198.51.100.1/32", to: link.index)
        }
        // One that is there goes on.
        try manager.refresh()
        try arena.expect(.up(), "as it was")
        var wire = arena.configuration
        wire.name = "pw2"
        wire.session.local = 9
        wire.vlan = .id(7)
        try arena.make("eth2", peer: "cust2")
        wire.access = "eth2"
        let error = #expect(throws: PseudowireError.self) { try manager.add(wire) }
        let message = "\(String(describing: error))"
        #expect(message.contains("there are 301 interfaces") && message.contains("8 at most"), "\(message)")
        wire.underlays = ["und0"]
        try manager.add(wire)
        try manager.remove("pw2")
        try arena.delete("eth2")
        for number in 0..<300 { try arena.delete("ppp\(number)") }
        try arena.expect(.up(), "as it was")
        try arena.end()
    }

    @Test("a plan does not outlive the interfaces that it was made for")
    func stalePlan() throws {
        let arena = try Churn.begin()
        let manager = arena.wire.first
        let plan = try manager.plan(removing: ["pw1"])
        try arena.delete("eth1")
        try arena.make("eth1", peer: "cust1")
        try manager.refresh()
        let error = #expect(throws: PseudowireError.self) { try manager.execute(plan) }
        #expect("\(String(describing: error))".contains("have changed since the plan was made"))
        try arena.expect(.up(), "healed")
        try arena.expectNothingStale()
        try arena.end()
    }

    @Test("an interface's other name does not make it another one's underlay")
    func sameDevice() throws {
        let arena = try Churn.begin()
        try arena.client.links.addAlternativeName("customer-1", to: arena.find("eth1").index)
        try arena.wire.first.remove("pw1")
        var wire = arena.configuration
        (wire.access, wire.underlays) = ("customer-1", ["eth1"])
        let error = #expect(throws: PseudowireError.self) { try arena.wire.first.add(wire) }
        #expect("\(String(describing: error))".contains("eth1 is the access interface"))
        try arena.end()
    }

    @Test("what an agent's failing attempts make happen does not hasten the next one")
    func backOff() throws {
        let wire = try Wire()
        // The driver says no when the programs are put on, and not before: datapath and interfaces are made, and
        // undone.
        let far = try wire.client(.host0)
        try far.links.update(wire.index("veth01", far), LinkUpdate(mtu: 9000))
        var one = Cell.all[0].configuration(at: .edge1)
        one.attach = .xdp
        let document = PseudowireDocument([one])
        let agent = try RunningAgent(
            document, in: .path(wire.network.path(of: .edge1)), recheck: .seconds(600))
        usleep(7_000_000)
        // One, two and four seconds after the one before.
        #expect((2...4).contains(agent.looks), "\(agent.looks): \(agent.failures.suffix(3))")
        // What makes it possible is heeded.
        try far.links.update(wire.index("veth01", far), LinkUpdate(mtu: 1400))
        let client = try wire.client(.edge1)
        try client.links.update(wire.index("veth10", client), LinkUpdate(mtu: 1300))
        for _ in 0..<400 where try wire.first.pseudowires().isEmpty { usleep(10_000) }
        #expect(try wire.first.pseudowires().count == 1)
        try agent.end()
        try client.links.update(wire.index("veth10", client), LinkUpdate(mtu: 1400))
        try wire.takeDown()
    }
}
