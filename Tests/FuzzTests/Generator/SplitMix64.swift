/// The generator of everything here: a seed says all (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix64: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The stream of one of a seed's rounds, which depends on no other.
    init(seed: UInt64, round: UInt64) {
        var mixer = SplitMix64(seed: seed ^ (round &* 0xd1b5_4a32_d192_ed03))
        self.init(seed: mixer.next())
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// 0 up to, not including, `bound`.
    mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }

    /// True so many times in a hundred.
    mutating func percent(_ share: Int) -> Bool { below(100) < share }

    mutating func octet() -> UInt8 { UInt8(truncatingIfNeeded: next() >> 56) }
    mutating func word() -> UInt16 { UInt16(truncatingIfNeeded: next() >> 48) }
    mutating func long() -> UInt32 { UInt32(truncatingIfNeeded: next() >> 32) }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    /// So many octets: a window of a fixed stretch of noise, as copying is cheap and drawing is not.
    mutating func octets(_ count: Int) -> ArraySlice<UInt8> {
        let start = below(Self.noise.count - count + 1)
        return Self.noise[start..<(start + count)]
    }

    private static let noise: [UInt8] = {
        var source = SplitMix64(seed: 1)
        return (0..<16384).map { _ in source.octet() }
    }()
}
