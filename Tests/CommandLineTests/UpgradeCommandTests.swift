import Foundation
import Testing

@Suite("pwctl upgrade at a shell", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct UpgradeCommandTests {
    @Test("nothing to upgrade is said; a dry run changes nothing; a forced one is the next generation")
    func upgrade() throws {
        let shell = try Shell()
        let none = try shell.run(["upgrade"])
        #expect(none.status == 1 && none.errors.contains("there is no pseudowire here"), "\(none)")
        #expect(try shell.run(Shell.good()).status == 0)
        let current = try shell.run(["upgrade"])
        #expect(current.status == 0 && current.output.contains("nothing to upgrade: ABI "), "\(current)")

        func generation() throws -> String {
            let doctor = try shell.run(["doctor", "--json"]).output
            let findings = try #require(
                try JSONSerialization.jsonObject(with: Data(doctor.utf8)) as? [[String: Any]])
            return try #require(
                findings.first { $0["subject"] as? String == "loaded datapath" }?["message"] as? String)
        }
        let before = try generation()
        #expect(before.contains("generation 0: this program's"), "\(before)")
        let dry = try shell.run(["upgrade", "--force", "--dry-run"])
        #expect(dry.status == 0 && dry.output.contains("exchange decap of wan0"), "\(dry)")
        #expect(dry.output.contains("exchange encap of acc0"), "\(dry)")
        #expect(try generation() == before)

        let forced = try shell.run(["upgrade", "--force", "--json"])
        #expect(forced.status == 0, "\(forced)")
        let plan = try #require(
            try JSONSerialization.jsonObject(with: Data(forced.output.utf8)) as? [String: Any])
        #expect(plan["needed"] as? Bool == true)
        #expect((plan["kept"] as? [String])?.contains("sessions") == true)
        #expect((plan["to"] as? [String: Any])?["generation"] as? Int == 1)
        #expect((plan["filters"] as? [String: String])?.keys.sorted() == ["acc0", "wan0"])
        #expect(try generation().contains("generation 1: this program's"))
        #expect(try shell.run(["list", "--json"]).output.contains("\"attach\" : \"auto\""))
        try shell.end()
    }
}
