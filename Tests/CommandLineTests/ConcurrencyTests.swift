import Foundation
import Glibc
import InternetAddress
import RouteNetlink
import Synchronization
import Testing

@Suite("several commands at once", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ConcurrencyTests {
    private static let writers = 8
    private static let turns = 12

    /// What went wrong, from all threads.
    private final class Complaints: Sendable {
        private let list = Mutex<[String]>([])
        func add(_ text: String) { list.withLock { $0.append(text) } }
        var all: [String] { list.withLock { $0 } }
    }

    /// A thread of its own for each, since each waits for processes.
    private func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> [Thread] {
        (0..<count).map { number in
            let thread = Thread { body(number) }
            thread.start()
            return thread
        }
    }

    private func wait(for threads: [Thread]) {
        for thread in threads { while !thread.isFinished { usleep(10_000) } }
    }

    /// Commands of one writer on names that all of them use, and what they may be told.
    @Sendable private static func turn(_ writer: Int, _ turn: Int) -> (words: [String], refusals: [String]) {
        let number = (writer + turn) % 4
        let name = "pw\(number)"
        switch (writer + 2 * turn) % 3 {
        case 0:
            return (Shell.good(name, session: "\(100 + number)") + ["--vlan", "\(10 + number)"], ["exists already"])
        case 1: return (["set", name, "--ttl", "\(10 + turn)"], ["no pseudowire"])
        default: return (["delete", name], ["no pseudowire"])
        }
    }

    @Test("create, set, delete and apply on the same names: each is done or refused whole; whoever looks sees no half")
    func writers() throws {
        let shell = try Shell()
        let complaints = Complaints()
        let isOver = Atomic<Bool>(false)
        let waited = Atomic<Int>(0)
        let document = FileManager.default.temporaryDirectory.appendingPathComponent(
            "pwtest-\(UUID().uuidString).json5")
        let wires = (0..<3).map {
            """
            { name: "pw\($0)", access: "acc0", vlan: \(10 + $0), local: "192.0.2.21", peer: "192.0.2.22",
              "session-id": \(100 + $0), "peer-session-id": 1021 }
            """
        }
        try Data("{ pseudowires: [\(wires.joined(separator: ","))] }".utf8).write(to: document)
        defer { try? FileManager.default.removeItem(at: document) }
        let path = document.path
        #expect(try shell.run(Shell.good("steady", access: "acc1", session: "7")).status == 0)

        let readers = together(2) { _ in
            while !isOver.load(ordering: .relaxed) {
                do {
                    let outcome = try shell.run(["list", "--json"])
                    let list = try outcome.json() as? [[String: Any]] ?? []
                    let states = list.map { ($0["health"] as? [String: Any])?["state"] as? String }
                    if outcome.status != 0 || !outcome.complaints.isEmpty || !states.allSatisfy({ $0 == "up" }) {
                        complaints.add("list: \(outcome)")
                    }
                    if !list.contains(where: { $0["name"] as? String == "steady" }) {
                        complaints.add("list: no steady")
                    }
                } catch { complaints.add("list: \(error)") }
            }
        }
        wait(
            for: together(Self.writers) { writer in
                for turn in 0..<Self.turns {
                    var (words, refusals) = Self.turn(writer, turn)
                    if turn % 5 == 4 { (words, refusals) = (["apply", path, "--keep-others"], []) }
                    do {
                        let outcome = try shell.run(words)
                        if outcome.errors.contains("waiting for another command") { waited.add(1, ordering: .relaxed) }
                        let isRefused = refusals.contains { outcome.errors.contains($0) }
                        if outcome.status != 0, !isRefused { complaints.add("\(words): \(outcome)") }
                    } catch { complaints.add("\(words): \(error)") }
                }
            })
        isOver.store(true, ordering: .relaxed)
        wait(for: readers)
        #expect(complaints.all.isEmpty, "\(complaints.all.prefix(5))")
        #expect(waited.load(ordering: .relaxed) > 0)
        #expect(try shell.run(["apply", path]).status == 0)
        let list = try #require(try shell.run(["list", "--json"]).json() as? [[String: Any]])
        #expect(list.compactMap { $0["name"] as? String } == ["pw0", "pw1", "pw2"])
        try shell.end()
    }

    @Test("the first and the last pseudowire, made and removed by several at once")
    func firstAndLast() throws {
        let shell = try Shell()
        let complaints = Complaints()
        wait(
            for: together(4) { writer in
                for _ in 0..<6 {
                    do {
                        let create = try shell.run(
                            Shell.good("pw\(writer)", session: "\(100 + writer)") + ["--vlan", "\(10 + writer)"])
                        if create.status != 0 { complaints.add("create: \(create)") }
                        let delete = try shell.run(["delete", "pw\(writer)"])
                        if delete.status != 0 { complaints.add("delete: \(delete)") }
                    } catch { complaints.add("\(error)") }
                }
            })
        #expect(complaints.all.isEmpty, "\(complaints.all.prefix(5))")
        let client = try RouteClient(in: NetworkNamespace(named: shell.name))
        for name in ["pw-split0", "pw-join0"] { #expect(try client.links.find(named: name) == nil) }
        try shell.end()
    }
}
