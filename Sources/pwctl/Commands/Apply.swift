internal import ArgumentParser
internal import Glibc
internal import Pseudowire

struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make the pseudowires of a namespace those that a file describes; all or nothing.",
        discussion: """
            The file is JSON5, its keys are the options of 'create'; 'pwctl export' prints such a file. A number may have \
            quotes or not, and is spelled as for 'create'. Pseudowires that the file does not describe are removed, unless \
            --keep-others is given. The plan is printed; where nothing has to change, that is said.
            """)

    @Argument(help: ArgumentHelp("The file; - for standard input.", valueName: "FILE"))
    var file: String

    @Flag(help: "Print the plan, and do nothing.")
    var dryRun = false

    @Flag(help: "Leave pseudowires alone that the file does not describe.")
    var keepOthers = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let text = try Self.read(file)
        let name = file == "-" ? "standard input" : file
        let document = try Report.failures(in: name) { () throws(PseudowireError) in
            do throws(ConfigurationFaults) { return try PseudowireDocument(parsing: text) } catch {
                // Who may not look at this machine hears what is wrong with the words.
                throw .faults((try? PseudowireManager(in: common.namespace))?.faults(of: text) ?? error.faults)
            }
        }
        let manager = try common.manager()
        if dryRun {
            let plan = try Report.failures(in: name) { () throws(PseudowireError) in
                try manager.plan(applying: document, keepsOthers: keepOthers)
            }
            try show(plan)
            return
        }
        var made: Plan?
        try common.change(manager, document: name) { () throws(PseudowireError) in
            let plan = try manager.plan(applying: document, keepsOthers: keepOthers)
            made = plan
            return plan
        }
        if let made { try show(made) }
    }

    private func show(_ plan: Plan) throws {
        if output.json {
            print(try JSONText.of(PlanView(plan)))
        } else if plan.isEmpty {
            print("nothing to change")
        } else {
            for change in plan.changes { print(change) }
        }
    }

    private static func read(_ file: String) throws -> [UInt8] {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            Report.toStandardError("pwctl: \(file): \(String(cString: strerror(errno)))")
            throw ExitCode.failure
        }
        defer { if file != "-" { close(descriptor) } }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                Report.toStandardError("pwctl: \(file): \(String(cString: strerror(errno)))")
                throw ExitCode.failure
            }
            if count == 0 { return text }
            text += buffer[..<count]
        }
    }
}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print the pseudowires as a file that 'apply' takes.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.reader()
        print(try Report.failures { () throws(PseudowireError) in try manager.export() }.text, terminator: "")
    }
}

/// `apply --json`.
struct PlanView: Encodable {
    let changes: [ChangeView]
    let steps: [String]

    init(_ plan: Plan) {
        changes = plan.changes.map(ChangeView.init)
        steps = plan.steps.map(\.description)
    }

    struct ChangeView: Encodable {
        let action: String
        let name: String
        let options: [String: [String?]]?
        let reasons: [String]?

        init(_ change: Change) {
            name = change.name
            var options: [String: [String?]]?
            var reasons: [String]?
            switch change {
            case .create: action = "create"
            case .remove: action = "remove"
            case .change(_, let differences):
                action = "change"
                options = Dictionary(differences.map { ($0.option.rawValue, [$0.before, $0.after]) }) { $1 }
            case .place(_, let found):
                action = "place"
                reasons = found
            }
            self.options = options
            self.reasons = reasons
        }
    }
}
