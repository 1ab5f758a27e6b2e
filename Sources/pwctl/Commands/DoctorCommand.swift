internal import ArgumentParser
internal import Pseudowire

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Can this kernel, this host, these interfaces do it? Each finding with its cure.",
        discussion: "Changes nothing. Exit status 1 if there is a problem.")

    @Argument(help: ArgumentHelp("Interfaces that are to be used.", valueName: "IF"))
    var interfaces: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let findings = Doctor.examine(in: common.namespace, interfaces: interfaces)
        if output.json {
            print(try JSONText.of(findings.map(FindingView.init)))
        } else {
            for finding in findings {
                print("\(Self.sign(finding.severity)) \(finding.subject): \(finding.message)")
                if let cure = finding.cure { print("          cure: \(cure)") }
            }
        }
        if findings.contains(where: { $0.severity == .problem }) { throw ExitCode.failure }
    }

    private static func sign(_ severity: Finding.Severity) -> String {
        switch severity {
        case .fine: "[ ok ]   "
        case .warning: "[warning]"
        case .problem: "[PROBLEM]"
        }
    }
}
