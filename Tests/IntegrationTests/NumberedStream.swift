import Glibc
import PseudowireTestbed
import Synchronization
import Testing

extension Wire {
    /// Sends numbered frames from host0 to host3 while something is done, and says how many there were and how many did
    /// not arrive.
    ///
    /// - Parameter isReversed: from host3 to host0.
    func streaming(
        isReversed: Bool = false, pause: UInt32 = 50, during body: () throws -> Void
    ) throws -> (sent: Int, lost: Int) {
        let first = try FrameTap(
            on: "veth01", in: network.host0, directions: .received, bufferSize: isReversed ? 64 << 20 : 1 << 20)
        let last = try FrameTap(
            on: "veth32", in: network.host3, directions: .received, bufferSize: isReversed ? 1 << 20 : 64 << 20)
        let kind: UInt8 = isReversed ? 0xb6 : 0xb5
        return try isReversed
            ? stream(from: last, to: first, kind, pause, during: body)
            : stream(from: first, to: last, kind, pause, during: body)
    }

    /// The same in both directions at once.
    func streamingBothWays(during body: () throws -> Void) throws -> (
        out: (sent: Int, lost: Int), back: (sent: Int, lost: Int)
    ) {
        var out = (sent: 0, lost: 0)
        let back = try streaming(isReversed: true) { out = try streaming(during: body) }
        return (out, back)
    }

    private func stream(
        from near: consuming FrameTap, to far: borrowing FrameTap, _ kind: UInt8, _ pause: UInt32,
        during body: () throws -> Void
    ) throws -> (sent: Int, lost: Int) {
        let flag = Flag()
        let count = Flag()
        let sender = Sender(near, kind, until: flag, count, pause)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(sender)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Sender>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        try #require(failure == 0)
        defer { flag.set(1) }
        while count.value < 1000 { usleep(1000) }
        let outcome = Result { try body() }
        let after = count.value
        while count.value < min(after + 1000, Sender.limit) { usleep(1000) }
        flag.set(1)
        pthread_join(thread, nil)
        try outcome.get()
        var seen: Set<UInt32> = []
        for frame in try far.frames(quiet: .milliseconds(300), timeout: .seconds(30))
        where frame.bytes.count >= 60 && frame.bytes[12] == 0x88 && frame.bytes[13] == kind {
            seen.insert(frame.bytes[14..<18].reduce(0) { $0 << 8 | UInt32($1) })
        }
        #expect(try far.overflow() == 0)
        return (count.value, count.value - seen.count)
    }
}

/// A number that two threads share.
private final class Flag: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .sequentiallyConsistent) }
    func set(_ value: Int) { number.store(value, ordering: .sequentiallyConsistent) }
}

/// Numbers frames and sends them until it is told to stop.
private final class Sender {
    private let tap: FrameTap
    private let stop: Flag
    private let count: Flag
    /// The last octet of the ethertype.
    private let kind: UInt8
    private let pause: UInt32
    /// As many as the receiver's queue holds.
    static let limit = 150_000

    init(_ tap: consuming FrameTap, _ kind: UInt8, until stop: Flag, _ count: Flag, _ pause: UInt32) {
        self.tap = tap
        self.kind = kind
        self.stop = stop
        self.count = count
        self.pause = pause
    }

    func run() {
        while stop.value == 0, count.value < Self.limit {
            let number = UInt32(count.value)
            var frame: [UInt8] = [2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1, 0x88, kind]
            frame += (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
            frame += [UInt8](repeating: 0, count: 46)
            do { try tap.send(frame) } catch { continue }
            count.set(count.value + 1)
            usleep(pause)
        }
    }
}
