internal import Logging
internal import Pseudowire
internal import Synchronization

/// Turns an agent's events into lines of a log, and into what a service manager wants to know.
final class AgentReporter: Sendable {
    private struct State {
        /// How many pseudowires are up, and how many there are, as of the last look.
        var counts = (up: 0, all: 0)
        /// Whether a reload was asked for; and whether its document has been read.
        var reload: (isAsked: Bool, isRead: Bool) = (false, false)
        var isReady = false
        var status = ""
    }

    private let logger: Logger
    private let notifier: ServiceNotifier?
    private let state = Mutex(State())

    init(_ logger: Logger, _ notifier: ServiceNotifier?) {
        self.logger = logger
        self.notifier = notifier
    }

    /// Somebody wants the file to be read again.
    func reloads() {
        state.withLock { $0.reload = (true, false) }
        notifier?.reloading()
    }

    func report(_ event: AgentEvent) {
        log(event)
        guard let notifier else { return }
        switch event {
        case .heartbeat: notifier.alive()
        case .stopped: notifier.stopping()
        case .reloaded, .rejected: state.withLock { $0.reload.isRead = true }
        case .looked(let up, let all, _, _, let failures, _):
            state.withLock { $0.counts = (up, all) }
            tell(notifier, failures == 0 ? "" : "; \(failures) failures")
        case .troubled(let error, _): tell(notifier, "; \(error)")
        default: break
        }
    }

    private func tell(_ notifier: ServiceNotifier, _ trouble: String) {
        let (isReady, status) = state.withLock { state -> (Bool, String?) in
            let text = "\(state.counts.up) of \(state.counts.all) pseudowires up\(trouble)"
            let finishesReload = state.reload.isAsked && state.reload.isRead
            if finishesReload { state.reload = (false, false) }
            let isReady = !state.isReady || finishesReload
            state.isReady = true
            defer { state.status = text }
            return (isReady, text == state.status ? nil : text)
        }
        if isReady {
            notifier.ready(status: status ?? state.withLock(\.status))
        } else if let status {
            notifier.status(status)
        }
    }

    private func log(_ event: AgentEvent) {
        func say(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata = [:]) {
            var metadata = metadata
            if let name = event.pseudowire { metadata["pseudowire"] = "\(name)" }
            logger.log(level: level, message, metadata: metadata)
        }
        switch event {
        case .started(let count): say(.notice, "started", ["pseudowires": .stringConvertible(count)])
        case .unlocked(let holder): say(.warning, "another agent would not be noticed", ["lock": "\(holder)"])
        case .reloaded(let count): say(.notice, "document read", ["pseudowires": .stringConvertible(count)])
        case .rejected(let error):
            guard case .faults(let faults) = error else {
                return say(.error, "document refused", ["reason": "\(error)"])
            }
            for fault in faults { say(.error, "document refused", ["reason": "\(fault)"]) }
        case .changed(let change): say(.notice, "changed", ["change": "\(change)"])
        case .waiting(let waiting):
            var metadata: Logger.Metadata = ["reason": "\(waiting.reason)"]
            if let line = waiting.place.line { metadata["line"] = .stringConvertible(line) }
            say(.warning, "waiting", metadata)
        case .health(_, let health):
            say(
                health.state == .up ? .info : .warning, "health",
                ["state": "\(health.state.rawValue)", "reason": "\(health.sentence)"])
        case .failed(let failure, let retry):
            say(.error, "failed", ["reason": "\(failure.error)", "retry": "\(retry)"])
        case .troubled(let error, let retry): say(.error, "trouble", ["reason": "\(error)", "retry": "\(retry)"])
        case .overrun: say(.warning, "notifications lost")
        case .looked(let up, let all, let changes, let waiting, let failures, let took):
            say(
                .debug, "looked",
                [
                    "up": .stringConvertible(up), "pseudowires": .stringConvertible(all),
                    "changes": .stringConvertible(changes), "waiting": .stringConvertible(waiting),
                    "failures": .stringConvertible(failures),
                    "took-ms": .stringConvertible(took / .milliseconds(1)),
                ])
        case .heartbeat: say(.trace, "alive")
        case .stopped: say(.notice, "stopped")
        }
    }
}
