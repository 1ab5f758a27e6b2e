import BPF
import CPseudowireObject
import Glibc
import L2TP
import Testing

@testable import Pseudowire

@Suite("many sessions", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ScaleTests {
    /// The shortest of several runs: what disturbs a run only makes it longer.
    private static func nanoseconds(_ program: Bench.Runner, _ packet: [UInt8]) throws -> Double {
        var shortest = Double.infinity
        for _ in 0..<15 {
            let result = try program.testRun(packet, repetitions: 20_000)
            shortest = min(shortest, Double(result.nanosecondsPerRun))
        }
        return shortest
    }

    /// A packet that is refused by its cookie, and a frame that fits no path, after the sessions were looked through:
    /// what is refused stays as it is, so that it can be run again and again.
    @Test("P1 to P8: what a packet costs does not depend on how many sessions there are", arguments: Cell.basic)
    func lookUps(cell: Cell) throws {
        var cell = cell
        cell.cookie = "01234567"
        var configuration = cell.configuration
        configuration.mtu = 68
        configuration.repliesTooBig = false
        configuration.oversize = .drop
        let bench = try Bench(configuration, maxSessions: 65_536)
        var wrong = cell
        wrong.cookie = "76543210"
        let packet = cell.ethernet + (try wrong.codec(outbound: false).encapsulate(frame: Sample.all[0].frame))
        let frame = Sample.all.first { $0.frame.count > 500 }?.frame ?? []
        let before = (
            try Self.nanoseconds(bench.decap, packet), try Self.nanoseconds(bench.encap, frame)
        )
        let session = try #require(try bench.sessions[configuration.session.local.rawValue])
        let access = try #require(try bench.access[bench.accessKey])
        for number: UInt32 in 1...60_000 where number != configuration.session.local.rawValue {
            try bench.sessions.update(key: number, value: session)
            try bench.access.update(
                key: pw_access_key(ifindex: 1000 + number, vlan: .any), value: access)
        }
        let after = (
            try Self.nanoseconds(bench.decap, packet), try Self.nanoseconds(bench.encap, frame)
        )
        // A search through a list would take thousands of times as long, through a tree some times.
        #expect(after.0 < 2 * before.0 + 50, "decap: \(before.0) ns, then \(after.0)")
        #expect(after.1 < 2 * before.1 + 50, "encap: \(before.1) ns, then \(after.1)")
        #expect(try Set(bench.reasons().keys) == ["cookie", "too_big"])
    }

    @Test("entries that are shared out among threads are all set, each in its place", arguments: [1, 2047, 10_007])
    func together(count: Int) throws {
        let map = try Map<UInt32, UInt64>(creating: 1, name: "together", maxEntries: UInt32(count), flags: 1)
        try map.updateTogether(count: count) { (UInt32($0), UInt64($0) * 3) }
        let found = Dictionary(uniqueKeysWithValues: try map.entries().map { ($0.key, $0.value) })
        #expect(found == Dictionary(uniqueKeysWithValues: (0..<count).map { (UInt32($0), UInt64($0) * 3) }))
    }

    @Test("a failure of any thread's is told, and the others' entries are set")
    func failureTogether() throws {
        let map = try Map<UInt32, UInt64>(creating: 2, name: "together", maxEntries: 5000)
        // An array takes no key beyond its end: the last share has one.
        let error = #expect(throws: BPFError.self) {
            try map.updateTogether(count: 5001) { (UInt32($0), 1) }
        }
        #expect(error?.description.contains("it is full: 5000 entries") == true)
        #expect(try map[0] == 1 && map[2000] == 1)
    }
}
