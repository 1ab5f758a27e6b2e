import Foundation

/// All that a run of the suite has found, as it is written to `datapath.json`.
struct Report: Codable {
    /// Where and of what the figures are.
    struct Machine: Codable {
        let kernel: String
        let processor: String
        let processors: Int
        let commit: String
        let date: String
    }

    let machine: Machine
    let rounds: Int
    let secondsPerTurn: Double
    var chain: Run
    /// The same chain in a guest of Linux 6.1, emulated, beside the kernel's own L2TP.
    var guest: Run?
    var programs: [ProgramCost] = []
    var programsAtScale: [ProgramCost] = []
    var commands: [CommandTime] = []
    var scale = ScaleFigures()
    var targets: [Judgement] = []

    /// A target and what came of it.
    struct Judgement: Codable {
        let name: String
        let wanted: String
        let measured: Spread?
        let isReached: Bool
        /// Why there is no figure.
        var remark: String?
    }

    mutating func judge() {
        targets = (Target.all + Target.scale).map { target in
            let measured = Spread(target.ratios(self))
            return Judgement(
                name: target.name, wanted: target.wanted, measured: measured,
                isReached: measured.map { target.isReached($0.median) } ?? false,
                remark: measured == nil ? "not measured" : nil)
        }
    }
}

extension Report.Machine {
    static func here() -> Report.Machine {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        return Report.Machine(
            kernel: (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
                .trimmingCharacters(in: .whitespacesAndNewlines) ?? "?",
            processor: model?.split(separator: ":", maxSplits: 1).last.map {
                $0.trimmingCharacters(in: .whitespaces)
            } ?? "?",
            processors: ProcessInfo.processInfo.activeProcessorCount,
            commit: (try? tool(["git", "describe", "--always", "--dirty"]))?
                .trimmingCharacters(in: .whitespacesAndNewlines) ?? "?",
            date: Date.now.formatted(.iso8601.year().month().day()))
    }
}

/// Runs a program of the system's; its standard output.
func tool(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.standardError
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw Failure("\(arguments.joined(separator: " ")): exit status \(process.terminationStatus)\n\(text)")
    }
    return text
}
