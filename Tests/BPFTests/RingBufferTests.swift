import BPF
import Glibc
import SystemPackage
import Testing

/// A ring buffer has neither keys nor values.
private struct Nothing: BitwiseCopyable {}

/// A ring buffer and a program that puts its frame's mark into it.
private struct Ring: ~Copyable {
    let map: Map<Nothing, Nothing>
    let program: Program

    init() throws {
        let map = try Map<Nothing, Nothing>(creating: ringBufferMap, name: "ring", maxEntries: 4096)
        let descriptor = UInt64(UInt32(bitPattern: map.fileDescriptor))
        let program = try Program(
            instructions: [
                0x0000_0000_0008_1261,  // r2 = skb->mark
                0x0000_0000_fffc_2a63,  // *(u32 *)(r10 - 4) = r2
                0xa2bf, 0xffff_fffc_0000_0207,  // r2 = r10 - 4
                0x1118 | descriptor << 32, 0,  // r1 = ring
                0x0000_0004_0000_03b7,  // r3 = 4
                0x04b7,  // r4 = 0
                0x0000_0082_0000_0085,  // call bpf_ringbuf_output
                0x95,
            ], type: 3, name: "put")
        self.map = map
        self.program = program
    }

    /// Whether there was room.
    @discardableResult
    func put(_ number: UInt32) throws -> Bool {
        try program.testRun([UInt8](repeating: 0, count: 64), context: TestRunContext(mark: number)).verdict == 0
    }
}

private func number(_ record: [UInt8]) -> UInt32 {
    record.count == 4 ? record.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) } : .max
}

/// How many of this process's descriptors and memory mappings belong to BPF or to polling.
private func held() -> [String: Int] {
    var held: [String: Int] = [:]
    for descriptor in Int32(0)..<256 {
        var text = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(descriptor)", &text, text.count)
        guard length > 0 else { continue }
        held[String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self), default: 0] += 1
    }
    if let maps = fopen("/proc/self/maps", "r") {
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, Int32(line.count), maps) != nil {
            if strstr(line, "bpf-map") != nil { held["mappings", default: 0] += 1 }
        }
        fclose(maps)
    }
    return held.filter { $0.key.contains("bpf") || $0.key.contains("eventpoll") || $0.key == "mappings" }
}

@Suite("ring buffers", .serialized, .enabled(if: geteuid() == 0, "needs root"))
struct RingBufferTests {
    @Test("records come in order, those before iteration began and those after")
    func order() async throws {
        let ring = try Ring()
        for value in 0..<10 { try ring.put(UInt32(value)) }
        var seen: [UInt32] = []
        for try await record in RingBufferRecords(descriptor: ring.map.fileDescriptor, name: "ring") {
            seen.append(number(record))
            if seen.count == 10 { break }
        }
        #expect(seen == Array(0..<10))
        let expected = seen
        let descriptor = ring.map.fileDescriptor
        // The reader waits first; each record is put in when the one before has been seen.
        let (answers, answer) = AsyncStream<UInt32>.makeStream()
        let reader = Task {
            answer.yield(.max)
            for try await record in RingBufferRecords(descriptor: descriptor, name: "ring") {
                answer.yield(number(record))
            }
            answer.finish()
        }
        var received: [UInt32] = []
        for await value in answers {
            if value != .max { received.append(value) }
            guard received.count < 10 else { break }
            try ring.put(UInt32(received.count))
        }
        reader.cancel()
        _ = try await reader.value
        #expect(received == expected)
    }

    @Test("cancelling ends a wait, before it begins and at any time during it, and nothing is left open")
    func cancellation() async throws {
        let ring = try Ring()
        let descriptor = ring.map.fileDescriptor
        // Dispatch opens its own descriptors with the first wait.
        func cancelledReader(after pause: Int) async throws -> Int {
            let reader = Task {
                var count = 0
                for try await _ in RingBufferRecords(descriptor: descriptor, name: "ring") { count += 1 }
                return count
            }
            for _ in 0..<pause { await Task.yield() }
            if pause > 8 { usleep(UInt32(pause) * 10) }
            reader.cancel()
            return try await reader.value
        }
        _ = try await cancelledReader(after: 50)
        let before = held()
        for round in 0..<300 { #expect(try await cancelledReader(after: round % 60) == 0) }
        #expect(held() == before)
        #expect(before.keys.contains { $0.contains("bpf-map") })
    }

    @Test("what a cancelled reader left, the next one gets")
    func handover() async throws {
        let ring = try Ring()
        for value in 0..<3 { try ring.put(UInt32(value)) }
        let descriptor = ring.map.fileDescriptor
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            for try await _ in RingBufferRecords(descriptor: descriptor, name: "ring") { return false }
            return true
        }
        #expect(try await cancelled.value)
        for value in 0..<3 {
            var iterator = RingBufferRecords(descriptor: descriptor, name: "ring").makeAsyncIterator()
            #expect(try await iterator.next().map(number) == UInt32(value))
        }
    }

    @Test("a ring that is full loses what is new, not what waits")
    func full() async throws {
        let ring = try Ring()
        var count: UInt32 = 0
        while try ring.put(count) { count += 1 }
        #expect(count > 100)
        var iterator = RingBufferRecords(descriptor: ring.map.fileDescriptor, name: "ring").makeAsyncIterator()
        for value in 0..<count { #expect(try await iterator.next().map(number) == value) }
        #expect(try ring.put(7777))
        #expect(try await iterator.next().map(number) == 7777)
    }

    @Test("a time that is over is none to wait; one beyond all measure does not trap", .timeLimit(.minutes(1)))
    func times() throws {
        let ring = try Ring()
        let reader = try RingBufferReader(descriptor: ring.map.fileDescriptor, name: "ring")
        for time in [Duration.zero, .milliseconds(-5), .seconds(-3), .seconds(Int64.min)] {
            #expect(try reader.records(waitingAtMost: time).isEmpty)
        }
        #expect(try ring.put(5))
        #expect(try reader.records(waitingAtMost: .seconds(Int64.max)).map(number) == [5])
    }

    @Test("what is no ring buffer is an error, once")
    func noRing() async throws {
        let map = try Map<UInt32, UInt32>(creating: hashMap, name: "no_ring", maxEntries: 1)
        var iterator = RingBufferRecords(descriptor: map.fileDescriptor, name: "no_ring").makeAsyncIterator()
        await #expect(throws: BPFError.self) { _ = try await iterator.next() }
        #expect(try await iterator.next() == nil)
    }
}
