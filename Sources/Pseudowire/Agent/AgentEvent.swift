/// What an agent tells.
public enum AgentEvent: Sendable, CustomStringConvertible {
    /// It watches from now on.
    case started(pseudowires: Int)
    /// Somebody who can have no agent here holds the lock by which agents know of each other: another one would not be
    /// noticed.
    case unlocked(by: String)
    /// The document was read again, or replaced.
    case reloaded(pseudowires: Int)
    /// The new document is not valid, or not there; what it said before stays true.
    case rejected(PseudowireError)
    /// It has changed something.
    case changed(Change)
    /// A pseudowire cannot be what it should be yet: why.
    case waiting(Waiting)
    /// A pseudowire's health is another one than it was.
    case health(String, PseudowireStatus.Health)
    /// The kernel refused something for one pseudowire; it is tried again.
    case failed(Kept.Failure, retry: Duration)
    /// Nothing could be done at all; it is tried again.
    case troubled(PseudowireError, retry: Duration)
    /// Notifications were lost: everything is looked at again.
    case overrun
    /// It has looked at everything: how many pseudowires there are, those that wait included, and how many of them are
    /// up.
    case looked(up: Int, pseudowires: Int, changes: Int, waiting: Int, failures: Int, took: Duration)
    /// It is alive, as often as it was asked to say so.
    case heartbeat
    /// It ends; the traffic flows on.
    case stopped

    /// The pseudowire that it is about, if it is about one.
    public var pseudowire: String? {
        switch self {
        case .changed(let change): change.name
        case .waiting(let waiting): waiting.name
        case .health(let name, _): name
        case .failed(let failure, _): failure.name
        default: nil
        }
    }

    public var description: String {
        switch self {
        case .started(let count): "keeping \(count) pseudowires"
        case .unlocked(let holder): "\(holder) holds the lock of this namespace; another agent would not be noticed"
        case .reloaded(let count): "new document, \(count) pseudowires"
        case .rejected(let error): "the document is not valid and is not used: \(error)"
        case .changed(let change): change.description
        case .waiting(let waiting): "\(waiting.name) waits: \(waiting.reason)"
        case .health(let name, let health): "\(name) is \(health)"
        case .failed(let failure, let retry): "\(failure); next attempt in \(retry)"
        case .troubled(let error, let retry): "\(error); next attempt in \(retry)"
        case .overrun: "notifications were lost; looking at everything"
        case .looked(let up, let count, let changes, let waiting, let failures, let took):
            """
            looked at everything in \(took): \(up) of \(count) up, \(changes) changes, \(waiting) waiting, \(failures) failures
            """
        case .heartbeat: "alive"
        case .stopped: "stopped; the traffic flows on"
        }
    }
}
