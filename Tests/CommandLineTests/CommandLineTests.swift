import Foundation
import InternetAddress
import RouteNetlink
import Testing

/// What a run of pwctl came to.
struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// Lines on standard error, but for the one that says that somebody else was at work on this machine just then.
    var complaints: [String] {
        errors.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("pwctl: waiting for another command") }
    }

    func json() throws -> Any {
        try JSONSerialization.jsonObject(with: Data(output.utf8))
    }
}

/// A namespace with a name, as a shell sees it: an access interface, an underlay with an address, nothing else.
///
/// The name carries the process's number, so that it can be told whose it was if it is ever left behind.
final class Shell: Sendable {
    let name: String
    static let program = ProcessInfo.processInfo.environment["PWCTL"] ?? ".build/release/pwctl"

    init() throws {
        name = "pwtest-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        let namespace = try NetworkNamespace.create(named: name)
        let client = try RouteClient(in: namespace)
        for (near, far) in [("acc0", "cust0"), ("acc1", "cust1"), ("wan0", "wan1")] {
            try client.links.create(.veth(near, peer: .init(name: far)))
            for link in [near, far] {
                guard let found = try client.links.find(named: link) else { continue }
                try client.links.update(found.index, LinkUpdate(isUp: true))
                if link == "wan0" { try client.addresses.add("192.0.2.21/24", to: found.index) }
            }
        }
    }

    /// Takes everything down; what the test left in the namespace goes with it.
    func end() throws {
        let teardown = try run(["teardown"])
        #expect(teardown.status == 0, "\(teardown.errors)")
        try NetworkNamespace.delete(named: name)
    }

    /// Runs pwctl in the namespace, after a preparation of the shell that becomes it.
    ///
    /// - Parameter mounts: whether the shell has mounts of its own.
    func run(_ arguments: [String], under preparation: String, mounts: Bool = false) throws -> Outcome {
        let shell = ["/bin/bash", "-c", "\(preparation) && exec \"$@\"", "bash"]
        return try run(program: (mounts ? ["/usr/bin/unshare", "--mount"] : []) + shell + words(arguments))
    }

    private func words(_ arguments: [String]) -> [String] { [Self.program] + arguments + ["--netns", name] }

    /// Runs pwctl in the namespace.
    func run(_ arguments: [String], isPrivileged: Bool = true) throws -> Outcome {
        let unprivileged = [
            "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
        ]
        return try run(program: (isPrivileged ? [] : unprivileged) + words(arguments))
    }

    private func run(program words: [String]) throws -> Outcome {
        let process = Process()
        let output = Pipe()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        // Its output has ended. waitUntilExit() would go on sleeping for up to fifty milliseconds.
        while process.isRunning { usleep(200) }
        return Outcome(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: complaint, as: UTF8.self))
    }

    /// The words of a `create` that works.
    static func good(_ name: String = "pw0", access: String = "acc0", session: String = "1012") -> [String] {
        [
            "create", name, "--access", access, "--local", "192.0.2.21", "--peer", "192.0.2.22", "--session-id",
            session,
            "--peer-session-id", "1021",
        ]
    }
}

@Suite("pwctl at a shell", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct CommandLineTests {
    @Test("what standard output does not take is a failure; what is watched as JSON is one object a line")
    func output() throws {
        let shell = try Shell()
        #expect(try shell.run(Shell.good()).status == 0)
        for words in [["export"], ["list"], ["stats", "--watch"], ["show", "pw0", "--json"]] {
            let outcome = try shell.run(words, under: "exec >/dev/full")
            #expect(outcome.status == 1, "\(words)")
            #expect(outcome.errors == "pwctl: standard output: No space left on device\n", "\(words)")
        }
        let watched = try shell.run(["stats", "--watch", "--json"], under: "exec > >(head -n 2)")
        let lines = watched.output.split(separator: "\n")
        #expect(lines.count == 2)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect((object?["pseudowires"] as? [String: Any])?["pw0"] != nil)
        }
        try shell.end()
    }

    @Test("create, list, show, stats, delete: state outlives each process")
    func life() throws {
        let shell = try Shell()
        #expect(try shell.run(["list"]).errors.contains("no pseudowires"))
        let created = try shell.run(Shell.good() + ["--verbose"])
        #expect(created.status == 0)
        #expect(created.errors.contains("attach encap to acc0"))
        #expect(try shell.run(["list"]).output.contains("pw0"))
        let list = try #require(try shell.run(["list", "--json"]).json() as? [[String: Any]])
        #expect(list.count == 1)
        #expect(list.first?["session-id"] as? Int == 1012)
        #expect((list.first?["health"] as? [String: Any])?["state"] as? String == "up")
        let shown = try shell.run(["show", "pw0"])
        #expect(shown.status == 0)
        for words in ["192.0.2.21 port 1701", "mtu              1446", "underlay         wan0"] {
            #expect(shown.output.contains(words), "\(shown.output)")
        }
        let statistics = try #require(try shell.run(["stats", "--json"]).json() as? [String: Any])
        #expect((statistics["pseudowires"] as? [String: Any])?.keys.contains("pw0") == true)
        #expect(try shell.run(["delete", "pw0"]).status == 0)
        #expect(try shell.run(["show", "pw0"]).status == 1)
        try shell.end()
    }

    @Test("all mistakes of one command are reported together, with status 64, and nothing is changed")
    func usage() throws {
        let shell = try Shell()
        let outcome = try shell.run([
            "create", "a b", "--access", "acc9", "--local", "192.0.2.21", "--peer", "192.0.2.21", "--session-id", "0",
            "--peer-session-id", "4294967296", "--encap", "gre", "--ttl", "0", "--send-cookie", "12",
        ])
        #expect(outcome.status == 64)
        for option in [
            "NAME", "--access", "--peer", "--session-id", "--peer-session-id", "--encap", "--ttl", "--send-cookie",
        ] {
            #expect(outcome.complaints.contains { $0.hasPrefix("pwctl: \(option): ") }, "\(option): \(outcome.errors)")
        }
        #expect(outcome.complaints.count == 8, "\(outcome.errors)")
        #expect(try shell.run(["list"]).output.isEmpty)
        try shell.end()
    }

    @Test(
        "what this machine has against it is a refusal: status 1, one sentence",
        arguments: [
            (Shell.good("pw1", access: "nowhere", session: "2"), "no interface \"nowhere\" here; there is"),
            (Shell.good("pw1", access: "lo", session: "2"), "lo is no Ethernet interface"),
            (Shell.good("pw1", access: "acc0", session: "2"), "acc0 is the access interface of pw0 already"),
            (Shell.good("pw1", access: "acc1", session: "1012"), "1012 is the session of pw0 already"),
            (Shell.good("pw0", access: "acc1", session: "2"), "\"pw0\" exists already"),
            (Shell.good("pw1", access: "wan0", session: "2"), "wan0"),
            (["delete", "pw0", "pw7"], "no pseudowire \"pw7\"; there is pw0"),
            (["show", "pw7"], "no pseudowire \"pw7\"; there is pw0"),
        ])
    func refusal(words: [String], sentence: String) throws {
        let shell = try Shell()
        #expect(try shell.run(Shell.good()).status == 0)
        let before = try shell.run(["list"]).output
        let outcome = try shell.run(words)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
        #expect(outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(try shell.run(["list"]).output == before)
        try shell.end()
    }

    @Test(
        "an option that has no place beside another is named, with what would be right: status 64",
        arguments: [
            (["--interface", "lan0"], "--interface: makes an interface, --access names one that is there"),
            (["--vlan", "4095"], "--vlan: \"4095\" is neither any, none nor a number from 1 to 4094"),
            (["--vlan-tag", "strip"], "--vlan-tag: has no meaning with --vlan any"),
            (["--sequence", "both", "--sublayer", "none"], "--sequence: \"both\" needs"),
            (["--flow-label", "zero"], "--flow-label: has no meaning over IPv4"),
            (["--encap", "ip", "--port-entropy", "send"], "--port-entropy: has no meaning with --encap ip"),
            (["--df", "set", "--oversize", "outer"], "--df: \"set\" forbids"),
        ])
    func misplaced(words: [String], sentence: String) throws {
        let shell = try Shell()
        let outcome = try shell.run(Shell.good() + words)
        #expect(outcome.status == 64)
        #expect(outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
        try shell.end()
    }

    @Test("--interface makes an interface that fits the path, and takes it away again")
    func interface() throws {
        let shell = try Shell()
        let words = Shell.good(access: "lan0").map { $0 == "--access" ? "--interface" : $0 }
        #expect(try shell.run(words).status == 0)
        let client = try RouteClient(in: NetworkNamespace(named: shell.name))
        let made = try #require(try client.links.find(named: "lan0"))
        #expect(made.mtu == 1446)
        #expect(!made.isUp)
        #expect(try shell.run(["show", "pw0"]).output.contains("waiting: interface lan0 is down"))
        try client.links.update(made.index, LinkUpdate(isUp: true))
        #expect(try shell.run(["show", "pw0"]).output.contains("up: carrying frames of lan0"))
        let taken = try shell.run(words)
        #expect(taken.status == 1)
        #expect(taken.errors.contains("--interface: lan0"), "\(taken.errors)")
        #expect(try shell.run(["delete", "pw0"]).status == 0)
        #expect(try client.links.find(named: "lan0") == nil)
        #expect(try client.links.find(named: "pw-1") == nil)
        try shell.end()
    }

    @Test("VLANs of one access interface are shared out; what belongs to somebody is refused")
    func vlans() throws {
        let shell = try Shell()
        #expect(try shell.run(Shell.good("pw0") + ["--vlan", "100"]).status == 0)
        #expect(try shell.run(Shell.good("pw1", session: "2") + ["--vlan", "200"]).status == 0)
        #expect(try shell.run(Shell.good("pw2", session: "3") + ["--vlan", "none"]).status == 0)
        for vlan in ["100", "none", "any"] {
            let outcome = try shell.run(Shell.good("pw3", session: "4") + ["--vlan", vlan])
            #expect(outcome.status == 1)
            #expect(outcome.complaints.first?.hasPrefix("pwctl: --vlan: pw") == true, "\(outcome.errors)")
            #expect(outcome.complaints.count == 1, "\(outcome.errors)")
        }
        #expect(try shell.run(["delete", "pw0"]).status == 0)
        let list = try #require(try shell.run(["list", "--json"]).json() as? [[String: Any]])
        #expect(list.map { ($0["health"] as? [String: Any])?["state"] as? String } == ["up", "up"])
        try shell.end()
    }

    @Test("addresses of two families are told apart from equal ones")
    func families() throws {
        let shell = try Shell()
        var words = Shell.good()
        words[7] = "2001:db8::22"
        let outcome = try shell.run(words)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("both must be of one family"), "\(outcome.errors)")
        try shell.end()
    }

    @Test("a pseudowire without a route is made, and says what it waits for")
    func waiting() throws {
        let shell = try Shell()
        var words = Shell.good()
        words[7] = "198.51.100.22"
        #expect(try shell.run(words).status == 0)
        #expect(try shell.run(["show", "pw0"]).output.contains("waiting: there is no route to 198.51.100.22"))
        try shell.end()
    }

    @Test("without privilege it says what is missing")
    func unprivileged() throws {
        let shell = try Shell()
        let outcome = try shell.run(Shell.good(), isPrivileged: false)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("CAP_NET_ADMIN"), "\(outcome.errors)")
        try shell.end()
    }

    @Test("doctor finds this machine fit, and names what is not")
    func doctor() throws {
        let shell = try Shell()
        let fit = try shell.run(["doctor", "acc0", "wan0"])
        #expect(fit.status == 0, "\(fit.output)")
        #expect(fit.output.contains("the kernel's verifier accepts it"))
        let unfit = try shell.run(["doctor", "lo", "nowhere", "--json"])
        #expect(unfit.status == 1)
        let findings = try #require(try unfit.json() as? [[String: Any]])
        let problems = findings.filter { $0["severity"] as? String == "problem" }
        #expect(problems.compactMap { $0["subject"] as? String } == ["lo", "nowhere"])
        #expect(problems.allSatisfy { $0["cure"] != nil })
        try shell.end()
    }

    @Test("of a pin that somebody has removed it says what to do, and that helps", arguments: ["clsact", "auto"])
    func damage(attach: String) throws {
        for pin in ["meta", "paths", "pw_decap"] {
            let shell = try Shell()
            #expect(try shell.run(Shell.good() + ["--attach", attach]).status == 0)
            let cookie = try NetworkNamespace(named: shell.name).cookie()
            let directory = "/sys/fs/bpf/pseudowire/\(String(cookie, radix: 16))"
            try FileManager.default.removeItem(atPath: "\(directory)/\(pin)")
            for words in [["list"], ["delete", "pw0"], ["teardown"]] {
                let outcome = try shell.run(words)
                #expect(outcome.status == 1)
                let found = "\(pin): No such file or directory: \(directory) is damaged"
                #expect(outcome.errors.contains(found), "\(outcome)")
                #expect(outcome.errors.contains("'rm -r \(directory)'"), "\(outcome)")
                #expect(outcome.errors.contains("'tc filter del dev INTERFACE ingress pref 1701'"), "\(outcome)")
            }
            try FileManager.default.removeItem(atPath: directory)
            // What the sentence says, word for word; links have ended with their pins, clsact filters have not.
            let ends = ["acc0", "wan0"].map { "tc -n \(shell.name) filter del dev \($0) ingress pref 1701" }
            let cure = attach == "clsact" ? ends.joined(separator: " && ") : "true"
            let teardown = try shell.run(["teardown"], under: cure)
            #expect(teardown.status == 0, "\(teardown)")
            let client = try RouteClient(in: NetworkNamespace(named: shell.name))
            for name in ["pw-split0", "pw-join0"] { #expect(try client.links.find(named: name) == nil) }
            for name in ["acc0", "wan0"] {
                let link = try #require(try client.links.find(named: name))
                let filters = (try? client.filters.list(at: TrafficHook(link: link.index, direction: .ingress))) ?? []
                #expect(filters.isEmpty, "\(name): \(filters)")
            }
            #expect(try shell.run(Shell.good() + ["--attach", attach]).status == 0)
            #expect(try shell.run(["show", "pw0"]).output.contains("up"))
            try shell.end()
        }
    }

    @Test("teardown where there is nothing is no error")
    func nothing() throws {
        let shell = try Shell()
        #expect(try shell.run(["teardown"]).status == 0)
        try shell.end()
    }
}
