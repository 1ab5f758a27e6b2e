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
    /// What happens to the first edge, and what is said about `pw1` then.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Before anybody does anything, after a command that changes something, and where a document is kept.
        let sick: Said
        let mended: Said
        let kept: Said
        let act: @Sendable (borrowing Churn) throws -> Void
        var testDescription: String { name }
    }

    struct Said: Sendable {
        let state: Pseudowire.Health.State
        let words: String
        static func up(_ words: String = "carrying frames") -> Said { Said(state: .up, words: words) }
        static func waiting(_ words: String) -> Said { Said(state: .waiting, words: words) }
        static func broken(_ words: String) -> Said { Said(state: .broken, words: words) }
    }

    static let cases = [
        Case(
            name: "access renamed", sick: .up("eth1 is called eth9 now"), mended: .up("eth1 is called eth9 now"),
            kept: .waiting("no interface \"eth1\" here")
        ) { try $0.rename("eth1", "eth9") },
        Case(
            name: "access renamed, another one has the name", sick: .broken("eth1 is another one"), mended: .up(),
            kept: .up()
        ) {
            try $0.rename("eth1", "eth9")
            try $0.make("eth1", peer: "cust9")
        },
        Case(
            name: "access moved to another namespace", sick: .broken("eth1 is gone"),
            mended: .waiting("no interface \"eth1\""), kept: .waiting("no interface \"eth1\"")
        ) { try $0.moveAway("eth1") },
        Case(
            name: "access deleted", sick: .broken("eth1 is gone"), mended: .waiting("no interface \"eth1\""),
            kept: .waiting("no interface \"eth1\"")
        ) { try $0.delete("eth1") },
        Case(
            name: "access made anew, with another index", sick: .broken("eth1 is another one"), mended: .up(),
            kept: .up()
        ) {
            try $0.delete("eth1")
            try $0.make("eth1", peer: "cust1")
        },
        Case(
            name: "access made anew, with the same index", sick: .broken("encap filter on eth1 is gone"),
            mended: .up(), kept: .up()
        ) {
            try $0.delete("eth1")
            try $0.make("eth1", peer: "cust1", index: Churn.accessIndex)
        },
        Case(
            name: "another device with the old index", sick: .broken("eth1 is gone"),
            mended: .waiting("no interface \"eth1\""), kept: .waiting("no interface \"eth1\"")
        ) {
            try $0.delete("eth1")
            try $0.makeForeign("alien", index: Churn.accessIndex)
        },
        Case(name: "MTU and MAC of all changed", sick: .up(), mended: .up(), kept: .up()) {
            try $0.change("eth1", mtu: 1300)
            try $0.change("und0", mtu: 1400)
        },
        Case(
            name: "underlay renamed", sick: .up(), mended: .up(), kept: .up()
        ) { try $0.rename("und0", "und9") },
        Case(
            name: "underlay deleted", sick: .broken("underlay interface und0 is gone"),
            mended: .waiting("no underlay is known"), kept: .waiting("no underlay is known")
        ) { try $0.delete("und0") },
        Case(
            name: "underlay made anew", sick: .broken("underlay interface und0 is gone"), mended: .up(), kept: .up()
        ) {
            try $0.delete("und0")
            try $0.makeUnderlay("und0")
        },
        Case(
            name: "underlay made anew, with the same index", sick: .broken("decap filter on und0 is gone"),
            mended: .up(), kept: .up()
        ) {
            try $0.delete("und0")
            try $0.makeUnderlay("und0", index: Churn.underlayIndex)
        },
        Case(
            name: "another way to the peer", sick: .up("route leads through und1, where replies are not taken in"),
            mended: .up("carrying frames of eth1"), kept: .up("carrying frames of eth1")
        ) {
            try $0.make("und1", peer: "far1")
            try $0.route(through: "und1")
        },
        Case(
            name: "encap filter deleted", sick: .broken("encap filter on eth1 is gone"), mended: .up(), kept: .up()
        ) { try $0.deleteFilter("encap", "eth1") },
        Case(
            name: "decap filter deleted", sick: .broken("decap filter on und0 is gone"), mended: .up(), kept: .up()
        ) { try $0.deleteFilter("decap", "und0") },
        Case(name: "promiscuity switched off", sick: .up(), mended: .up(), kept: .up()) {
            try $0.change("eth1", isPromiscuous: false)
        },
    ]

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
            try arena.await(churn.kept, "kept")
            try arena.expectNothingStale()
            try arena.restore()
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

    @Test("the datapath's own interfaces are made again when somebody has removed them")
    func splitter() throws {
        let arena = try Churn.begin()
        try arena.delete("pw-split0")
        try arena.wire.first.refresh()
        try arena.expect(.up(), "made again")
        try arena.expectNothingStale()
        // Segments and routes need it; another namespace's command must not take this one for gone.
        try arena.wire.second.refresh()
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
