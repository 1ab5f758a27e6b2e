internal import ArgumentParser
@preconcurrency internal import Glibc
internal import Pseudowire

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Work in this network namespace.", valueName: "NAME|PATH"))
    var netns: String?

    @Flag(name: .shortAndLong, help: "Say what is done, step by step.")
    var verbose = false

    @Option(
        help: ArgumentHelp(
            "How long to wait for another command that changes something (default: as long as it takes).",
            valueName: "SECONDS"))
    var wait: UInt16?

    var namespace: NamespaceReference { netns.map(NamespaceReference.init) ?? .current }

    func manager() throws -> PseudowireManager {
        let manager = try Report.failures { () throws(PseudowireError) in try PseudowireManager(in: namespace) }
        manager.patience = wait.map { .seconds($0) }
        manager.onWait = { Report.toStandardError("pwctl: waiting for another command that changes pseudowires") }
        manager.onMend = { Report.toStandardError("pwctl: \($0)") }
        manager.onRepair = { Report.toStandardError("pwctl: \($0)") }
        return manager
    }

    /// The same for a command that only looks; it says so if what it sees is half done.
    func reader() throws -> PseudowireManager {
        let manager = try manager()
        let unfinished = try Report.failures { () throws(PseudowireError) in try manager.unfinished() }
        if let unfinished { Report.toStandardError("pwctl: \(unfinished)") }
        return manager
    }

    /// Plans and executes, and with `--verbose` prints the plan before.
    func change(
        _ manager: PseudowireManager, document: String? = nil, _ plan: () throws(PseudowireError) -> Plan
    ) throws {
        try Report.failures(in: document) { () throws(PseudowireError) in
            try manager.change { () throws(PseudowireError) in
                let plan = try plan()
                if verbose { for step in plan.steps { Report.toStandardError("\(step)") } }
                return plan
            }
        }
    }
}

/// For commands that print state.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON.")
    var json = false
}

/// Errors in sentences on standard error, and the exit status that belongs to them.
enum Report {
    /// Runs `body`; a failure is printed, every fault on a line of its own, and becomes exit status 64 or 1.
    ///
    /// - Parameter document: the name of the document that is read; its keys are no flags.
    static func failures<Value>(
        in document: String? = nil, _ body: () throws(PseudowireError) -> Value
    ) throws -> Value {
        do throws(PseudowireError) { return try body() } catch { throw tell(error, in: document) }
    }

    /// Prints an error; returns the status that belongs to it.
    static func tell(_ error: PseudowireError, in document: String?) -> ExitCode {
        for sentence in sentences(error, in: document) { toStandardError("pwctl: \(sentence)") }
        return status(of: error)
    }

    static func status(of error: PseudowireError) -> ExitCode { error.isUsage ? .validationFailure : .failure }

    /// What an error says, each fault by itself.
    static func sentences(_ error: PseudowireError, in document: String?) -> [String] {
        guard case .faults(let faults) = error else { return ["\(error)"] }
        return faults.map { fault in
            if let document { return "\(document):\(fault.line == nil ? " " : "")\(fault)" }
            let option = fault.field.first?.isUppercase == true ? fault.field : "--\(fault.field)"
            return "\(option): \(fault.message)"
        }
    }

    /// Hands on what was printed; where nobody takes it, as on a disk that is full, the command has failed.
    static func flush() throws {
        let reason =
            if fflush(stdout) != 0 { String(cString: strerror(errno)) } else if ferror(stdout) != 0 {
                "not all of it could be written"
            } else { "" }
        guard !reason.isEmpty else { return }
        toStandardError("pwctl: standard output: \(reason)")
        throw ExitCode.failure
    }

    static func toStandardError(_ line: String) {
        let text = Array((line + "\n").utf8)
        _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
