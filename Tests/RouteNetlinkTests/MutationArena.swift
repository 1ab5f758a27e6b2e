import Glibc

/// Messages that are changed in place, read, and changed back: a million inputs without a million copies.
struct MutationArena: ~Copyable {
    private let buffer: UnsafeMutableRawBufferPointer
    private let seeds: [Range<Int>]
    /// Short ones are taken more often: what is long holds mostly what no reader looks at.
    private let small: [Range<Int>]
    private var undo: [(offset: Int, byte: UInt8)] = []

    init(_ messages: [[UInt8]]) {
        buffer = .allocate(byteCount: messages.reduce(0) { $0 + ($1.count + 15) & ~15 }, alignment: 16)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        var seeds: [Range<Int>] = []
        var offset = 0
        for message in messages {
            UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyBytes(from: message)
            seeds.append(offset..<offset + message.count)
            offset += (message.count + 15) & ~15
        }
        self.seeds = seeds
        small = seeds.filter { $0.count <= 512 }
    }

    deinit { buffer.deallocate() }

    /// Lends one mutation to `body`.
    mutating func withMutation(_ generator: inout SeededGenerator, _ body: (RawSpan) -> Void) {
        // One number holds all the small choices: generators are slow without the optimiser.
        let choice = generator.next()
        let pool = choice & 31 == 0 ? seeds : small
        let seed = pool[Int(truncatingIfNeeded: choice >> 8 & 0xffff) % pool.count]
        for _ in 0...Int(choice >> 5 & 7) {
            let random = generator.next()
            // Half of the mutations hit the headers, where sizes and types are.
            let reach = random & 1 == 0 ? seed.count : min(seed.count, 64)
            let offset = seed.lowerBound + Int(truncatingIfNeeded: random >> 32) % reach
            let extremes: StaticString = "\u{0}\u{1}\u{3}\u{4}\u{5}\u{7f}\u{10}\u{14}"
            switch random >> 1 & 3 {
            case 0: set(offset, extremes.utf8Start[Int(random >> 8 & 7)])
            case 1: set(offset, 0xff)
            case 2: set(offset, buffer[offset] ^ 1 << UInt8(random >> 8 & 7))
            default: set(offset, UInt8(truncatingIfNeeded: random >> 8))
            }
        }
        var length = seed.count
        if choice >> 24 & 3 == 0 {
            // Cut: in half of the cases the message's own length says so too.
            length = Int(choice >> 32 & 0xffff) % (seed.count + 1)
            if choice >> 26 & 1 == 0, length >= 4 {
                for index in 0..<4 { set(seed.lowerBound + index, UInt8(truncatingIfNeeded: length >> (8 * index))) }
            }
        } else if choice >> 26 & 1 == 0, seed.count >= 4 {
            // The length of the whole stays right, so that the mutations inside are reached.
            for index in 0..<4 { set(seed.lowerBound + index, UInt8(truncatingIfNeeded: length >> (8 * index))) }
        }
        let slice = UnsafeRawBufferPointer(rebasing: buffer[seed.lowerBound..<seed.lowerBound + length])
        body(RawSpan(_unsafeBytes: slice))
        for (offset, byte) in undo.reversed() { buffer[offset] = byte }
        undo.removeAll(keepingCapacity: true)
    }

    private mutating func set(_ offset: Int, _ byte: UInt8) {
        undo.append((offset, buffer[offset]))
        buffer[offset] = byte
    }
}

/// Says which input it was when a reader traps: nothing else of a test gets to say anything then.
enum CrashReport {
    nonisolated(unsafe) static var input = 0
    nonisolated(unsafe) private static var seed: UInt64 = 0
    nonisolated(unsafe) private static var previous: [(Int32, (@convention(c) (Int32) -> Void)?)] = []
    private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS]

    static func install(_ seed: UInt64) {
        self.seed = seed
        for number in signals {
            let handler = signal(number) { number in
                // Only what a handler may: no allocation, no locks.
                CrashReport.say("\nthe reader trapped: NETLINK_FUZZ_SEED=", CrashReport.seed)
                CrashReport.say(" NETLINK_FUZZ_ONLY=", UInt64(CrashReport.input))
                CrashReport.say("\n", nil)
                signal(number, SIG_DFL)
                raise(number)
            }
            previous.append((number, handler))
        }
    }

    static func remove() {
        for (number, handler) in previous { signal(number, handler) }
        previous = []
    }

    private static func say(_ text: StaticString, _ number: UInt64?) {
        write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        guard let number else { return }
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            var digit = UInt8(ascii: "0") + UInt8(number / divisor % 10)
            write(STDERR_FILENO, &digit, 1)
            divisor /= 10
        }
    }
}
