import Foundation
import Glibc
import RouteNetlink
import Testing

@Suite("agent at a shell", .enabled(if: geteuid() == 0, "needs root"), .serialized, .timeLimit(.minutes(2)))
struct AgentCommandTests {
    private static func text(_ accesses: [String]) -> String {
        let wires = accesses.enumerated().map { index, access in
            """
            { name: "pw\(index)", access: "\(access)", local: "192.0.2.21", peer: "192.0.2.22",
              "session-id": \(index + 1), "peer-session-id": \(index + 1) }
            """
        }
        return "{ pseudowires: [\n\(wires.joined(separator: ",\n"))\n] }\n"
    }

    @Test("starts, waits for an interface, follows the file, refuses a bad one, reloads; ends with traffic flowing")
    func life() throws {
        let shell = try Shell()
        let agent = try AgentProcess(shell, Self.text(["acc0", "acc9"]))
        // The first line of the second pseudowire is the document's fourth.
        try agent.expect("warning waiting", "pseudowire=pw1", "line=4", "no interface \\\"acc9\\\" here")
        try agent.expect("info health pseudowire=pw0", "state=up")
        let client = try RouteClient(in: NetworkNamespace(named: shell.name))
        try client.links.create(.veth("acc9", peer: .init(name: "cust9")))
        for name in ["acc9", "cust9"] {
            let link = try #require(try client.links.find(named: name))
            try client.links.update(link.index, LinkUpdate(isUp: true))
        }
        try agent.expect("info health pseudowire=pw1", "state=up")
        try agent.write(Self.text(["acc0"]))
        try agent.expect("notice changed", "change=\"remove pw1\"")
        try agent.write("{ pseudowires: [ { name: 1 } ] }")
        try agent.expect("error document refused", ": pseudowires[0].name")
        #expect(try shell.run(["show", "pw0"]).output.contains("up: carrying frames of acc0"))
        try agent.write(Self.text(["acc1"]))
        try agent.expect("notice changed", "access acc0 -> acc1")
        agent.signal(SIGHUP)
        try agent.expect("notice document read", "pseudowires=1", count: 3)
        agent.signal(SIGTERM)
        #expect(try agent.end() == 0)
        try agent.expect("notice stopped")
        #expect(try shell.run(["show", "pw0"]).output.contains("up: carrying frames of acc1"))
        try shell.end()
    }

    @Test("--once: status 0 when all are up, 1 with the reason when not, 64 for a bad file; JSON lines")
    func once() throws {
        let shell = try Shell()
        let good = try AgentProcess(shell, Self.text(["acc0", "acc1"]), ["--once"])
        #expect(try good.end() == 0)
        let late = try AgentProcess(
            shell, Self.text(["acc0", "acc9"]), ["--once", "--timeout", "1", "--json", "--verbose"])
        #expect(try late.end() == 1)
        let lines = try late.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        func line(_ message: String) throws -> [String: Any] {
            try #require(lines.compactMap(\.self).first { $0["message"] as? String == message })
        }
        let waiting = try line("waiting")
        #expect(waiting["pseudowire"] as? String == "pw1" && waiting["level"] as? String == "warning")
        #expect(waiting["reason"] as? String == "no interface \"acc9\" here")
        let time = try #require(waiting["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        // What is a number is written as one.
        #expect(waiting["line"] as? Int == 4)
        #expect(try line("started")["pseudowires"] as? Int == 2)
        let looked = try line("looked")
        #expect(looked["changes"] as? Int != nil && looked["failures"] as? Int == 0)
        #expect(looked["took-ms"] as? Double != nil)
        let bad = try AgentProcess(shell, "{", ["--once"])
        #expect(try bad.end() == 64)
        // What ends it is for the same reader as all else.
        let logged = try AgentProcess(shell, "{ pseudowires: [ { name: 1, access: 2 } ] }", ["--once", "--json"])
        #expect(try logged.end() == 64)
        let refusals = try logged.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(refusals.count > 1 && refusals.allSatisfy { $0?["message"] as? String == "refused" })
        #expect((refusals.first??["reason"] as? String)?.contains("wires.json5:1:") == true)
        #expect(try shell.run(["agent", "/nowhere.json5"]).status == 1)
        #expect(try shell.run(["agent", "/nowhere.json5", "--timeout", "3"]).status == 64)
        try shell.end()
    }

    @Test(
        "a second agent in a namespace is refused, with the first one's number; --once, and after a kill, another are not"
    )
    func alone() throws {
        let shell = try Shell()
        let first = try AgentProcess(shell, Self.text(["acc0"]))
        try first.expect("info health pseudowire=pw0", "state=up")
        let second = try AgentProcess(shell, Self.text(["acc1"]))
        #expect(try second.end() == 1)
        try second.expect("another agent keeps", "pwctl, process \(first.number);")
        #expect(try AgentProcess(shell, Self.text(["acc0"]), ["--once"]).end() == 0)
        // Elsewhere is elsewhere.
        let other = try Shell()
        let elsewhere = try AgentProcess(other, Self.text(["acc0"]))
        try elsewhere.expect("info health pseudowire=pw0", "state=up")
        first.signal(SIGKILL)
        try first.awaitKill()
        let third = try AgentProcess(shell, Self.text(["acc1"]))
        try third.expect("notice changed", "access acc0 -> acc1")
        for agent in [third, elsewhere] {
            agent.signal(SIGTERM)
            #expect(try agent.end() == 0)
        }
        try other.end()
        try shell.end()
    }

    @Test("a lock of somebody who can have no agent here keeps none from starting")
    func squatted() throws {
        let shell = try Shell()
        let squatter = Process()
        squatter.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        squatter.arguments =
            ["--reuid=65534", "--clear-groups"]
            + ["flock", "--no-fork", "/run/netns/\(shell.name)", "sleep", "60"]
        try squatter.run()
        defer { kill(squatter.processIdentifier, SIGKILL) }
        let probe = try NetworkNamespace(named: shell.name)
        func isFree() -> Bool {
            defer { flock(probe.fileDescriptor, LOCK_UN) }
            return flock(probe.fileDescriptor, LOCK_EX | LOCK_NB) == 0
        }
        for _ in 0..<500 where isFree() { usleep(10_000) }
        try #require(!isFree())
        let agent = try AgentProcess(shell, Self.text(["acc0"]))
        try agent.expect("info health pseudowire=pw0", "state=up")
        agent.signal(SIGTERM)
        #expect(try agent.end() == 0)
        try shell.end()
    }

    @Test("the service manager hears of as many as there are: also when one that never was is no longer wanted")
    func counted() throws {
        let shell = try Shell()
        let manager = try NotifySocket()
        let agent = try AgentProcess(
            shell, Self.text(["acc0", "acc9"]), environment: ["NOTIFY_SOCKET": manager.path])
        #expect(try manager.next { $0.hasPrefix("READY=1") } == "READY=1\nSTATUS=1 of 2 pseudowires up")
        try agent.write(Self.text(["acc0"]))
        #expect(try manager.next { $0.hasPrefix("STATUS=") } == "STATUS=1 of 1 pseudowires up")
        // What it waits for may concern one that carries frames all the while.
        try agent.write(Self.text(["acc0"]).replacing("local:", with: "underlay: [\"wan0\", \"wan9\"], local:"))
        #expect(try manager.next { $0.hasPrefix("STATUS=") } == "STATUS=0 of 1 pseudowires up")
        try agent.expect("warning waiting", "pseudowire=pw0", "no interface \\\"wan9\\\" here")
        try agent.write(Self.text(["acc0"]))
        #expect(try manager.next { $0.hasPrefix("STATUS=") } == "STATUS=1 of 1 pseudowires up")
        try agent.expect("info health pseudowire=pw0", "state=up", count: 2)
        agent.signal(SIGTERM)
        #expect(try agent.end() == 0)
        try shell.end()
    }

    @Test("systemd is told: ready, alive, reloading and ready again, stopping")
    func notify() throws {
        let shell = try Shell()
        let manager = try NotifySocket()
        let agent = try AgentProcess(
            shell, Self.text(["acc0"]), environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "600000"])
        #expect(try manager.next { $0.hasPrefix("READY=1") } == "READY=1\nSTATUS=1 of 1 pseudowires up")
        let clock = ContinuousClock()
        let three = try clock.measure { for _ in 0..<3 { _ = try manager.next { $0 == "WATCHDOG=1" } } }
        #expect(three < .milliseconds(600 * 4))
        agent.signal(SIGHUP)
        #expect(try manager.next { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") } != "")
        #expect(try manager.next { $0.hasPrefix("READY=1") } == "READY=1\nSTATUS=1 of 1 pseudowires up")
        try agent.write(Self.text(["acc0", "acc9"]))
        #expect(try manager.next { $0.hasPrefix("STATUS=") } == "STATUS=1 of 2 pseudowires up")
        agent.signal(SIGTERM)
        _ = try manager.next { $0 == "STOPPING=1" }
        #expect(try agent.end() == 0)
        try shell.end()
    }

    @Test("what another command has taken away or changed is put right at once, also where no filter comes or goes")
    func others() throws {
        let shell = try Shell()
        let wires = (5...6).map { number in
            """
            { name: "pw\(number)", access: "acc0", vlan: \(number), local: "192.0.2.21", peer: "192.0.2.22",
              "session-id": \(number), "peer-session-id": \(number) }
            """
        }
        let agent = try AgentProcess(shell, "{ pseudowires: [ \(wires.joined(separator: ", ")) ] }", ["--verbose"])
        try agent.expect("info health pseudowire=pw6", "state=up")
        // Until it has heard what the kernel tells of the new interfaces; the next look of its own is a minute away.
        usleep(3_000_000)
        #expect(try shell.run(["delete", "pw5"]).status == 0)
        try agent.expect("notice changed", "change=\"create pw5\"", count: 2)
        #expect(try shell.run(["set", "pw6", "--ttl", "9"]).status == 0)
        try agent.expect("notice changed", "pw6", "ttl")
        // Also after the datapath's state has been put into another directory.
        #expect(try shell.run(["upgrade", "--force"]).status == 0)
        #expect(try shell.run(["delete", "pw6"]).status == 0)
        try agent.expect("notice changed", "change=\"create pw6\"", count: 2)
        agent.signal(SIGTERM)
        #expect(try agent.end() == 0)
        try shell.end()
    }

    @Test("an idle agent does not wake up: its thread sleeps for three seconds on end")
    func idle() throws {
        let shell = try Shell()
        let agent = try AgentProcess(shell, Self.text(["acc0"]), ["--verbose"])
        try agent.expect("info health pseudowire=pw0", "state=up")
        // Its own changes are told to it, too, and what the kernel makes of new interfaces comes seconds later, at
        // times of its own: one that looks every second or two never sleeps so long, whenever one begins to watch.
        var isIdle = false
        for _ in 0..<10 where !isIdle {
            let (before, said) = (try agent.switches(), agent.lines.count)
            usleep(3_000_000)
            isIdle = try before.count == 1 && agent.switches() == before && agent.lines.count == said
        }
        #expect(isIdle)
        agent.signal(SIGINT)
        #expect(try agent.end() == 0)
        try shell.end()
    }
}
