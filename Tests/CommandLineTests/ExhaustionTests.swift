import Foundation
import RouteNetlink
import Testing

/// A machine that has no more to give: a clear error with its cure, status 1, and everything as it was.
@Suite("pwctl where something is full", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ExhaustionTests {
    /// What there is of ours, or could be: pins, interfaces, filters, promiscuity.
    private static func census(_ shell: Shell) throws -> String {
        let namespace = try NetworkNamespace(named: shell.name)
        let client = try RouteClient(in: namespace)
        var lines: [String] = []
        for link in try client.links.list() {
            lines.append("\(link.name) \(link.flags.contains(.promiscuous))")
            lines += try client.qdiscs.list(on: link.index).map { "\(link.name) \($0.kind)" }
        }
        let state = "/sys/fs/bpf/pseudowire/\(String(client.namespaceCookie, radix: 16))"
        lines += (try? FileManager.default.contentsOfDirectory(atPath: state).sorted()) ?? []
        lines += ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/bpf/pseudowire")) ?? [])
            .filter { $0.hasPrefix("new:\(String(client.namespaceCookie, radix: 16))") }
        return lines.joined(separator: "\n")
    }

    @Test("however few files may be open: nothing is half made, and enough is enough")
    func descriptors() throws {
        let shell = try Shell()
        let before = try Self.census(shell)
        var refusals = 0
        // Three are open at the start, and a program needs one to be started.
        for limit in 4...64 {
            let outcome = try shell.run(Shell.good(), under: "ulimit -n \(limit)")
            if outcome.status == 0 { break }
            refusals += 1
            // The dynamic linker speaks for itself.
            if outcome.status == 127 { continue }
            #expect(outcome.status == 1, "\(limit): \(outcome.errors)")
            #expect(outcome.errors.contains("raise its limit"), "\(limit): \(outcome.errors)")
            #expect(outcome.complaints.count == 1, "\(limit): \(outcome.errors)")
            #expect(try Self.census(shell) == before, "\(limit)")
        }
        #expect(refusals > 10 && refusals < 60, "\(refusals)")
        #expect(try shell.run(["list", "--json"]).output.contains("pw0"))
        // The same of a second one, and of taking them away.
        let one = try Self.census(shell)
        for limit in 4...64 {
            let outcome = try shell.run(Shell.good("pw1", access: "acc1", session: "7"), under: "ulimit -n \(limit)")
            if outcome.status == 0 { break }
            #expect(try Self.census(shell) == one, "\(limit): \(outcome.errors)")
        }
        let two = try Self.census(shell)
        for limit in 4...64 {
            let outcome = try shell.run(["delete", "pw0", "pw1"], under: "ulimit -n \(limit)")
            if outcome.status == 0 { break }
            #expect(try Self.census(shell) == two, "\(limit): \(outcome.errors)")
        }
        #expect(try Self.census(shell) == before)
        try shell.end()
    }

    @Test("more pseudowires than there is room for are refused, and so are those that must stand beside others")
    func sessions() throws {
        let shell = try Shell()
        let empty = try Self.census(shell)
        #expect(try shell.run(Shell.good() + ["--max-sessions", "2", "--vlan", "1"]).status == 0)
        #expect(try shell.run(Shell.good("pw1", session: "2") + ["--vlan", "2"]).status == 0)
        let full = try Self.census(shell)
        let third = try shell.run(Shell.good("pw2", session: "3") + ["--vlan", "3"])
        #expect(third.status == 1)
        #expect(third.errors.contains("there can be 2 pseudowires here; 2 exist"), "\(third.errors)")
        #expect(try Self.census(shell) == full)
        // Two others in their place: old and new would have to be there at once.
        let document = FileManager.default.temporaryDirectory.appendingPathComponent("pwctl-\(shell.name).json5")
        defer { try? FileManager.default.removeItem(at: document) }
        let wires = (3...4).map {
            """
            { name: "other\($0)", access: "acc0", local: "192.0.2.21", peer: "192.0.2.22", "session-id": \($0),
              "peer-session-id": 9, vlan: "\($0)" }
            """
        }
        try "{ pseudowires: [ \(wires.joined(separator: ", ")) ] }".write(
            to: document, atomically: true, encoding: .utf8)
        let other = try shell.run(["apply", document.path])
        #expect(other.status == 1)
        #expect(other.errors.contains("there would be 4: delete some first"), "\(other.errors)")
        // And another number for one of them, which no count foresees.
        let renumbered = try shell.run(["set", "pw1", "--session-id", "5"])
        #expect(renumbered.status == 1)
        #expect(renumbered.errors.contains("the map is full"), "\(renumbered.errors)")
        #expect(try Self.census(shell) == full)
        let list = try #require(try shell.run(["list", "--json"]).json() as? [[String: Any]])
        #expect(list.map { $0["name"] as? String } == ["pw0", "pw1"])
        #expect(list.allSatisfy { ($0["health"] as? [String: Any])?["state"] as? String == "up" })
        #expect(try shell.run(["teardown"]).status == 0)
        #expect(try Self.census(shell) == empty)
        try shell.end()
    }

    @Test("a BPF file system that cannot be written: nothing is made there, and nothing lost that is there")
    func readOnly() throws {
        let shell = try Shell()
        let before = try Self.census(shell)
        let outcome = try shell.run(
            Shell.good(), under: "mount --make-rprivate / && mount -t bpf -o ro bpf /sys/fs/bpf", mounts: true)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("Read-only file system; mount it writable"), "\(outcome.errors)")
        #expect(try Self.census(shell) == before)
        // What is there goes on, whoever may not touch it.
        #expect(try shell.run(Shell.good()).status == 0)
        let made = try Self.census(shell)
        for words in [["set", "pw0", "--ttl", "9"], ["delete", "pw0"], ["teardown"]] {
            let refused = try shell.run(
                words, under: "mount --make-rprivate / && mount -o remount,ro,bind /sys/fs/bpf", mounts: true)
            #expect(refused.status == 1, "\(words)")
            #expect(refused.errors.contains("mount it writable"), "\(words): \(refused.errors)")
            #expect(try Self.census(shell) == made)
        }
        #expect(try shell.run(["show", "pw0"]).output.contains("up: carrying frames"))
        try shell.end()
    }

    @Test("a control group without the memory for so many pseudowires: refused by its name, and nothing is left")
    func memory() throws {
        let group = try #require(MemoryGroup(limit: 64 << 20))
        defer { group.remove() }
        let shell = try Shell()
        let before = try Self.census(shell)
        let enter = "echo $$ > \(group.path)/cgroup.procs"
        let outcome = try shell.run(Shell.good() + ["--max-sessions", "2000000"], under: enter)
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("Cannot allocate memory; the kernel gives no memory"), "\(outcome.errors)")
        #expect(try Self.census(shell) == before)
        #expect(try shell.run(Shell.good() + ["--max-sessions", "1000"], under: enter).status == 0)
        try shell.end()
    }
}

/// A control group with a limit to its memory, of either version.
private struct MemoryGroup {
    let path: String

    init?(limit: Int) {
        let name = "pwctl-test-\(getpid())"
        let old = "/sys/fs/cgroup/memory/\(name)"
        let new = "/sys/fs/cgroup/\(name)"
        if mkdir(old, 0o755) == 0 {
            path = old
            try? "\(limit)".write(toFile: "\(old)/memory.limit_in_bytes", atomically: false, encoding: .utf8)
        } else if mkdir(new, 0o755) == 0 {
            path = new
            try? "+memory".write(
                toFile: "/sys/fs/cgroup/cgroup.subtree_control", atomically: false, encoding: .utf8)
            try? "\(limit)".write(toFile: "\(new)/memory.max", atomically: false, encoding: .utf8)
        } else {
            return nil
        }
    }

    /// A group whose last process has just gone may be busy for a moment more.
    func remove() {
        for _ in 0..<50 where rmdir(path) != 0 { usleep(20_000) }
    }
}
