internal import BPF
internal import Glibc
internal import InternetAddress
internal import RouteNetlink
internal import SystemPackage

/// The agent at work: one thread that waits for something to happen, and looks at everything when it has.
struct AgentLoop {
    private let agent: PseudowireAgent
    private let manager: PseudowireManager
    private let monitor: RouteMonitor
    /// Nil where the kernel does not tell: before Linux 6.3.
    private let drivers: XDPFeatureMonitor?
    private let watch: DocumentWatch?
    /// Every command that changes pseudowires has a journal meanwhile; where filters stay, the kernel tells nobody of
    /// it.
    private let journal: DocumentWatch
    private var text: [UInt8] = []
    private var document: PseudowireDocument
    private var relevance = Relevance()
    private var schedule: LookSchedule
    private var ledger = AgentLedger()
    private let deadline: ContinuousClock.Instant?
    /// Who holds the lock by which agents know of each other, and is none.
    private let squatter: String?
    private var nextBeat: ContinuousClock.Instant?

    init(_ agent: PseudowireAgent) throws(PseudowireError) {
        self.agent = agent
        let now = ContinuousClock.now
        // A document that is not valid is no reason to touch anything.
        switch agent.source {
        case .document(let document):
            watch = nil
            self.document = document
        case .file(let path):
            watch = DocumentWatch(path, awaitsDirectory: true)
            text = try PseudowireDocument.octets(of: path)
            do throws(ConfigurationFaults) { document = try PseudowireDocument(parsing: text) } catch {
                throw .faults(error.faults)
            }
        }
        manager = try PseudowireManager(in: agent.namespace, fileSystem: agent.fileSystem)
        // One that ends when all is as it should be does not quarrel for ever.
        let owner = FileSystem.owner(of: manager.directory.base)
        squatter = agent.options.deadline == nil ? try AgentLock.take(manager.namespace, stateOwner: owner) : nil
        manager.patience = agent.options.patience
        journal = DocumentWatch(manager.directory.pin(Journal.name))
        // Its own journal is no news: what fails would have it try again at once.
        manager.onRelease = { [journal] in journal.renew() }
        let namespace = manager
        // Before the first look, so that nothing falls in between.
        monitor = try netlink { () throws(NetlinkError) in
            try RouteMonitor([.links, .addresses, .routes, .rules, .trafficControl], in: namespace.namespace)
        }
        drivers = try netlink { () throws(NetlinkError) in try XDPFeatureMonitor(in: namespace.namespace) }
        schedule = LookSchedule(agent.options, now: now)
        deadline = agent.options.deadline.map { now.advanced(by: $0) }
        nextBeat = agent.options.heartbeat.map { _ in now }
        relevance.watch(document)
    }

    mutating func run(_ report: (AgentEvent) -> Void) throws(PseudowireError) -> AgentOutcome {
        defer { AgentLock.release(manager.namespace) }
        report(.started(pseudowires: document.pseudowires.count))
        if let squatter { report(.unlocked(by: squatter)) }
        while true {
            let wishes = agent.mailbox.take()
            if wishes.stops { break }
            if let wanted = wishes.document { use(wanted, report) }
            // Of a link far up in its path nobody tells: whoever looks anyway reads it as well.
            let isDue = schedule.due <= .now
            if isDue { watch?.renew() }
            let hasChanged = watch?.take() ?? false
            if wishes.reloads || hasChanged || isDue { reload(isAsked: wishes.reloads, report) }
            var now = ContinuousClock.now
            if journal.take() { schedule.note(now) }
            if let beat = nextBeat, let pause = agent.options.heartbeat, beat <= now {
                report(.heartbeat)
                nextBeat = now.advanced(by: pause)
            }
            if schedule.due <= now {
                try look(report)
                now = .now
                if deadline != nil, ledger.outcome.isHealthy { break }
            }
            if let deadline, deadline <= now { break }
            sleep(until: [schedule.due, nextBeat, deadline].compactMap { $0 }.min() ?? schedule.due)
            try drain(report)
        }
        report(.stopped)
        return ledger.outcome
    }

    /// Brings the machine as near to the document as it goes.
    private mutating func look(_ report: (AgentEvent) -> Void) throws(PseudowireError) {
        try checkNamespace()
        let begun = ContinuousClock.now
        do throws(PseudowireError) {
            let kept = try manager.keep(document)
            // What comes now may have to wait for others, and fail; this is done.
            for change in kept.changes { report(.changed(change)) }
            let wires = try manager.pseudowires()
            let now = ContinuousClock.now
            schedule.looked(now, failed: !kept.failures.isEmpty)
            if !kept.failures.isEmpty { try drain(report, afterFailure: true) }
            relevance.used = try manager.usedInterfaces()
            ledger.note(kept, wires, retry: schedule.untilRetry(now), report)
            report(
                .looked(
                    up: ledger.count - ledger.outcome.unhealthy.count, pseudowires: ledger.count,
                    changes: kept.changes.count, waiting: kept.waiting.count, failures: kept.failures.count,
                    took: begun.duration(to: now)))
        } catch {
            let now = ContinuousClock.now
            schedule.looked(now, failed: true)
            try drain(report, afterFailure: true)
            ledger.note(error, retry: schedule.untilRetry(now), report)
        }
    }

    /// An agent whose namespace has lost its name must not keep on in what nobody can reach any more.
    private func checkNamespace() throws(PseudowireError) {
        guard agent.namespace != .current else { return }
        let reference = agent.namespace
        let inode = try? reference.open().inode
        guard inode == manager.namespace.inode else {
            throw .refused("the network namespace \(reference) is gone, or is another one now")
        }
    }

    private mutating func use(_ wanted: PseudowireDocument, _ report: (AgentEvent) -> Void) {
        document = wanted
        relevance.watch(wanted)
        schedule.hurry(.now)
        report(.reloaded(pseudowires: wanted.pseudowires.count))
    }

    private mutating func reload(isAsked: Bool, _ report: (AgentEvent) -> Void) {
        if isAsked { schedule.hurry(.now) }
        guard case .file(let path) = agent.source else { return }
        do throws(PseudowireError) {
            let read = try PseudowireDocument.octets(of: path)
            // An empty file is one that is being written.
            guard isAsked || read != text && !read.isEmpty else { return }
            text = read
            do throws(ConfigurationFaults) { use(try PseudowireDocument(parsing: read), report) } catch {
                throw .faults(error.faults)
            }
        } catch {
            // A name that is gone for a moment, while an editor gives it to another file, is told only once.
            if !isAsked, text.isEmpty { return }
            if case .system = error { text = [] }
            report(.rejected(error))
        }
    }

    /// Takes in what the kernel has told.
    ///
    /// - Parameter afterFailure: whether what this agent has done, and undone, is told among it.
    private mutating func drain(
        _ report: (AgentEvent) -> Void, afterFailure: Bool = false
    ) throws(PseudowireError) {
        let (monitor, drivers) = (monitor, drivers)
        while let event = try netlink({ () throws(NetlinkError) in try monitor.next() }) {
            if event == .resynchronise { report(.overrun) }
            let isEcho = afterFailure && relevance.isEcho(event)
            if relevance.matters(event), !isEcho { schedule.note(.now) }
        }
        guard let drivers else { return }
        while let event = try netlink({ () throws(NetlinkError) in try drivers.next() }) {
            if event == .resynchronise { report(.overrun) }
            if relevance.matters(event), !afterFailure || event == .resynchronise { schedule.note(.now) }
        }
    }

    private func sleep(until instant: ContinuousClock.Instant) {
        var descriptors = [
            pollfd(fd: agent.mailbox.fileDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: monitor.fileDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: drivers?.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: watch?.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: journal.fileDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        let time = ContinuousClock.now.duration(to: instant).components
        // A millisecond more than less: to wake too early would be to wake twice.
        let milliseconds = time.seconds < 0 ? 0 : time.seconds * 1000 + time.attoseconds / 1_000_000_000_000_000 + 1
        _ = poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: milliseconds))
    }
}
