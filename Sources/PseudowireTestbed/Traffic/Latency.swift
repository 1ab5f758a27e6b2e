/// Round-trip times in short.
///
/// ```swift
/// if let latency = Latency(outcome.roundTrips) { print(latency.median, "µs") }
/// ```
///
/// All figures are microseconds.
public struct Latency: Hashable, Sendable {
    /// How many samples there were.
    public let count: Int
    public let minimum: Double
    /// The middle sample; the mean of the two middle ones when their number is even.
    public let median: Double
    /// The sample that 99 of 100 do not exceed (nearest rank): below 100 samples that is the largest.
    public let p99: Double
    public let maximum: Double

    /// Nil when there is no sample.
    public init?(_ samples: some Sequence<Double>) {
        let sorted = samples.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        count = sorted.count
        minimum = first
        maximum = last
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        p99 = sorted[(sorted.count * 99 + 99) / 100 - 1]
    }
}
