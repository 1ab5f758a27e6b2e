internal import ArgumentParser
internal import Glibc
internal import InternetAddress
internal import L2TP

/// `pwctl demo`.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Build a network in namespaces, carry traffic through a pseudowire, and take all of it down.",
        discussion: """
            Touches nothing of this machine's own network. Exit status 0 means that every ping came back, that the TCP \
            stream arrived intact, and that each end received exactly the frames that the other sent.
            """)

    /// A value of `--encap`.
    enum Encap: String, CaseIterable, ExpressibleByArgument {
        case udp, ip

        var encapsulation: Encapsulation { self == .udp ? .udp : .ip }
    }

    /// A value of `--family`.
    enum Family: String, CaseIterable, ExpressibleByArgument {
        case v4 = "4"
        case v6 = "6"

        var family: IPAddress.Family { self == .v4 ? .v4 : .v6 }
    }

    @Option(help: ArgumentHelp("Only this encapsulation; may be repeated (default: both).", valueName: "udp|ip"))
    var encap: [Encap] = []

    @Option(
        help: ArgumentHelp("Only this family of outer addresses; may be repeated (default: both).", valueName: "4|6"))
    var family: [Family] = []

    @Option(help: ArgumentHelp("How long each TCP stream lasts, 1 to 3600 s.", valueName: "N"))
    var seconds = 2

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...3600).contains(seconds) else {
            throw ValidationError("--seconds: \(seconds) is not a number from 1 to 3600")
        }
    }

    /// Every combination that was asked for, IPv4 and UDP first.
    private var cells: [DemoCell] {
        Family.allCases.filter { family.isEmpty || family.contains($0) }.flatMap { family in
            Encap.allCases.filter { encap.isEmpty || encap.contains($0) }.map { encap in
                DemoCell(family: family.family, encapsulation: encap.encapsulation)
            }
        }
    }

    func run() throws {
        let interruption = Interruption()
        if !json {
            print(DemoReport.introduction, TopologyDrawing.withPseudowire, separator: "\n\n", terminator: "\n\n")
            fflush(nil)
        }
        var results: [DemoResult] = []
        var failures: [String] = []
        for cell in cells {
            do throws(DemoFailure) {
                results.append(try cell.run(seconds: seconds, interruption) { Report.toStandardError($0) })
            } catch {
                if error.isInterruption {
                    let isClean = if case .interrupted = error { true } else { false }
                    Report.toStandardError(isClean ? "pwctl: interrupted; all is taken down" : "pwctl: \(error)")
                    interruption.end()
                    throw ExitCode(130)
                }
                failures.append("\(cell.name): \(error)")
                if error.isLackOfPrivilege { break }
            }
        }
        if json {
            print(try JSONText.of(DemoView(results, failures: failures)))
        } else if !results.isEmpty {
            let parts = [DemoReport.table(results), DemoReport.legend, DemoReport.verdict(results)]
            print("\n\(parts.joined(separator: "\n\n"))")
        }
        for failure in failures { Report.toStandardError("pwctl: \(failure)") }
        interruption.end()
        guard failures.isEmpty, results.allSatisfy(\.complaints.isEmpty) else { throw ExitCode.failure }
    }
}
