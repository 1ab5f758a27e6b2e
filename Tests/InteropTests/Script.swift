import Foundation
import Testing

/// A script of Tests/Interop, run once, and what it said about each thing that it checked.
struct Script: Sendable {
    /// By id: what came of the check, and the rest of its line.
    let results: [String: (passed: Bool, detail: String)]
    /// Everything else: what the script shows of a failed check.
    let remarks: String

    /// Runs `path`, below Tests/Interop, to its end.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) {
        let process = Process()
        let output = Pipe()
        process.executableURL = Self.directory.appendingPathComponent(path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        var results: [String: (passed: Bool, detail: String)] = [:]
        var remarks: [String] = []
        do {
            // The threads that tests run on have all signals blocked, and a child inherits that: nothing that the
            // script starts could be told to end.
            var none = sigset_t()
            var before = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 3)
                if words.count >= 3, words[0] == "RESULT" {
                    results[String(words[1])] = (words[2] == "pass", words.count > 3 ? String(words[3]) : "")
                } else {
                    remarks.append(String(line))
                }
            }
        } catch {
            remarks.append("\(path): \(error)")
        }
        self.results = results
        self.remarks = remarks.suffix(60).joined(separator: "\n")
    }

    /// Runs a script of Tests/Interop in the guest, which is made first if there is none.
    static func inGuest(_ path: String, seconds: Int) -> Script {
        let prepared = Script("guest/prepare.sh", [cache])
        let script = Script("guest/run.sh", [cache, "\(seconds)", "\(directory.path)/\(path) \(pwctl)"])
        return script.results.isEmpty ? prepared : script
    }

    /// A check must have been made, and have passed.
    func expect(_ id: String, _ location: SourceLocation = #_sourceLocation) {
        guard let result = results[id] else {
            Issue.record("\(id) was not checked\n\(remarks)", sourceLocation: location)
            return
        }
        #expect(result.passed, "\(id): \(result.detail)\n\(remarks)", sourceLocation: location)
    }

    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Interop")

    /// The program under test; `make check` names the release build.
    static let pwctl: String = ProcessInfo.processInfo.environment["PWCTL"] ?? ".build/release/pwctl"
    /// Where the guest's kernel is kept between runs.
    static let cache: String = ProcessInfo.processInfo.environment["GUEST_CACHE"] ?? "/tmp/pseudowire-guest"
}
