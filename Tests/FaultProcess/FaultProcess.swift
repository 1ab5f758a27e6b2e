import Glibc
internal import Pseudowire

/// A command that dies, stops, or meets an error at one of the library's fault points.
///
///     faultprocess NAMESPACE-FILE MODE VERB WORDS…
///
/// It prints each point that it comes by. MODE is `count`, or `kill:N`, `stop:N`, `fail:N`, `fail-from:N` for what is
/// to happen at the Nth, from 0 on. For tests; does nothing of this in a release build.
@main
struct FaultProcess {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        guard words.count >= 3 else { exit(64) }
        let trap = Trap(words[1])
        #if DEBUG
            FaultPoint.hook = { (point) throws(PseudowireError) in try trap.reach(point) }
        #endif
        do {
            let manager = try PseudowireManager(in: .path(words[0]))
            manager.onMend = { print("mended: \($0)") }
            manager.onWait = { say("waiting") }
            if let seconds = getenv("PATIENCE").flatMap({ Int(String(cString: $0)) }) {
                manager.patience = .seconds(seconds)
            }
            try perform(words[2], Array(words.dropFirst(3)), manager)
        } catch {
            trap.report()
            say("\(error)")
            exit(1)
        }
        trap.report()
    }

    private static func perform(_ verb: String, _ words: [String], _ manager: PseudowireManager) throws {
        switch verb {
        case "create":
            let document = try PseudowireDocument(parsing: octets(words[0]))
            try manager.change { () throws(PseudowireError) in
                try manager.plan(adding: document.pseudowires, maxSessions: document.maxSessions)
            }
        case "apply":
            let document = try PseudowireDocument(parsing: octets(words[0]))
            try manager.change { () throws(PseudowireError) in try manager.plan(applying: document, keepsOthers: true) }
        case "replace":
            let document = try PseudowireDocument(parsing: octets(words[0]))
            try manager.change { () throws(PseudowireError) in try manager.plan(applying: document) }
        case "set":
            var options = PseudowireOptions(name: words[0])
            for word in words.dropFirst() {
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let option = PseudowireOption(rawValue: parts[0]) else { exit(64) }
                options[option] = [parts[1]]
            }
            try manager.change { () throws(PseudowireError) in try manager.plan(changing: options) }
        case "delete": try manager.change { () throws(PseudowireError) in try manager.plan(removing: words) }
        case "teardown": try manager.teardown()
        case "refresh": try manager.refresh()
        case "upgrade" where words.isEmpty: try manager.upgrade(evenIfCurrent: true)
        case "upgrade": try manager.upgrade(toObject: octets(words[0]))
        default: exit(64)
        }
    }

    private static func octets(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { exit(66) }
        defer { fclose(file) }
        var text: [UInt8] = []
        while case let octet = getc(file), octet >= 0 { text.append(UInt8(truncatingIfNeeded: octet)) }
        return text
    }

    static func say(_ line: String) {
        let octets = Array("\(line)\n".utf8)
        _ = octets.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Counts the points that a command comes by, and springs at one of them.
final class Trap {
    private let mode: String
    private let number: Int
    private var count = 0
    private var seen: [String] = []

    init(_ text: String) {
        let parts = text.split(separator: ":").map(String.init)
        mode = parts.first ?? ""
        number = parts.count > 1 ? Int(parts[1]) ?? 0 : .max
    }

    func reach(_ point: FaultPoint) throws(PseudowireError) {
        defer { count += 1 }
        seen.append(point.rawValue)
        switch mode {
        case "kill" where count == number: kill(getpid(), SIGKILL)
        case "stop" where count == number: kill(getpid(), SIGSTOP)
        case "fail" where count == number, "fail-from" where count >= number:
            throw .refused("refused for a test at \(point.rawValue)")
        default: break
        }
    }

    func report() {
        for point in seen { print(point) }
    }
}
