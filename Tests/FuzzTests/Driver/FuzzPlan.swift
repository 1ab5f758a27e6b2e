import Glibc

/// What is to be run.
///
/// ```sh
/// FUZZ_FRAMES=100000000 swift test --filter FuzzTests     # more than usual
/// FUZZ_SEED=7 FUZZ_CASE=12345 swift test --filter FuzzTests   # one frame, and what led to it
/// ```
struct FuzzPlan: Sendable {
    var seed: UInt64
    var rounds: Range<Int>
    /// The last frame of the last round.
    var last = Round.length - 1

    static let usualFrames = 1_000_000

    var frames: Int { rounds.count * Round.length }

    static var ofEnvironment: FuzzPlan {
        let seed = number("FUZZ_SEED") ?? Seeds.initial
        if let number = number("FUZZ_CASE").map({ Int($0) }) {
            let round = number / Round.length
            return FuzzPlan(seed: seed, rounds: round..<(round + 1), last: number % Round.length)
        }
        let frames = number("FUZZ_FRAMES").map { Int($0) } ?? usualFrames
        return FuzzPlan(seed: seed, rounds: 0..<((frames + Round.length - 1) / Round.length))
    }

    private static func number(_ variable: String) -> UInt64? {
        guard let text = getenv(variable) else { return nil }
        return UInt64(String(cString: text))
    }

    struct Report: Sendable {
        var tally: [String: Int] = [:]
        var disagreements: [Disagreement] = []

        /// How often what happened.
        var summary: String {
            let frames = tally.values.reduce(0, +)
            return "\(frames) frames, \(disagreements.count) disagreements: "
                + tally.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }

        /// Rules that no frame has put to the test.
        var untested: [String] {
            Reason.ruled.map(\.rawValue).filter { tally["in \($0)"] == nil && tally["out \($0)"] == nil }.sorted()
        }

        mutating func take(_ comparison: Comparison) {
            tally.merge(comparison.tally, uniquingKeysWith: +)
            // What follows a round's first disagreement may follow from it.
            if disagreements.count < 1000 { disagreements += comparison.disagreements.prefix(1) }
        }

        mutating func merge(_ other: Report) {
            tally.merge(other.tally, uniquingKeysWith: +)
            disagreements += other.disagreements
        }
    }

    /// Runs the rounds, each CPU taking its share.
    func run() async throws -> Report {
        let workers = min(rounds.count, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        return try await withThrowingTaskGroup(of: Report.self) { group in
            for worker in 0..<workers { group.addTask { try share(of: worker, among: workers) } }
            var report = Report()
            for try await part in group { report.merge(part) }
            report.disagreements.sort { $0.number < $1.number }
            return report
        }
    }

    private func share(of worker: Int, among workers: Int) throws -> Report {
        let modern = try Rig(removesAtOnce: true)
        let old = try Rig(removesAtOnce: false)
        var report = Report()
        for number in stride(from: rounds.lowerBound + worker, to: rounds.upperBound, by: workers) {
            var round = Round(seed: seed, number: number)
            if number % 4 == 0 {
                report.take(try round.run(on: old, through: last))
            } else {
                report.take(try round.run(on: modern, through: last))
            }
            if worker == 0, rounds.count >= 1_000_000, (number - worker) % (100_000 * workers) == 0 {
                print("\(number * Round.length) frames, \(report.disagreements.count * workers) disagreements or so")
                fflush(nil)
            }
        }
        return report
    }
}
