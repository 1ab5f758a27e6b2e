/// One figure of one turn.
struct Sample: Codable, Sendable {
    let round: Int
    let contender: String
    let condition: Condition
    let work: String
    let value: Double
    let more: [String: Double]
}

/// All turns of all rounds.
struct Run: Codable, Sendable {
    var samples: [Sample] = []
    /// Contenders whose frames are not what they should be, and why; their figures are worth nothing.
    var invalid: [String: [String]] = [:]

    /// Those that took part, in the order of the tables.
    var contenders: [String] {
        var names: [String] = []
        for name in samples.map(\.contender) + invalid.keys.sorted() where !names.contains(name) { names.append(name) }
        return Contender.order.filter(names.contains) + names.filter { !Contender.order.contains($0) }
    }

    func values(_ contender: String, _ condition: Condition, _ work: String) -> [Int: Double] {
        var values: [Int: Double] = [:]
        for sample in samples
        where sample.contender == contender && sample.condition == condition && sample.work == work {
            values[sample.round] = sample.value
        }
        return values
    }
}

/// Settings take turns, in an order that moves on by one from round to round, so that none always follows the same.
func measure(
    _ settings: [Setting], rounds: Int, seconds: Double, warmUp: Double = 0,
    only works: (Setting, Work) -> Bool = { _, _ in true }, progress: (String) -> Void
) throws -> Run {
    var run = Run()
    for contender in Dictionary(grouping: settings, by: \.contender.name).values.compactMap(\.first?.contender)
    where contender.isInspected {
        let faults = try Setting(contender: contender, condition: .softwareSegmentation).faults()
        if !faults.isEmpty { run.invalid[contender.name] = faults }
    }
    let valid = settings.filter { run.invalid[$0.contender.name] == nil }
    for round in 0..<rounds {
        progress("round \(round + 1) of \(rounds)")
        for turn in valid.indices {
            let setting = valid[(round + turn) % valid.count]
            let outcomes = try setting.turn(
                seconds: seconds, warmUp: warmUp, works: setting.condition.works.filter { works(setting, $0) })
            for (work, outcome) in outcomes {
                run.samples.append(
                    Sample(
                        round: round, contender: setting.contender.name, condition: setting.condition,
                        work: work.name, value: outcome.value, more: outcome.more))
            }
        }
    }
    return run
}

/// The middle, and how far the values reach.
struct Spread: Codable, Sendable {
    let median: Double
    let least: Double
    let most: Double

    init?(_ values: some Collection<Double>) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        least = first
        most = last
    }
}

extension Spread {
    /// Of nothing.
    static let none = Spread(repeating: 0)

    private init(repeating value: Double) {
        median = value
        least = value
        most = value
    }
}
