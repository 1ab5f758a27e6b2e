import Foundation
import Glibc
import Testing

/// A running `pwctl agent`, and what it has written so far.
final class AgentProcess {
    private let process = Process()
    private let folder: URL
    private var log: URL { folder.appendingPathComponent("log") }
    private var file: URL { folder.appendingPathComponent("wires.json5") }

    init(_ shell: Shell, _ text: String, _ words: [String] = [], environment: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("pwtest-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try Data().write(to: log)
        try write(text)
        process.executableURL = URL(fileURLWithPath: Shell.program)
        process.arguments = ["agent", file.path, "--netns", shell.name] + words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
    }

    deinit {
        // One that a failing test has left.
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Gives another file the name, as editors do.
    func write(_ text: String) throws { try Data(text.utf8).write(to: file, options: .atomic) }

    var lines: [String] {
        String(decoding: (try? Data(contentsOf: log)) ?? Data(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Waits for a line with all of these words.
    func expect(_ words: String..., count: Int = 1, _ location: SourceLocation = #_sourceLocation) throws {
        func found() -> Bool { lines.count { line in words.allSatisfy(line.contains) } >= count }
        for _ in 0..<2000 where !found() { usleep(10_000) }
        #expect(found(), "\(words): \(lines.suffix(12))", sourceLocation: location)
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    var number: Int32 { process.processIdentifier }

    /// Waits until a signal has ended it.
    func awaitKill() throws {
        for _ in 0..<1000 where process.isRunning { usleep(10_000) }
        try #require(!process.isRunning && process.terminationReason == .uncaughtSignal)
    }

    /// Its exit status, when it has ended.
    func end() throws -> Int32 {
        for _ in 0..<4000 where process.isRunning { usleep(10_000) }
        try #require(!process.isRunning)
        #expect(process.terminationReason == .exit)
        return process.terminationStatus
    }

    /// How often the thread that waits in poll(2), which is the agent's, has slept and been woken.
    ///
    /// Those of Dispatch, which wait for signals, wake up for reasons of their own.
    func switches() throws -> [String: String] {
        let tasks = "/proc/\(process.processIdentifier)/task"
        var found: [String: String] = [:]
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
            let place = try? String(contentsOfFile: "\(tasks)/\(task)/wchan", encoding: .utf8)
            guard place?.contains("poll_schedule_timeout") == true else { continue }
            let status = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
            found[task] = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt") }.map(String.init)
        }
        return found
    }
}

/// A socket as systemd has it, abstract.
final class NotifySocket {
    let path = "@pwtest-\(UUID().uuidString)"
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            for (index, octet) in octets.enumerated() where index > 0 { target[index] = octet }
        }
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(2 + octets.count))
            }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    /// The next message that is meant.
    func next(_ isMeant: (String) -> Bool) throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            try #require(count > 0, "nothing came")
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            if isMeant(text) { return text }
        }
    }
}
