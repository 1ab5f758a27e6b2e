import Foundation
import Testing

/// Packets that somebody wants encrypted must not go round those who would do it.
@Suite("pwctl and IPsec policies", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct IPsecCommandTests {
    private func ip(_ shell: Shell, _ words: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "ip -n \(shell.name) xfrm policy \(words)"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(words)")
    }

    private static let flow = "src 192.0.2.21/32 dst 192.0.2.22/32 dir out"
    private static let encrypt =
        "add \(flow) priority 10 tmpl src 192.0.2.21 dst 192.0.2.22 proto esp mode transport"

    @Test("create, set and apply refuse, with the policy and the cure, and change nothing")
    func refuses() throws {
        let shell = try Shell()
        try ip(shell, Self.encrypt)
        let refused = try shell.run(Shell.good())
        #expect(refused.status == 1)
        for words in ["pwctl: --peer: ", "dir out src 192.0.2.21/32 dst 192.0.2.22/32 priority 10", "type xfrm"] {
            #expect(refused.errors.contains(words), "\(refused.errors)")
        }
        #expect(try shell.run(["list", "--json"]).json() as? [[String: String]] == [])

        // To another peer there is no such policy; nor, once somebody has said that it is meant so, to this one.
        var other = Shell.good()
        other[other.firstIndex(of: "192.0.2.22") ?? 0] = "192.0.2.23"
        #expect(try shell.run(other).status == 0)
        let moved = try shell.run(["set", "pw0", "--peer", "192.0.2.22"])
        #expect(moved.status == 1)
        #expect(moved.errors.contains("leave unencrypted"), "\(moved.errors)")
        #expect(try shell.run(["show", "pw0"]).output.contains("192.0.2.23"))
        try ip(shell, "add src 192.0.2.21/32 dst 192.0.2.22/32 proto udp sport 1701 dport 1701 dir out priority 5")
        #expect(try shell.run(["set", "pw0", "--peer", "192.0.2.22"]).status == 0)
        try shell.end()
    }

    @Test("a policy that comes later is named by show and doctor, and only while it is there")
    func warns() throws {
        let shell = try Shell()
        #expect(try shell.run(Shell.good()).status == 0)
        #expect(try shell.run(["show", "pw0"]).output.contains("IPsec") == false)
        let fine = try shell.run(["doctor"])
        #expect(fine.output.contains("[ ok ]    IPsec policies"), "\(fine.output)")
        try ip(shell, "add src 0.0.0.0/0 dst 192.0.2.21/32 proto udp dir in action block")
        let shown = try shell.run(["show", "pw0"]).output
        #expect(shown.contains("up: carrying frames; but the stack would not take packets of 192.0.2.22"), "\(shown)")
        let doctor = try shell.run(["doctor"])
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("[PROBLEM] IPsec policies: pw0: the stack would not take"), "\(doctor.output)")
        try ip(shell, "flush")
        #expect(try shell.run(["show", "pw0"]).output.contains("IPsec") == false)
        #expect(try shell.run(["doctor"]).output.contains("[ ok ]    IPsec policies"))
        try shell.end()
    }
}
