import ArgumentParser
import Foundation

/// The datapath beside what one would use instead, on one machine, in one run.
///
/// Contenders take turns, in an order that moves on from round to round; what counts is the ratio of two figures of the
/// same round. Before anything is measured, every contender's frames are captured and inspected: a row whose frames are
/// wrong is reported as that, not as fast.
@main
struct DatapathBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datapath-bench", abstract: "The datapath beside what one would use instead.")

    @Flag(help: "Fewer and shorter rounds: an impression, in three minutes.")
    var quick = false

    @Flag(help: "One short round of few contenders, to see that the bench works and that its checks bite.")
    var smoke = false

    @Flag(help: ArgumentHelp("What is run in the guest: prints the samples as JSON.", visibility: .private))
    var inGuest = false

    @Option(help: "Where datapath.json, datapath.md and datapath.svg go.")
    var output: String?

    @Option(help: "A guest to boot for the kernel's own L2TP, as Tests/Interop/guest/prepare.sh makes it.")
    var guest: String?

    @Option(help: "The pwctl whose start is measured.")
    var pwctl: String?

    @Option(
        help: "Only contenders, conditions and work whose names, joined by slashes, this regular expression matches.")
    var only: String?

    @Flag(help: "Only what many pseudowires cost, and what the control plane takes for them.")
    var scale = false

    @Option(help: ArgumentHelp("Only with so many.", visibility: .hidden))
    var sessions: Int?

    @Option(help: "How many rounds instead.")
    var rounds: Int?

    @Option(help: "How long a turn takes instead.")
    var seconds: Double?

    @Option(help: "Prints what README.md says of a datapath.json, and measures nothing.")
    var summarize: String?

    func run() throws {
        if let summarize {
            let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(fileURLWithPath: summarize)))
            return print(report.summary, terminator: "")
        }
        if inGuest { return try runInGuest() }
        if smoke { return try runSmoke() }
        let (rounds, seconds) = (self.rounds ?? (quick ? 3 : 7), self.seconds ?? (quick ? 0.2 : 0.7))
        if scale {
            var report = Report(machine: .here(), rounds: rounds, secondsPerTurn: seconds, chain: Run())
            try measureScale(&report, rounds: min(rounds, 3))
            report.judge()
            return try write(report)
        }
        if let only { return try runSome(Regex(only), rounds: rounds, seconds: seconds) }
        var report = Report(
            machine: .here(), rounds: rounds, secondsPerTurn: seconds,
            chain: try measure(Self.settings, rounds: rounds, seconds: seconds, progress: Self.say))
        Self.say("programs")
        report.programs = try ProgramCost.measure(rounds: rounds, runs: quick ? 2000 : 10000)
        if let pwctl {
            report.commands = try CommandTime.measure(
                [(CommandTime.start, [pwctl, "--version"]), (CommandTime.witness, ["ip", "link", "show", "lo"])],
                rounds: quick ? 5 : 21)
        }
        try measureScale(&report, rounds: quick ? 1 : 3)
        if let guest {
            Self.say("the guest")
            report.guest = try GuestRun.boot(guest, quick: quick)
        }
        report.judge()
        try write(report)
    }

    /// With many pseudowires: what they cost, and what the control plane takes for them.
    private func measureScale(_ report: inout Report, rounds: Int) throws {
        report.scale.sessions = try SessionScale.measure(
            sessions.map { [$0] } ?? (quick ? [1, 1000, 100_000] : SessionScale.counts), rounds: rounds, runs: 10_000,
            progress: Self.say)
        report.programsAtScale = report.scale.sessions.flatMap(\.programs)
        if sessions != nil { return }
        Self.say("the control plane")
        let (times, list) = try ControlTime.measure(pwctl: pwctl, rounds: rounds)
        report.scale.control = times
        if let list { report.commands.append(list) }
        report.scale.upgrade = try UpgradeCost.measure(upgrades: 5 * rounds)
    }

    private static var settings: [Setting] {
        Contender.all.flatMap { contender in
            [Condition.defaults, .softwareSegmentation, .injection].map { Setting(contender: contender, condition: $0) }
        } + [
            Setting(contender: .bridge, condition: .unsegmentedSource),
            Setting(contender: .redirectXDP, condition: .injection),
        ]
    }

    private static var guestSettings: [Setting] {
        ([Contender.redirect, .vxlan, .kernelL2TP] + Contender.all.filter { $0.name == Contender.udp }).flatMap {
            contender in
            [Condition.defaults, .injection].map { Setting(contender: contender, condition: $0) }
        }
    }

    /// For whoever is at work on one thing.
    private func runSome(_ wanted: Regex<AnyRegexOutput>, rounds: Int, seconds: Double) throws {
        func isWanted(_ setting: Setting, _ work: Work) -> Bool {
            "\(setting.contender.name)/\(setting.condition.rawValue)/\(work.name)".contains(wanted)
        }
        let hasL2TP = FileManager.default.fileExists(atPath: "/sys/module/l2tp_eth")
        let settings =
            Self.settings
            + Self.guestSettings.filter { hasL2TP && $0.contender.name == Contender.kernelL2TP.name }
        let run = try measure(
            settings.filter { setting in setting.condition.works.contains { isWanted(setting, $0) } },
            rounds: rounds, seconds: seconds, only: isWanted, progress: Self.say)
        var report = Report(machine: .here(), rounds: rounds, secondsPerTurn: seconds, chain: run)
        report.judge()
        // The others are about what was not asked for.
        report.targets.removeAll { $0.measured == nil }
        try write(report)
    }

    private func write(_ report: Report) throws {
        print(report.markdown)
        guard let output else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let directory = URL(fileURLWithPath: output, isDirectory: true)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try encoder.encode(report).write(to: directory.appendingPathComponent("datapath.json"))
        try Data(report.markdown.utf8).write(to: directory.appendingPathComponent("datapath.md"))
        try Data(report.chart.utf8).write(to: directory.appendingPathComponent("datapath.svg"))
    }

    /// An emulator translates code when it first runs, and a turn's programs are newly loaded: that is not to be
    /// measured.
    private func runInGuest() throws {
        let seconds = quick ? 0.7 : 1.5
        let run = try measure(
            Self.guestSettings, rounds: quick ? 1 : 5, seconds: seconds, warmUp: seconds,
            only: { [.tcp(flows: 1), .frames(octets: 64), .injected(octets: 64)].contains($1) }, progress: Self.say)
        print(GuestRun.mark + String(decoding: try JSONEncoder().encode(run), as: UTF8.self))
    }

    /// Few figures, whose size proves nothing; what counts is that each is there, and that a contender whose frames
    /// are wrong has none.
    private func runSmoke() throws {
        let contenders = [Contender.redirect, .vxlan, .broken] + Contender.all.filter { $0.name.hasPrefix("ours") }
        let run = try measure(
            contenders.map { Setting(contender: $0, condition: .defaults) }, rounds: 1, seconds: 0.05,
            progress: Self.say)
        for contender in contenders {
            let figures = run.samples.filter { $0.contender == contender.name }.count
            let expected = contender.name == Contender.broken.name ? 0 : Condition.defaults.works.count
            guard figures == expected else {
                throw Failure("\(contender.name) has \(figures) figures, \(expected) expected; \(run.invalid)")
            }
        }
        guard run.invalid.count == 1, run.invalid[Contender.broken.name]?.isEmpty == false else {
            throw Failure("invalid frames were found of \(run.invalid), but only \(Contender.broken.name) has any")
        }
        for row in try SessionScale.measure([1, 100], rounds: 1, runs: 100, progress: Self.say) {
            let costs = (row.programs + row.busy).filter(\.isOurs).map(\.nanoseconds.median)
            guard row.seconds.allSatisfy({ $0 > 0 }), row.octetsPerSession > 0, costs.count == 4,
                costs.allSatisfy({ $0 > 0 })
            else { throw Failure("with \(row.sessions) sessions the figures are \(row)") }
        }
        let upgrade = try UpgradeCost.measure(upgrades: 1)
        guard upgrade.sent > 0, upgrade.lost == 0 else { throw Failure("the upgrade lost \(upgrade.lost) frames") }
        print("the bench works: \(run.samples.count) figures; found of \(run.invalid)")
    }

    private static let start = monotonicSeconds()

    private static func say(_ text: String) {
        let seconds = Int(monotonicSeconds() - start)
        FileHandle.standardError.write(Data("\(text), after \(seconds) s\n".utf8))
    }
}
