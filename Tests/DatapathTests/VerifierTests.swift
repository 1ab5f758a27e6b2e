import BPF
import Foundation
import Testing

@testable import Pseudowire

@Suite("what the verifier has to look at", .enabled(if: geteuid() == 0, "needs root"))
struct VerifierTests {
    /// Kernel to program to instructions.
    private static func baseline() throws -> [String: [String: Int]] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../bpf/verified-instructions.tsv")
        var found: [String: [String: Int]] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let columns = line.split(separator: "\t")
            let count = try #require(columns.count == 3 ? Int(columns[2]) : nil, "\(line)")
            found[String(columns[0]), default: [:]][String(columns[1])] = count
        }
        return found
    }

    @Test("no program has grown by more than a tenth", arguments: DatapathObject.carriers)
    func budget(program: String) throws {
        let baseline = try Self.baseline()
        let version = KernelProbe.version()
        // A kernel that nobody has measured is held to the dearest of those that somebody has.
        let known =
            baseline["\(version.major).\(version.minor)"]?[program]
            ?? baseline.values.compactMap { $0[program] }.max()
        let allowed = try #require(known) * 11 / 10
        let found = Int(try DatapathObject.open(maxSessions: 4).load().program(program).verifiedInstructions)
        #expect(found > 100)
        #expect(found <= allowed, "\(version.release): \(program) \(found)")
    }
}
