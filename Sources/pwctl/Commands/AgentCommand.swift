internal import ArgumentParser
internal import Dispatch
internal import Logging
internal import Pseudowire
internal import ServiceLifecycle
internal import UnixSignals

struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Keep the pseudowires of a namespace those that a file describes.",
        discussion: """
            Makes each as soon as its interfaces are there, and puts it right when they, addresses or routes change. \
            Reads the file again when it changes and on SIGHUP; one that is not valid is reported and not used. Ends on \
            SIGTERM and SIGINT; the traffic flows on. Tells systemd how it is (Type=notify-reload, WatchdogSec=). \
            One agent at a time keeps a namespace: a second one is refused, unless it ends by itself (--once).
            """)

    @Argument(help: ArgumentHelp("The file, as 'apply' takes it.", valueName: "FILE"))
    var file: String

    @Flag(help: "End as soon as all pseudowires are up, or after --timeout; status 0 only if they are.")
    var once = false

    @Option(help: ArgumentHelp("With --once: how long to wait for that (default: 30).", valueName: "SECONDS"))
    var timeout: UInt16?

    @Flag(name: .long, help: "Write the log as JSON, one object a line.")
    var json = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if timeout != nil, !once { throw ValidationError("--timeout: has no meaning without --once") }
    }

    func run() throws {
        let handler = LineLogHandler(isJSON: json, logLevel: common.verbose ? .debug : .info)
        // Before anything else: a file that is wrong at the start is refused. Interfaces may come later.
        do throws(PseudowireError) { _ = try PseudowireDocument(contentsOf: file) } catch {
            throw refusal(error, handler)
        }
        let notifier = ServiceNotifier()
        var options = PseudowireAgent.Options()
        if once { options.deadline = .seconds(timeout ?? 30) }
        if let wait = common.wait { options.patience = .seconds(wait) }
        options.heartbeat = notifier?.watchdog.map { $0 / 2 }
        let agent = PseudowireAgent(in: common.namespace, keeping: .file(file), options: options)
        let ending = Self.serve(agent, notifier, handler)
        switch ending.value {
        case .success(let outcome):
            if once, !outcome.isHealthy { throw ExitCode.failure }
        case .failure(let error): throw refusal(error, handler)
        case nil: throw ExitCode.failure
        }
    }

    /// Says why it cannot go on, in the log if that is for a machine, and what status to end with.
    private func refusal(_ error: PseudowireError, _ handler: LineLogHandler) -> ExitCode {
        guard json else { return Report.tell(error, in: file) }
        let logger = Logger(label: "pwctl.agent") { _ in handler }
        for reason in Report.sentences(error, in: file) { logger.error("refused", metadata: ["reason": "\(reason)"]) }
        return Report.status(of: error)
    }

    /// Runs until it has ended; the main thread only waits.
    private static func serve(
        _ agent: PseudowireAgent, _ notifier: ServiceNotifier?, _ handler: LineLogHandler
    ) -> AgentEnding {
        let logger = Logger(label: "pwctl.agent") { _ in handler }
        let reporter = AgentReporter(logger, notifier)
        let ending = AgentEnding()
        // What the group itself has to say is of no interest to operators.
        var quiet = handler
        quiet.logLevel = .error
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(
                        service: AgentService(agent: agent, reporter: reporter, ending: ending),
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: ReloadService(agent: agent, reporter: reporter)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "pwctl.group") { [quiet] _ in quiet }))
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do { try await group.run() } catch { logger.error("ended", metadata: ["reason": "\(error)"]) }
            done.signal()
        }
        done.wait()
        return ending
    }
}
