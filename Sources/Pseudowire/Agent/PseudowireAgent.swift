public import BPF

/// Keeps a document true, for as long as it runs: interfaces, addresses and routes come and go, and the pseudowires
/// with them.
///
/// ```swift
/// let agent = PseudowireAgent(in: .named("edge"), keeping: .file("/etc/pwctl/edge.json5"))
/// try await agent.run { event in print(event) }      // until agent.stop(), or the task is cancelled
/// ```
///
/// It looks at the whole when it starts, and then only when the kernel says that something has changed, when the file
/// does, when another command has changed pseudowires, and every ``Options/recheck``, for what nobody announces. An
/// idle agent makes no system call in between. Each pseudowire is made as soon as what it needs is there, whatever the
/// others wait for. When the agent stops, or is killed, the traffic flows on. One agent at a time keeps a namespace: a
/// second one is refused, unless it has a ``Options/deadline``.
///
/// The work is done on a thread of the agent's own, and the events are told there: return soon. Needs what
/// ``PseudowireManager`` needs.
public final class PseudowireAgent: Sendable {
    /// Where the document comes from.
    public enum Source: Hashable, Sendable {
        /// A file, read again when it changes. One that is not valid is told, and what it said before stays true.
        case file(String)
        /// A value; see ``PseudowireAgent/keep(_:)``.
        case document(PseudowireDocument)
    }

    /// How soon the agent acts, and how often it looks.
    public struct Options: Hashable, Sendable {
        /// How long nothing must happen before the agent looks: what happens together is looked at once.
        public var quiet: Duration = .milliseconds(50)
        /// After how long it looks in any case, however much goes on.
        public var longest: Duration = .milliseconds(500)
        /// How often it looks without being told: nobody announces that a path's MTU was learned or promiscuity
        /// switched off.
        public var recheck: Duration = .seconds(60)
        /// How long after a failure it tries again, twice as long after each further one.
        public var retry: Duration = .seconds(1)
        /// How long between two attempts at most.
        public var longestRetry: Duration = .seconds(60)
        /// How often it says that it is alive; nil: never.
        public var heartbeat: Duration?
        /// Ends when all pseudowires are up, or after this time.
        public var deadline: Duration?
        /// How long it waits for another command that changes pseudowires.
        public var patience: Duration? = .seconds(10)

        public init() {}
    }

    let namespace: NamespaceReference
    let source: Source
    let options: Options
    let fileSystem: String
    let mailbox: Mailbox

    /// An agent that is still to be run; nothing is looked at yet.
    ///
    /// - Parameter fileSystem: where the BPF file system is on which the state is pinned.
    public init(
        in namespace: NamespaceReference = .current, keeping source: Source, options: Options = Options(),
        fileSystem: String = BPFFileSystem.conventionalPath
    ) {
        self.namespace = namespace
        self.source = source
        self.options = options
        self.fileSystem = fileSystem
        mailbox = Mailbox()
    }

    /// Has it keep another document from now on; may be called from anywhere.
    public func keep(_ document: PseudowireDocument) { mailbox.post { $0.document = document } }

    /// Has it read its file again, and look at everything; may be called from anywhere.
    public func reload() { mailbox.post { $0.reloads = true } }

    /// Ends ``run(_:)``, when what is being changed is done; may be called from anywhere, also before.
    public func stop() { mailbox.post { $0.stops = true } }

    /// Keeps the document until it is stopped, or the task is cancelled.
    ///
    /// - Parameter report: called with each event, on the agent's thread.
    /// - Returns: what was known of the pseudowires at the end.
    /// - Throws: what prevents it from starting; or that the namespace is gone.
    @discardableResult
    public func run(_ report: @escaping @Sendable (AgentEvent) -> Void) async throws(PseudowireError) -> AgentOutcome {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // It never enters another namespace itself: the few calls that must be made there have short-lived
                // threads of their own.
                let started = PlainThread.start { continuation.resume(returning: self.runHere(report)) }
                if let started {
                    continuation.resume(returning: .failure(.system("start a thread", started)))
                }
            }
        } onCancel: {
            stop()
        }
        return try result.get()
    }

    /// The same on the calling thread, without concurrency.
    @discardableResult
    public func runBlocking(_ report: (AgentEvent) -> Void) throws(PseudowireError) -> AgentOutcome {
        var loop = try AgentLoop(self)
        return try loop.run(report)
    }

    private func runHere(_ report: (AgentEvent) -> Void) -> Result<AgentOutcome, PseudowireError> {
        Result { () throws(PseudowireError) in try runBlocking(report) }
    }
}

/// How things stood when an agent ended.
public struct AgentOutcome: Sendable {
    /// Every pseudowire that was not up, with the reason; all are up if there is none.
    public var unhealthy: [String: PseudowireStatus.Health]
    /// What could not be done at all.
    public var failures: [Kept.Failure]
    /// What prevented the last look altogether.
    public var error: PseudowireError?

    /// Whether the document was true, and all its pseudowires up.
    public var isHealthy: Bool { unhealthy.isEmpty && failures.isEmpty && error == nil }
}
