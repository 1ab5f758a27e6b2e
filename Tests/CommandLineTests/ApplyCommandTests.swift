import Foundation
import Glibc
import Pseudowire
import Testing

@Suite("apply, set and export at a shell", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ApplyCommandTests {
    private static let text = """
        { // two of them
          pseudowires: [
            { name: "pw0", access: "acc0", local: "192.0.2.21", peer: "192.0.2.22",
              "session-id": 1012, "peer-session-id": 1021 },
            { name: "pw1", access: "acc1", local: "192.0.2.21", peer: "192.0.2.22",
              "session-id": 0x3f5, "peer-session-id": 1022, vlan: 7, },
          ],
        }
        """

    /// A file with a text, for as long as it is needed.
    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("pwtest-\(UUID().uuidString).json5")
            .path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("a plan is shown, carried out, and nothing is left to do; what is exported is what was applied")
    func life() throws {
        let shell = try Shell()
        try withFile(Self.text) { (path: String) throws in
            let dry = try shell.run(["apply", path, "--dry-run"])
            #expect(dry.output == "create pw0\ncreate pw1\n", "\(dry.errors)")
            #expect(try shell.run(["list"]).output.isEmpty)
            let json = try #require(try shell.run(["apply", path, "--dry-run", "--json"]).json() as? [String: Any])
            #expect(
                (json["changes"] as? [[String: Any]])?.compactMap { $0["action"] as? String } == ["create", "create"])
            #expect(try shell.run(["apply", path]).output == "create pw0\ncreate pw1\n")
            #expect(try shell.run(["apply", path]).output == "nothing to change\n")
        }
        let changed = try shell.run(["set", "pw1", "--ttl", "9", "--unset", "vlan", "--verbose"])
        #expect(changed.status == 0, "\(changed.errors)")
        #expect(changed.errors.contains("replace session 1013 of pw1"))
        let exported = try shell.run(["export"])
        #expect(exported.output.contains("\"ttl\": 9"))
        try withFile(exported.output) { (path: String) throws in
            #expect(try shell.run(["apply", path]).output == "nothing to change\n")
        }
        try withFile(Self.text) { (path: String) throws in
            #expect(try shell.run(["apply", path]).output == "change pw1: vlan unset -> 7, ttl 9 -> unset\n")
        }
        try withFile("{pseudowires: []}") { (path: String) throws in
            #expect(try shell.run(["apply", path, "--keep-others"]).output == "nothing to change\n")
            #expect(try shell.run(["apply", path]).output == "remove pw0\nremove pw1\n")
        }
        try shell.end()
    }

    @Test("a wrong file is refused with every place, status 64; a machine that is otherwise with status 1")
    func refused() throws {
        let shell = try Shell()
        let wrong = Self.text.replacing("1012", with: "4294967296").replacing("vlan: 7", with: "vlam: true")
        try withFile(wrong) { (path: String) throws in
            let outcome = try shell.run(["apply", path])
            #expect(outcome.status == 64)
            #expect(outcome.complaints.count == 2, "\(outcome.errors)")
            #expect(
                outcome.errors.contains("\(path):4:21: pseudowires[0].session-id: \"4294967296\""), "\(outcome.errors)")
            #expect(outcome.errors.contains("pseudowires[1].vlam: is no key; the nearest is \"vlan\""))
        }
        try withFile(Self.text.replacing("acc1", with: "nowhere")) { (path: String) throws in
            let outcome = try shell.run(["apply", path])
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("pseudowires[1].access: pw1: no interface \"nowhere\" here"),
                "\(outcome.errors)")
            #expect(outcome.errors.contains("pwctl: \(path):"), "\(outcome.errors)")
        }
        // Interfaces that are not here are no news for later.
        let all = wrong.replacing("acc0", with: "acc8").replacing("vlam: true", with: "vlan: '007', underlay: ['wan9']")
            .replacing("\"acc1\"", with: "\"wan8\"").replacing("name: \"pw1\", ", with: "")
        try withFile(all) { (path: String) throws in
            let outcome = try shell.run(["apply", path])
            #expect(outcome.status == 64)
            for (line, words) in [
                (3, "pseudowires[0].access: pw0: no interface \"acc8\" here"), (4, "pseudowires[0].session-id: "),
                (5, "pseudowires[1].name: is missing; "), (5, "pseudowires[1].access: no interface \"wan8\" here"),
                (6, "pseudowires[1].vlan: \"007\""), (6, "pseudowires[1].underlay: no interface \"wan9\" here"),
            ] {
                let complaints = outcome.complaints.filter { $0.contains(words) }
                #expect(complaints.count == 1, "\(words): \(outcome.errors)")
                #expect(complaints.first?.hasPrefix("pwctl: \(path):\(line):") == true, "\(complaints)")
            }
            #expect(outcome.complaints.count == 6, "\(outcome.errors)")
            #expect(try shell.run(["apply", path], isPrivileged: false).complaints.count == 3)
        }
        // One of several underlays, too.
        let half = Self.text.replacing("vlan: 7", with: "underlay: ['wan0', 'wan9']")
        try withFile(half) { (path: String) throws in
            let outcome = try shell.run(["apply", path])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("pseudowires[1].underlay: pw1: no interface \"wan9\" here"))
        }
        #expect(try shell.run(["apply", "/nowhere.json5"]).status == 1)
        #expect(try shell.run(Shell.good()).status == 0)
        let before = try shell.run(["export"]).output
        #expect(try shell.run(["set", "pw0", "--ttl", "0"]).status == 64)
        #expect(try shell.run(["set", "pw0", "--unset", "tll"]).status == 64)
        #expect(try shell.run(["set", "pw7", "--ttl", "3"]).status == 1)
        let several = try shell.run(
            ["set", "pw0", "--access", "acc9", "--vlan", "007", "--ttl", "9", "--unset", "ttl", "--underlay", "wan9"])
        #expect(several.status == 64)
        for option in ["--access: no interface", "--vlan: ", "--ttl: is given a value and unset", "--underlay: no"] {
            #expect(several.complaints.count { $0.contains(option) } == 1, "\(option): \(several.errors)")
        }
        #expect(several.complaints.count == 4, "\(several.errors)")
        #expect(try shell.run(["set", "pw0", "--underlay", "wan0", "--underlay", "wan9"]).status == 1)
        #expect(try shell.run(["export"]).output == before)
        try shell.end()
    }

    @Test("every option of the list is a flag of create and of set, and every flag is on the list")
    func flags() throws {
        let shell = try Shell()
        for (verb, others) in [("create", ["max-sessions"]), ("set", ["unset"])] {
            let help = try shell.run([verb, "--help"]).output
            let flags = help.split(separator: "\n").filter { $0.hasPrefix("  --") }
                .compactMap { $0.split(separator: " ").first?.dropFirst(2) }.map(String.init)
            let common = Set(["netns", "verbose", "version", "wait"] + others)
            #expect(Set(flags).subtracting(common) == Set(PseudowireOption.allCases.map(\.rawValue)), "\(verb)")
        }
        try shell.end()
    }

    @Test("who has to wait says so, and does nothing if told not to wait for long")
    func waiting() throws {
        let shell = try Shell()
        #expect(try shell.run(Shell.good()).status == 0)
        let descriptor = open("/sys/fs/bpf/pseudowire", O_RDONLY | O_DIRECTORY)
        try #require(descriptor >= 0)
        #expect(flock(descriptor, LOCK_EX) == 0)
        let outcome = try shell.run(["delete", "pw0", "--wait", "0"])
        #expect(outcome.status == 1)
        #expect(outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("waiting for another command"))
        close(descriptor)
        #expect(try shell.run(["list"]).output.contains("pw0"))
        try shell.end()
    }
}
