import Foundation
import Glibc
import Pseudowire
import Testing

@Suite("commands that are killed", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct KillTests {
    /// What comes after the one that was killed.
    enum Next: Int, CaseIterable {
        case nothing, same, other
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
        expect(try arena.census(), [old], "reset")
        var number = 0
        while number < points.count {
            let batch = number..<min(number + 12, points.count)
            try arena.undisturbed {
                for number in batch {
                    for next in Next.allCases where Self.isThorough || next.rawValue == number % 3 {
                        let place = "\(scenario.testDescription), \(number) (\(points[number])), then \(next)"
                        try kill(arena, number, place)
                        try go(on: arena, next, old, new, place)
                        try arena.reset()
                        expect(try arena.census(), [old], "\(place), put back")
                    }
                }
            }
            number = batch.upperBound
        }
        try arena.takeDown()
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
            expect(try arena.census(), [old, new], place)
        case .same:
            let outcome = try arena.command.run(.count)
            // What is done already may be refused.
            let isDone = ["exists already", "no pseudowire"].contains { outcome.errors.contains($0) }
            #expect(outcome.status == 0 || isDone, "\(place): \(outcome)")
            expect(try arena.census(), [new], place)
        case .other where arena.scenario.hasBystander:
            try arena.manager.add(FaultScenario.wire("pwz", access: "veth10", session: 77) { $0.vlan = .id(77) })
            #expect(try arena.manager.pseudowires().contains { $0.name == "pwz" }, "\(place)")
            try arena.manager.remove("pwz")
            expect(try arena.census(), [old, new], place)
        case .other:
            try arena.manager.teardown()
            #expect(!(try arena.census().description.contains("pin ")), "\(place)")
        }
        #expect(try arena.manager.unfinished() == nil, "\(place)")
    }

    private func expect(_ census: Census, _ wanted: [Census], _ place: String) {
        guard !wanted.contains(census) else { return }
        Issue.record("\(place):\n\(wanted.map { census.differences(from: $0) }.joined(separator: "\nor\n"))")
    }
}
