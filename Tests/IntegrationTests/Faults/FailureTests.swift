import Glibc
import Pseudowire
import Testing

@Suite("commands that meet an error", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct FailureTests {
    /// Points after which there is nothing left to fail, or no way back: tests can only kill there.
    private static let atTheEnd: Set<FaultPoint> = [.journalRemoved, .pairRemoved]

    @Test("wherever it is, all is as before, and the error is told", arguments: FaultScenario.all)
    func anywhere(scenario: FaultScenario) throws {
        let arena = try FaultArena(scenario)
        let old = try arena.census()
        let points = try arena.command.points()
        let new = try arena.census()
        try arena.reset()
        try arena.undisturbed {
            for number in points.indices where !Self.atTheEnd.contains(points[number]) {
                let place = "\(scenario.testDescription), \(number) (\(points[number]))"
                let outcome = try arena.command.run(.fail(number))
                // A qdisc that has stayed from the time before may have it come by other points.
                let isReached = outcome.points.count > number
                #expect(outcome.status == (isReached ? 1 : 0) && !outcome.wasKilled, "\(place)")
                guard isReached, !Self.atTheEnd.contains(outcome.points[number]) else {
                    try arena.reset()
                    continue
                }
                #expect(
                    outcome.errors.contains("refused for a test at \(outcome.points[number])"),
                    "\(place): \(outcome.errors)")
                #expect(!outcome.errors.contains("undoing it failed"), "\(place): \(outcome.errors)")
                if outcome.errors.contains("still to be done") {
                    try arena.manager.refresh()
                    arena.expect([new], "\(place), finished")
                    try arena.reset()
                }
                arena.expect([old], place)
                #expect(try arena.manager.unfinished() == nil, "\(place)")
            }
        }
        try arena.takeDown()
    }

    @Test("and where undoing fails as well, the next one does it", arguments: FaultScenario.all)
    func undoing(scenario: FaultScenario) throws {
        let arena = try FaultArena(scenario)
        let old = try arena.census()
        let points = try arena.command.points()
        let new = try arena.census()
        try arena.reset()
        try arena.undisturbed {
            for number in points.indices where !Self.atTheEnd.contains(points[number]) {
                let place = "\(scenario.testDescription), from \(number) (\(points[number]))"
                let outcome = try arena.command.run(.failFrom(number))
                #expect(outcome.status == 1 && !outcome.wasKilled, "\(place)")
                let isFinal = outcome.errors.contains("still to be done")
                let told = try arena.manager.unfinished()
                let next = FaultCommand("refresh", in: arena.command.namespace)
                let mended = try next.run(.count)
                #expect(mended.status == 0, "\(place): \(mended.errors)")
                if outcome.errors.contains("undoing it failed") || isFinal {
                    #expect(outcome.errors.contains("the next command that changes something will"), "\(place)")
                    arena.expect([isFinal ? new : old], "\(place): \(told?.description ?? "")")
                    if told != nil {
                        #expect(mended.output.contains { $0.hasPrefix("mended: ") }, "\(place): \(mended.output)")
                    }
                } else {
                    #expect(told == nil, "\(place)")
                    arena.expect([old], place)
                }
                #expect(try arena.manager.unfinished() == nil, "\(place)")
                try arena.reset()
            }
        }
        try arena.takeDown()
    }
}
