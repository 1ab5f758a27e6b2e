import Glibc
import Testing

@Suite("the datapath and the reference agree", .enabled(if: geteuid() == 0, "needs root"))
struct FuzzTests {
    @Test("on every frame of a random walk")
    func walk() async throws {
        let plan = FuzzPlan.ofEnvironment
        let report = try await plan.run()
        Self.record(report.disagreements, seed: plan.seed)
        print(report.summary)
        if plan.frames >= FuzzPlan.usualFrames {
            let untested = report.untested
            #expect(untested == [], "a walk that never meets a rule proves nothing about it")
        }
    }

    @Test("on the rounds that were once worth keeping", arguments: Seeds.all)
    func kept(entry: Seeds.Entry) async throws {
        let round = entry.number / Round.length
        let report = try await FuzzPlan(seed: entry.seed, rounds: round..<(round + 1)).run()
        Self.record(report.disagreements, seed: entry.seed)
    }

    @Test("on what the datapath once judged wrongly", arguments: KeptFrame.all, [true, false])
    func kept(frame: KeptFrame, removesAtOnce: Bool) throws {
        let rig = try Rig(removesAtOnce: removesAtOnce)
        var comparison = try Comparison(of: ReferenceNode(ends: [ReferenceEnd(frame.wire)]), on: rig)
        if frame.isOutgoing {
            try comparison.send(frame.octets, on: rig, number: 0)
        } else {
            try comparison.take(frame.octets, on: rig, number: 0)
        }
        try comparison.end(on: rig, number: 0)
        Self.record(comparison.disagreements, seed: 0)
        #expect(comparison.tally == [frame.outcome: 1])
    }

    private static func record(_ disagreements: [Disagreement], seed: UInt64) {
        for disagreement in disagreements.prefix(10) { Issue.record("\(disagreement.report(seed: seed))") }
        let count = disagreements.count
        #expect(count == 0)
    }
}
