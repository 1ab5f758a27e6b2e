import Testing

/// Rounds that showed something once, and are run always.
///
/// They mean what they meant only as long as the generators draw as they did; what must not be lost is a
/// ``KeptFrame``.
enum Seeds {
    struct Entry: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let seed: UInt64
        let number: Int

        init(_ testDescription: String, seed: UInt64 = Seeds.initial, number: Int) {
            self.testDescription = testDescription
            self.seed = seed
            self.number = number
        }
    }

    /// Where the random walk starts, unless it is told otherwise.
    static let initial: UInt64 = 0x4c32_5450

    static let all: [Entry] = [
        Entry("another walk's first steps", seed: 1, number: 0),
        Entry("five refused numbers in a row, and the sixth", number: 415),
        Entry("the first number beyond the window", number: 395),
        Entry("a computed checksum of zero", number: 8266),
        Entry("a datagram that is shorter than its packet", number: 1022),
        Entry("a segment size at an odd place", number: 1475),
    ]
}
