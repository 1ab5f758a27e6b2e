/// Rounds that showed something once, and are run always.
enum Seeds {
    struct Entry: Sendable, CustomStringConvertible {
        let seed: UInt64
        let rounds: Range<Int>
        let description: String
    }

    /// Where the random walk starts, unless it is told otherwise.
    static let initial: UInt64 = 0x4c32_5450

    static let all: [Entry] = [
        Entry(seed: 1, rounds: 0..<8, description: "another walk's first steps")
    ]
}
