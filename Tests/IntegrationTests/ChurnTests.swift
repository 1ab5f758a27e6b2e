import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

/// Beside `pw0`, which carries a numbered stream, a `pw1` whose interfaces come and go.
@Suite("interfaces that come and go", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ChurnTests {
    @Test("without an agent, the next command that changes something puts it right", arguments: cases)
    func mended(_ churn: Case) throws {
        let arena = try Churn.begin()
        let outcome = try arena.wire.streaming {
            try churn.act(arena)
            try arena.expect(churn.sick, "sick")
            try arena.wire.first.refresh()
            try arena.expect(churn.mended, "mended")
            try arena.expectNothingStale()
        }
        #expect(outcome.lost == 0, "\(outcome)")
        try arena.end()
    }

    @Test("an agent puts it right by itself, and takes everything up again that comes back", arguments: cases)
    func kept(_ churn: Case) throws {
        let arena = try Churn.begin()
        let document = try arena.wire.first.export()
        let agent = try RunningAgent(document, at: arena)
        let outcome = try arena.wire.streaming {
            try churn.act(arena)
            try agent.lookAgain()
            try arena.await(churn.kept, "kept")
            try arena.expectNothingStale()
            try arena.restore()
            try agent.lookAgain()
            try arena.await(.up(), "restored")
            try arena.expectNothingStale()
            #expect(try arena.wire.first.export() == document)
        }
        #expect(outcome.lost == 0, "\(outcome)")
        try agent.end()
        #expect(try arena.wire.first.keep(document).changes.isEmpty)
        try arena.end()
    }

    @Test("200 things happen at random; then everything is as the document says, and no other frame was lost")
    func random() throws {
        let arena = try Churn.begin()
        let document = try arena.wire.first.export()
        let agent = try RunningAgent(document, at: arena)
        var dice = Dice(seed: 1)
        let outcome = try arena.wire.streaming(pause: 300) {
            for _ in 0..<200 {
                try arena.happen(&dice)
                usleep(UInt32.random(in: 0...60_000, using: &dice))
            }
            try arena.restore()
            try arena.await(.up(), "in the end")
            try arena.settle(agent)
            try arena.expectNothingStale()
        }
        #expect(outcome.lost == 0, "\(outcome)")
        // An interface may go in the moment in which it is taken up.
        let others = agent.failures.filter { !$0.contains("vanished") && !$0.contains("No such device") }
        #expect(others.isEmpty, "\(others)")
        #expect(try arena.wire.first.export() == document)
        try agent.end()
        try arena.end()
    }

    @Test("an interface that was made with a pseudowire is made again")
    func made() throws {
        let arena = try Churn.begin()
        let manager = arena.wire.first
        try manager.remove("pw1")
        try manager.add(arena.madeConfiguration)
        try arena.change("lan0", isUp: true)
        try arena.expect(.up(), "made")
        let outcome = try arena.wire.streaming {
            try arena.delete("lan0")
            try arena.expect(.broken("interface lan0 is gone"), "sick")
            try manager.refresh()
            try arena.expect(.waiting("interface lan0 is down"), "mended")
            try arena.change("lan0", isUp: true)
            try arena.expect(.up(), "made again")
            // Somebody else takes the name meanwhile.
            try arena.delete("lan0")
            try arena.make("lan0", peer: "cust9")
            try manager.refresh()
            try arena.expect(.waiting("lan0 exists already"), "taken")
            try arena.delete("lan0")
            try arena.expect(.broken("what it waited for has come"), "free")
            try manager.refresh()
            try arena.expect(.waiting("interface lan0 is down"), "made a third time")
            try arena.expectNothingStale()
        }
        #expect(outcome.lost == 0, "\(outcome)")
        try arena.end()
    }

    @Test("what does not concern the document is not looked at; what does is")
    func relevance() throws {
        let arena = try Churn.begin()
        let client = arena.client
        try arena.make("eth2", peer: "cust2")
        let other = try arena.wire.index("eth2", client)
        let agent = try RunningAgent(try arena.wire.first.export(), at: arena, recheck: .seconds(600))
        try arena.settle(agent)
        let before = agent.looks
        for number in 0..<200 {
            try client.routes.add(
                Route(to: IPPrefix(host: IPAddress("203.0.113.\(number)") ?? "203.0.113.0"), link: other))
        }
        try client.addresses.add("203.0.113.254/32", to: other)
        _ = try client.qdiscs.ensureClsact(on: other)
        usleep(700_000)
        #expect(agent.looks == before)
        // Half a dozen notifications, which on a busy machine may not all come together.
        try arena.make("eth8", peer: "cust8")
        for _ in 0..<1000 where agent.looks == before { usleep(10_000) }
        usleep(700_000)
        #expect((1...3).contains(agent.looks - before))
        for name in ["eth2", "eth8"] { try arena.delete(name) }
        try agent.end()
        try arena.end()
    }

    private static func damage(_ manager: PseudowireManager) throws -> Substring? {
        let health = try manager.pseudowire(named: "pw1").health
        return health.state == .broken ? health.sentence.split(separator: ";").first : nil
    }

    @Test("the datapath's own interfaces are made again when somebody has removed them")
    func splitter() throws {
        let arena = try Churn.begin()
        try arena.expect(.up(), "whole")
        try arena.wire.client(.edge1).links.update(
            arena.wire.index("pw-join0", arena.wire.client(.edge1)), LinkUpdate(isUp: false))
        #expect(
            try Self.damage(arena.wire.first)
                == "an interface in which TCP segments are joined is gone, down or altered")
        try arena.wire.first.refresh()
        try arena.expect(.up(), "set up again")
        try arena.delete("pw-split0")
        try arena.delete("pw-join1")
        #expect(
            try Self.damage(arena.wire.first)
                == "an interface in which TCP segments are joined is gone, down or altered")
        // Another namespace's command must not take this one for gone.
        try arena.wire.second.refresh()
        try arena.wire.first.refresh()
        try arena.expect(.up(), "made again")
        let joiner = try #require(try Joiner.pair.find(arena.wire.first.client))
        #expect(try arena.wire.first.openState()?.identity.joiner == joiner)
        #expect(try arena.wire.filterCount(on: LinkIndex(rawValue: joiner.inner), in: .edge1) == 1)
        try arena.expectNothingStale()
        // Segments and routes need it.
        let outcome = try arena.wire.streaming { usleep(100_000) }
        #expect(outcome.lost == 0, "\(outcome)")
        let stream = PseudowireTestbed.Stream(
            to: FourNamespaces.Place.host3.address(.v4), amount: .octets(4 << 20), timeout: .seconds(20))
        #expect(try stream.run(from: arena.wire.network.host0, to: arena.wire.network.host3).isIntact)
        try arena.end()
    }

    @Test("address and route come after the pseudowire; interfaces come after the document")
    func late() throws {
        let arena = try Churn.begin()
        let manager = arena.wire.first
        let document = try manager.export()
        try manager.remove("pw1")
        try arena.delete("und0")
        try arena.delete("eth1")
        var kept = try manager.keep(document)
        #expect(kept.changes == [.create("pw1")])
        #expect(kept.waiting.map(\.name) == ["pw1"])
        #expect(kept.waiting.first?.reason.hasPrefix("no interface \"eth1\" here") == true)
        try arena.expect(.waiting("no interface \"eth1\""), "no access")
        try arena.make("eth1", peer: "cust1")
        kept = try manager.keep(document)
        #expect(kept.waiting.isEmpty)
        try arena.expect(.waiting("no underlay is known"), "no underlay")
        try arena.makeUnderlay("und0")
        try arena.expect(.waiting("no underlay is known"), "not looked at")
        kept = try manager.keep(document)
        #expect(
            kept.changes.map(\.description) == [
                "put pw1 in its place: packets are taken in on und0, frames are finished here now"
            ])
        try arena.expect(.up(), "all there")
        try arena.expectNothingStale()
        try arena.end()
    }

    @Test("what cannot be done for one stands in no other's way")
    func independent() throws {
        let arena = try Churn.begin()
        let manager = arena.wire.first
        var document = try manager.export()
        let client = arena.client
        // A filter of somebody else's is where ours would belong: the kernel says so, no survey does.
        try arena.make("eth2", peer: "cust2")
        let index = try arena.wire.index("eth2", client)
        _ = try client.qdiscs.ensureClsact(on: index)
        let state = try #require(try manager.openState())
        _ = try client.filters.add(
            BPFFilter(program: state.programs.decap.fileDescriptor, name: "alien", priority: 1701, handle: 1),
            at: TrafficHook(link: index, direction: .ingress))
        var wires = document.pseudowires
        for (name, access, session) in [("pw2", "eth2", 3), ("pw3", "eth3", 4), ("pw4", "eth4", 5)] {
            var wire = wires[1]
            wire.name = name
            wire.access = access
            wire.attach = .clsact
            wire.session.local = SessionID(rawValue: UInt32(session)) ?? 1
            wires.append(wire)
        }
        try arena.make("eth4", peer: "cust4")
        document = PseudowireDocument(wires)
        let kept = try manager.keep(document)
        #expect(kept.failures.map(\.name) == ["pw2"])
        #expect(kept.waiting.map(\.name) == ["pw3"])
        #expect(Set(kept.changes.map(\.name)) == ["pw3", "pw4"])
        #expect(try manager.pseudowire(named: "pw4").health.state == .up)
        // All or nothing still holds where it was promised.
        let before = try manager.export()
        #expect(throws: PseudowireError.self) { try manager.execute(manager.plan(applying: document)) }
        #expect(try manager.export() == before)
        try client.links.delete(index)
        try client.links.delete(arena.wire.index("eth4", client))
        try arena.end()
    }
}
