import BPF
import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

@Suite("making, finding and removing", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct LifecycleTests {
    /// The faults' options, of an error that must be about nothing else.
    private func fields(_ body: () throws -> Void) -> [String] {
        do {
            try body()
            return []
        } catch PseudowireError.faults(let faults) {
            return faults.map(\.field)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("what another manager has made is there, and is what was asked for")
    func adopted() throws {
        let wire = try Wire()
        var configuration = Cell.all[2].configuration(at: .edge1)
        configuration.session.expecting = ["01234567", "89abcdef"]
        try wire.first.add(configuration)
        let other = try PseudowireManager(in: .path(wire.network.path(of: .edge1)))
        let found = try other.pseudowires()
        #expect(found.map(\.configuration) == [configuration])
        #expect(found.first?.underlays == ["veth12"])
        try other.remove("pw0")
        #expect(try wire.first.pseudowires().isEmpty)
        try wire.takeDown()
    }

    @Test(
        "a carrier that is missing at our end is told: the customer's in passing, the underlay's as what is waited for")
    func carrier() throws {
        let wire = try Wire()
        try wire.first.add(Cell.all[0].configuration(at: .edge1))
        let (host, peer) = try (wire.client(.host0), wire.client(.edge2))
        func health(_ name: String, of client: RouteClient, isUp: Bool) throws -> String {
            try client.links.update(wire.index(name, client), LinkUpdate(isUp: isUp))
            return "\(try wire.first.pseudowire(named: "pw0").health)"
        }
        #expect(try health("veth01", of: host, isUp: false) == "up: carrying frames; but veth10 has no carrier")
        #expect(try health("veth01", of: host, isUp: true) == "up: carrying frames of veth10")
        #expect(try health("veth21", of: peer, isUp: false) == "waiting: underlay interface veth12 has no carrier")
        #expect(try health("veth21", of: peer, isUp: true) == "up: carrying frames of veth10")
        try wire.takeDown()
    }

    @Test("many pseudowires on one underlay; the last one takes the filter with it")
    func many() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let peerOfAccess = try wire.client(.host0)
        let underlay = try wire.index("veth12", client)
        for number in 0..<20 {
            try wire.network.withNamespace(.edge1) { namespace in
                _ = try peerOfAccess.links.create(
                    .veth("h\(number)", peer: .init(name: "a\(number)", namespace: namespace.fileDescriptor)))
            }
            var configuration = Cell.all[number % 4].configuration(at: .edge1)
            configuration.name = "pw\(number)"
            configuration.access = "a\(number)"
            configuration.session.local = try #require(SessionID(rawValue: UInt32(100 + number)))
            try wire.first.add(configuration)
        }
        #expect(try wire.first.pseudowires().count == 20)
        #expect(try wire.filterCount(on: underlay, in: .edge1) == 1)
        for number in 0..<19 { try wire.first.remove("pw\(number)") }
        #expect(try wire.filterCount(on: underlay, in: .edge1) == 1)
        try wire.first.remove("pw19")
        #expect(try wire.filterCount(on: underlay, in: .edge1) == 0)
        for number in 0..<20 { try peerOfAccess.links.delete(wire.index("h\(number)", peerOfAccess)) }
        try wire.takeDown()
    }

    @Test("what is taken, missing or impossible is refused, all of it at once, and nothing changes")
    func refused() throws {
        let wire = try Wire()
        let good = Cell.all[0].configuration(at: .edge1)
        try wire.first.add(good)
        let before = try wire.first.pseudowires()

        #expect(fields { try wire.first.add(good) } == ["NAME", "session-id", "access"])
        var other = good
        other.name = "pw1"
        other.session.local = 77
        other.access = "veth99"
        #expect(fields { try wire.first.add(other) } == ["access"])
        other.access = "lo"
        #expect(fields { try wire.first.add(other) } == ["access"])
        for name in ["pw-split0", "pw-join0", "pw-join1"] {
            other.access = name
            #expect(fields { try wire.first.add(other) } == ["access"], "\(name)")
        }
        other.access = "veth12"
        #expect(Set(fields { try wire.first.add(other) }) == ["access"])
        other.access = "veth10"
        #expect(fields { try wire.first.add(other) } == ["access"])
        other.access = "nowhere"
        other.underlays = ["neither"]
        other.ttl = 0
        #expect(Set(fields { try wire.first.add(other) }) == ["access", "underlay", "ttl"])
        #expect(fields { try wire.first.remove("pw0", "pw7") } == ["NAME"])

        let after = try wire.first.pseudowires()
        #expect(after.map(\.configuration) == before.map(\.configuration))
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("a plan that fails halfway is undone")
    func undone() throws {
        let wire = try Wire()
        let plan = try wire.first.plan(adding: [Cell.all[0].configuration(at: .edge1)])
        #expect(plan.steps.count >= 6)
        // Between planning and doing, the access interface goes.
        let client = try wire.client(.edge1)
        try client.links.delete(wire.index("veth10", client))
        #expect(throws: PseudowireError.self) { try wire.first.execute(plan) }
        #expect(try wire.first.pseudowires().isEmpty)
        let underlay = try wire.index("veth12", client)
        #expect(try client.filters.list(at: TrafficHook(link: underlay, direction: .ingress)).isEmpty)
        for name in ["pw-split0", "pw-join0"] { #expect(try client.links.find(named: name) == nil) }
    }

    @Test("a plan for other pseudowires than there are is refused")
    func stale() throws {
        let wire = try Wire()
        let one = Cell.all[0].configuration(at: .edge1)
        let plan = try wire.first.plan(adding: [one])
        try wire.first.execute(plan)
        #expect(throws: PseudowireError.self) { try wire.first.execute(plan) }
        let removal = try wire.first.plan(removing: ["pw0"])
        try wire.first.remove("pw0")
        #expect(throws: PseudowireError.self) { try wire.first.execute(removal) }
        try wire.takeDown()
    }

    @Test("an access interface that went away is reported, and deleting its pseudowire works")
    func vanished() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let client = try wire.client(.edge1)
        try client.links.delete(wire.index("veth10", client))
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .broken)
        try wire.first.remove("pw0")
        #expect(try wire.first.pseudowires().isEmpty)
        try wire.first.teardown()
        try wire.second.teardown()
    }

    @Test("what a namespace leaves behind when it goes is reaped by the next command")
    func reaped() throws {
        let cookie: UInt64
        do {
            let wire = try Wire()
            try wire.first.add(Cell.all[0].configuration(at: .edge1))
            cookie = try wire.client(.edge1).namespaceCookie
        }
        let state = "\(BPFFileSystem.conventionalPath)/pseudowire/\(String(cookie, radix: 16))"
        #expect(access(state, F_OK) == 0)
        // The kernel takes namespaces apart in the background.
        let wire = try Wire()
        for _ in 0..<100 where access(state, F_OK) == 0 {
            usleep(50_000)
            try wire.first.teardown()
        }
        #expect(access(state, F_OK) != 0)
        try wire.takeDown()
    }

    @Test("the limit on pseudowires is the first one's to set, and is kept")
    func limit() throws {
        let wire = try Wire()
        let one = Cell.all[0].configuration(at: .edge1)
        try wire.first.execute(try wire.first.plan(adding: [one], maxSessions: 1))
        var two = one
        two.name = "pw1"
        two.session.local = 2
        #expect(fields { _ = try wire.first.plan(adding: [two], maxSessions: 2) }.contains("max-sessions"))
        #expect(fields { try wire.first.add(two) }.contains("NAME"))
        try wire.takeDown()
    }
}
