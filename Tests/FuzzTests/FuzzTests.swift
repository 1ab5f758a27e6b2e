import Glibc
import Testing

@Suite("the datapath and the reference agree", .enabled(if: geteuid() == 0, "needs root"))
struct FuzzTests {
    @Test("on every frame of a random walk")
    func walk() async throws {
        let plan = FuzzPlan.ofEnvironment
        let report = try await plan.run()
        for disagreement in report.disagreements.prefix(400) { Issue.record("\(disagreement)") }
        #expect(report.disagreements.isEmpty)
        print(report.summary)
    }

    @Test("on the rounds that were once worth keeping", arguments: Seeds.all)
    func kept(seed: Seeds.Entry) async throws {
        let report = try await FuzzPlan(seed: seed.seed, rounds: seed.rounds).run()
        for disagreement in report.disagreements.prefix(400) { Issue.record("\(disagreement)") }
        #expect(report.disagreements.isEmpty)
    }
}
