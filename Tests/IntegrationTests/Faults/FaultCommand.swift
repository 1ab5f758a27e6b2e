import Foundation
import Glibc
import Pseudowire
import Testing

/// A command in a process of its own, which dies or fails at one of the library's fault points.
struct FaultCommand {
    /// A descriptor's path, as another process can open it.
    let namespace: String
    let words: [String]

    init(_ verb: String, _ words: [String] = [], in namespace: String) {
        self.namespace = namespace.replacing("/self/", with: "/\(getpid())/")
        self.words = [verb] + words
    }

    /// What happens at a point.
    enum Mode: CustomStringConvertible {
        case count
        case kill(Int)
        case stop(Int)
        case fail(Int)
        case failFrom(Int)

        var description: String {
            switch self {
            case .count: "count"
            case .kill(let number): "kill:\(number)"
            case .stop(let number): "stop:\(number)"
            case .fail(let number): "fail:\(number)"
            case .failFrom(let number): "fail-from:\(number)"
            }
        }
    }

    struct Outcome {
        let status: Int32
        let wasKilled: Bool
        let output: [String]
        let errors: String

        var points: [FaultPoint] { output.compactMap(FaultPoint.init(rawValue:)) }
    }

    /// Beside the test bundle, which is what this code is in.
    static let program: String = {
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        let bundle = maps.split(separator: "\n").first { $0.hasSuffix(".xctest") }?.split(separator: " ").last ?? ""
        return URL(fileURLWithPath: String(bundle)).deletingLastPathComponent().appendingPathComponent("faultprocess")
            .path
    }()

    func start(_ mode: Mode, environment: [String: String] = [:]) throws -> Running {
        try Running(Self.program, [namespace, "\(mode)"] + words, environment: environment)
    }

    func run(_ mode: Mode, environment: [String: String] = [:]) throws -> Outcome {
        try start(mode, environment: environment).wait()
    }

    /// The points that it comes by when nothing happens.
    func points() throws -> [FaultPoint] {
        let outcome = try run(.count)
        #expect(outcome.status == 0, "\(words): \(outcome.errors)")
        return outcome.points
    }

    /// A process under way.
    final class Running {
        private let process = Process()
        private let output = Pipe()
        private let errors = Pipe()
        private var file: DocumentFile?
        private let begun = ContinuousClock.now
        /// How long it ran, in seconds; known when it has ended.
        private(set) var duration = 0.0

        init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = errors
            try process.run()
        }

        /// What the process reads stays there as long as it runs.
        func keep(_ file: DocumentFile?) { self.file = file }

        var identifier: pid_t { process.processIdentifier }

        func kill() { Glibc.kill(identifier, SIGKILL) }

        /// Until it has stopped itself.
        func waitUntilStopped() {
            while true {
                var status: Int32 = 0
                let found = waitpid(identifier, &status, WUNTRACED | WNOHANG)
                // Or it has ended, and somebody else has been told.
                if found == identifier || found < 0 { break }
                usleep(5000)
            }
        }

        var isRunning: Bool { process.isRunning }

        func wait() -> Outcome {
            let text = output.fileHandleForReading.readDataToEndOfFile()
            let complaint = errors.fileHandleForReading.readDataToEndOfFile()
            // Foundation keeps a process that has ended, with its pipes: thousands of them are too many.
            for pipe in [output, errors] { try? pipe.fileHandleForReading.close() }
            duration = (ContinuousClock.now - begun) / .seconds(1)
            // Its output has ended. waitUntilExit() would go on sleeping for up to fifty milliseconds.
            while process.isRunning { usleep(200) }
            return Outcome(
                status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
                output: String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init),
                errors: String(decoding: complaint, as: UTF8.self))
        }
    }
}

/// A document in a file, for as long as it is needed.
final class DocumentFile {
    let path: String

    init(_ document: PseudowireDocument) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("pwfault-\(UUID().uuidString).json5").path
        try Data(document.text.utf8).write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
