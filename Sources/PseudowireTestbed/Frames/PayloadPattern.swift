/// Octets that look random and are the same on every run.
///
/// ```swift
/// let payload = PayloadPattern.bytes(count: 1400, seed: 7)
/// ```
///
/// The generator is SplitMix64. A longer run begins with the shorter one of the same seed, so a cut is easy to spot.
public enum PayloadPattern {
    /// `count` octets; none when it is negative.
    public static func bytes(count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        var word: UInt64 = 0
        return (0..<max(0, count)).map { index in
            if index % 8 == 0 {
                state &+= 0x9e37_79b9_7f4a_7c15
                word = state
                word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
                word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
                word ^= word >> 31
            }
            return UInt8(truncatingIfNeeded: word >> UInt64(8 * (index % 8)))
        }
    }
}
