import Foundation
import Glibc
import Pseudowire
import Testing

@Suite("commands that are killed", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct KillTests {
    /// What comes after the one that was killed.
    enum Next: Int, CaseIterable {
        case nothing, same, other, killed
    }

    /// With FAULT_ROUNDS all that could come next is tried at each place, else one of it in turn.
    private static let isThorough = ProcessInfo.processInfo.environment["FAULT_ROUNDS"] != nil

    @Test(
        "wherever it is, the next one finds the old state or the new one, and nothing else",
        arguments: FaultScenario.all)
    func anywhere(scenario: FaultScenario) throws {
        let arena = try FaultArena(scenario)
        let old = try arena.census()
        let points = try arena.command.points()
        let new = try arena.census()
        #expect(points.count > 5)
        #expect(try arena.manager.export() == arena.after)
        try arena.reset()
        arena.expect([old], "reset")
        var number = 0
        while number < points.count {
            let batch = number..<min(number + 12, points.count)
            try arena.undisturbed {
                for number in batch {
                    for next in Next.allCases where Self.isThorough || next.rawValue == number % 4 {
                        let place = "\(scenario.testDescription), \(number) (\(points[number])), then \(next)"
                        try kill(arena, number, place)
                        try go(on: arena, next, old, new, place)
                        try arena.reset()
                        arena.expect([old], "\(place), put back")
                    }
                }
            }
            number = batch.upperBound
        }
        try arena.takeDown()
    }

    @Test("no place is left out")
    func coverage() throws {
        var seen: Set<FaultPoint> = []
        for scenario in FaultScenario.all {
            let arena = try FaultArena(scenario)
            let points = try arena.command.points()
            seen.formUnion(points)
            try arena.reset()
            let refresh = FaultCommand("refresh", in: arena.command.namespace)
            for number in [points.count / 2, points.count - 3] {
                _ = try arena.command.run(.kill(number))
                seen.formUnion(try refresh.points())
                try arena.reset()
            }
            seen.formUnion(try arena.command.run(.fail(points.count / 2)).points)
            try arena.manager.refresh()
            try arena.takeDown()
        }
        // UpgradeTests goes through these.
        let upgrades: Set<FaultPoint> = [
            .upgradeProved, .upgradeStaged, .upgradeBegun, .filterExchanged, .upgradeCarried, .upgradeCommitted,
            .upgradeReaped,
        ]
        let missing = Set(FaultPoint.allCases).subtracting(upgrades).subtracting(seen)
        #expect(missing.isEmpty, "\(missing)")
    }

    private func kill(_ arena: FaultArena, _ number: Int, _ place: String) throws {
        let outcome = try arena.command.run(.kill(number))
        #expect(outcome.wasKilled && outcome.status == SIGKILL, "\(place): \(outcome)")
        // Whoever only looks is served.
        _ = try arena.manager.pseudowires()
        _ = try arena.manager.unfinished()
    }

    private func go(
        on arena: FaultArena, _ next: Next, _ old: Census, _ new: Census, _ place: String
    ) throws {
        switch next {
        case .nothing:
            // Changes nothing of its own.
            try arena.manager.refresh()
            arena.expect([old, new], place)
        case .killed:
            // And dies as well, a bit later each time.
            let refresh = FaultCommand("refresh", in: arena.command.namespace)
            var number = 0
            while try refresh.run(.kill(number)).wasKilled { number += 1 }
            arena.expect([old, new], place)
        case .same:
            let outcome = try arena.command.run(.count)
            // What is done already may be refused.
            let isDone = ["exists already", "no pseudowire"].contains { outcome.errors.contains($0) }
            #expect(outcome.status == 0 || isDone, "\(place): \(outcome)")
            arena.expect([new], place)
        case .other where arena.scenario.hasBystander:
            try arena.manager.add(FaultScenario.wire("pwz", access: "veth10", session: 77) { $0.vlan = .id(77) })
            #expect(try arena.manager.pseudowires().contains { $0.name == "pwz" }, "\(place)")
            try arena.manager.remove("pwz")
            arena.expect([old, new], place)
        case .other:
            try arena.manager.teardown()
            #expect(!(try arena.census().description.contains("pin ")), "\(place)")
        }
        #expect(try arena.manager.unfinished() == nil, "\(place)")
    }
}
