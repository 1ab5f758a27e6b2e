import Glibc
import PseudowireTestbed
import InternetAddress
import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("what the next command makes of a change that died", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct RecoveryTests {
    private static func scenario(_ name: String) throws -> FaultScenario {
        try #require(FaultScenario.all.first { $0.testDescription == name })
    }

    /// Kills the command where the first point of a kind is.
    private func kill(_ arena: FaultArena, at point: FaultPoint) throws {
        let number = try #require(try arena.command.points().lastIndex(of: point))
        try arena.reset()
        #expect(try arena.command.run(.kill(number)).wasKilled)
    }

    @Test("readers are told, and told no more when it is mended")
    func readers() throws {
        let arena = try FaultArena(try Self.scenario("replace all by others"))
        try kill(arena, at: .filterRemoved)
        let unfinished = try #require(try arena.manager.unfinished())
        #expect(!unfinished.isBeingUndone)
        #expect(Set(unfinished.changes.map(\.name)) == ["pwa", "pwi", "pwj", "pwv", "pww"])
        #expect(unfinished.description.contains("the next one that changes something finishes it"))
        var told: [Recovery] = []
        arena.manager.onMend = { told.append($0) }
        try arena.manager.refresh()
        #expect(told.count == 1 && told.first?.isFinished == true)
        #expect(try arena.manager.unfinished() == nil)
        #expect(try arena.manager.export() == arena.after)
        try arena.manager.refresh()
        #expect(told.count == 1)
        try arena.takeDown()
    }

    @Test(
        "saying again what a command that died was doing succeeds, once",
        arguments: [
            ("delete", FaultPoint.filterRemoved, "no pseudowire \"pwa\""), ("create on a port", .filterAdded, "pwa"),
        ])
    func again(scenario: String, point: FaultPoint, complaint: String) throws {
        let arena = try FaultArena(try Self.scenario(scenario))
        try kill(arena, at: point)
        let second = try arena.command.run(.count)
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.output.contains { $0.hasPrefix("mended: finished") }, "\(second.output)")
        #expect(try arena.manager.export() == arena.after)
        let third = try arena.command.run(.count)
        #expect(third.status == 1)
        #expect(third.errors.contains(complaint), "\(third.errors)")
        try arena.takeDown()
    }

    @Test(
        "where one asks for clsact and the other for nothing, what is finished has the filter on clsact"
    )
    func wishes() throws {
        let arena = try FaultArena(try Self.scenario("create on a port"))
        let file = try DocumentFile(
            .init(
                [PseudowireConfiguration.Attach.auto, .clsact].enumerated().map { number, attach in
                    FaultScenario.wire("pw\(number + 1)", access: "acc0", session: UInt32(number) + 70) {
                        $0.vlan = .id(UInt16(number) + 70)
                        $0.attach = attach
                    }
                } + [FaultScenario.bystander]))
        let command = FaultCommand("apply", [file.path], in: arena.command.namespace)
        // The underlay's filter stays where the first of them moves it.
        _ = try command.points()
        try arena.reset()
        let points = try command.points()
        try arena.reset()
        #expect(try command.run(.kill(#require(points.firstIndex(of: .journalPinned)))).wasKilled)
        try arena.manager.refresh()
        for name in ["pw1", "pw2"] {
            #expect(try arena.manager.pseudowire(named: name).hooks["acc0"] == .clsact)
        }
        try arena.takeDown()
    }

    @Test("creating by the same name what is otherwise is refused, also where a command that died was creating one")
    func otherwise() throws {
        let arena = try FaultArena(try Self.scenario("create on a port"))
        try kill(arena, at: .filterAdded)
        var other = try #require(arena.after.pseudowires.first { $0.name == "pwa" })
        other.ttl = 9
        #expect(throws: PseudowireError.self) { try arena.manager.add(other) }
        #expect(try arena.manager.export() == arena.after)
        try arena.takeDown()
    }

    @Test("changing what a command that died was deleting is refused: there is none any more")
    func changed() throws {
        let arena = try FaultArena(try Self.scenario("delete"))
        try kill(arena, at: .filterRemoved)
        let second = try FaultCommand("set", ["pwa", "ttl=9"], in: arena.command.namespace).run(.count)
        #expect(second.status == 1)
        #expect(second.errors.contains("no pseudowire \"pwa\""), "\(second.errors)")
        #expect(try arena.manager.export() == arena.after)
        try arena.takeDown()
    }

    @Test("what put a shared interface right again and then failed has not taken it from the other pseudowire")
    func shared() throws {
        let arena = try FaultArena(try Self.scenario("create on a port"))
        let file = try DocumentFile(
            .init([FaultScenario.wire("pwz", access: "veth10", session: 77) { $0.vlan = .id(77) }]))
        let command = FaultCommand("create", [file.path], in: arena.command.namespace)
        let client = try arena.wire.client(.edge1)
        func beDeaf() throws {
            var update = LinkUpdate()
            update.isPromiscuous = false
            try client.links.update(arena.wire.index("veth10", client), update)
        }
        try beDeaf()
        let last = try #require(try command.points().lastIndex(of: .step))
        try arena.manager.remove("pwz")
        try beDeaf()
        let outcome = try command.run(.fail(last))
        #expect(outcome.status == 1 && outcome.errors.contains("refused for a test"), "\(outcome)")
        let bystander = try arena.manager.pseudowire(named: FaultScenario.bystander.name)
        #expect(bystander.health.state == .up, "\(bystander.health)")
        try arena.takeDown()
    }

    @Test("an interface that it needs has gone meanwhile: it is undone")
    func undone() throws {
        let arena = try FaultArena(try Self.scenario("set access"))
        let old = try arena.census()
        let client = try arena.wire.client(.edge1)
        try kill(arena, at: .promiscuitySet)
        try client.links.delete(arena.wire.index("acc1", client))
        var told: [Recovery] = []
        arena.manager.onMend = { told.append($0) }
        try arena.manager.refresh()
        #expect(told.first?.isFinished == false)
        #expect(told.first?.reason == "interface acc1 of pwa is gone")
        #expect(try arena.manager.export() == arena.before)
        #expect(try arena.manager.pseudowire(named: "pwa").health.state == .up)
        let end = try client.links.create(.veth("acc1", peer: .init(name: "far-acc1")))
        try client.links.update(end.index, LinkUpdate(isUp: true))
        arena.expect([old], "undone")
        try arena.takeDown()
    }

    @Test("what both the old and the new need has gone: it is finished, and health says what is missing")
    func neither() throws {
        let arena = try FaultArena(try Self.scenario("set access"))
        let client = try arena.wire.client(.edge1)
        try kill(arena, at: .promiscuitySet)
        for name in ["acc0", "acc1"] { try client.links.delete(arena.wire.index(name, client)) }
        try arena.manager.refresh()
        #expect(try arena.manager.unfinished() == nil)
        #expect(try arena.manager.export() == arena.after)
        #expect(try arena.manager.pseudowire(named: "pwa").health.state != .up)
        for name in ["acc0", "acc1"] {
            let end = try client.links.create(.veth(name, peer: .init(name: "far-\(name)")))
            try client.links.update(end.index, LinkUpdate(isUp: true))
        }
        try arena.takeDown()
    }

    @Test("an interface that was made and removed again by its owner is made again")
    func remade() throws {
        let arena = try FaultArena(try Self.scenario("create with an interface"))
        let points = try arena.command.points()
        let new = try arena.census()
        try arena.reset()
        let number = try #require(points.lastIndex(of: .filterAdded))
        #expect(try arena.command.run(.kill(number)).wasKilled)
        let client = try arena.wire.client(.edge1)
        try client.links.delete(arena.wire.index("lan0", client))
        try arena.manager.refresh()
        arena.expect([new], "made again")
        try arena.takeDown()
    }

    @Test("the name of an interface that was to be made is taken by now: it is undone, and nobody is held up")
    func taken() throws {
        let arena = try FaultArena(try Self.scenario("create with an interface"))
        let points = try arena.command.points()
        try arena.reset()
        let number = try #require(points.firstIndex(of: .pairMade))
        #expect(try arena.command.run(.kill(number - 1)).wasKilled)
        let client = try arena.wire.client(.edge1)
        try client.links.create(.veth("lan0", peer: .init(name: "far-lan0")))
        var told: [Recovery] = []
        arena.manager.onMend = { told.append($0) }
        try arena.manager.refresh()
        #expect(told.first?.reason == "the name lan0 is another interface's now")
        #expect(try arena.manager.export() == arena.before)
        try client.links.delete(arena.wire.index("lan0", client))
        try arena.takeDown()
    }

    @Test("who holds the lock and dies frees it; who waits for it says so, and for no longer than asked")
    func lock() throws {
        let arena = try FaultArena(try Self.scenario("set"))
        let points = try arena.command.points()
        let new = try arena.census()
        try arena.reset()
        let holder = try arena.command.start(.stop(points.count / 2))
        holder.waitUntilStopped()
        let other = FaultCommand("refresh", in: arena.command.namespace)
        let clock = ContinuousClock()
        let patient = clock.now
        let impatient = try other.run(.count, environment: ["PATIENCE": "1"])
        #expect(impatient.status == 1)
        #expect(impatient.errors.contains("waiting"))
        #expect(impatient.errors.contains("another command is changing pseudowires"))
        #expect((Duration.milliseconds(900)...Duration.seconds(5)).contains(clock.now - patient))
        let waiting = try other.start(.count)
        usleep(300_000)
        #expect(waiting.isRunning)
        holder.kill()
        let outcome = waiting.wait()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("waiting"))
        #expect(
            outcome.output.contains { $0.hasPrefix("mended: finished what a command that died had begun: change pwa") })
        _ = holder.wait()
        arena.expect([new], "after the holder's death")
        try arena.takeDown()
    }
}
