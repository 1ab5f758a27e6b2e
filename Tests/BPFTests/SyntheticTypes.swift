/// Type information put together by hand, with every kind of type and with mistakes that the format allows.
enum SyntheticTypes {
    static let count = 20
    /// Two typedefs that stand for each other.
    static let circle = 14
    /// An array of itself.
    static let growing = 16

    static let bytes: [UInt8] = {
        var types = TypeBuilder()
        types.add("int", kind: 1, 4, [32])  // 1
        types.add("word", kind: 8, 1)  // 2: typedef int word
        types.add("", kind: 10, 2)  // 3: const word
        types.add("", kind: 3, 0, [3, 1, 2])  // 4: const word[2]
        types.add("", kind: 3, 0, [4, 1, 3])  // 5: const word[3][2]
        types.add("", kind: 2, 1)  // 6: int *
        types.add("choice", kind: 6, members: 1, 4, [types.name("one"), 1])  // 7: enum
        types.add("", kind: 4, members: 1, 4, [types.name("inner"), 1, 0])  // 8: struct { int inner; }
        types.add("", kind: 5, members: 1, 4, [0, 8, 0])  // 9: union { struct { int inner; }; }
        let outer: [UInt32] = [
            types.name("a"), 1, 0, types.name("b"), 5, 32, 0, 9, 224, types.name("bits"), 1, 3 << 24 | 256,
            types.name("link"), 6, 320, types.name("choice"), 7, 384,
        ]
        types.add("outer", kind: 4, members: 6, flag: 1, 64, outer)  // 10
        types.add("", kind: 13, members: 1, 1, [types.name("argument"), 1])  // 11: prototype
        types.add("function", kind: 12, members: 1, 11)  // 12
        types.add("wide", kind: 19, members: 1, 8, [types.name("two"), 2, 0])  // 13: enum64
        types.add("tick", kind: 8, 15)  // 14
        types.add("tock", kind: 8, 14)  // 15
        types.add("", kind: 3, 0, [16, 1, 2])  // 16
        types.add("variable", kind: 14, 10, [1])  // 17
        types.add(".data", kind: 15, members: 1, 64, [17, 0, 64])  // 18
        types.add("real", kind: 16, 8)  // 19
        types.add("tag", kind: 17, 10, [0xffff_ffff])  // 20
        return types.bytes
    }()

    /// Nameless structures, two of each in the next one, `levels` deep: the last would have 2 to that power fields.
    static func doubling(levels: UInt32) -> [UInt8] {
        var types = TypeBuilder()
        types.add("", kind: 4, 0)
        for level in 1...levels { types.add("", kind: 4, members: 2, 0, [0, level, 0, 0, level, 0]) }
        return types.bytes
    }
}

/// Writes BTF, word by word.
struct TypeBuilder {
    private var names: [UInt8] = [0]
    private var words: [UInt32] = []

    mutating func name(_ text: String) -> UInt32 {
        defer { names += Array(text.utf8) + [0] }
        return UInt32(names.count)
    }

    /// - Parameters:
    ///   - value: the size or the type.
    ///   - rest: what follows a type of this kind.
    mutating func add(
        _ text: String, kind: UInt32, members: Int = 0, flag: UInt32 = 0, _ value: UInt32, _ rest: [UInt32] = []
    ) {
        words += [text.isEmpty ? 0 : name(text), kind << 24 | UInt32(members) | flag << 31, value] + rest
    }

    var bytes: [UInt8] {
        let length = UInt32(words.count * 4)
        let header: [UInt32] = [0x0001_eb9f, 24, 0, length, length, UInt32(names.count)]
        return (header + words).flatMap { word in withUnsafeBytes(of: word, Array.init) } + names
    }
}

/// Random numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
