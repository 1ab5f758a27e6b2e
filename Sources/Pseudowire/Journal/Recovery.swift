/// What became of a change that a command had begun when it died.
public struct Recovery: Sendable, CustomStringConvertible {
    /// What it had meant to do.
    public let changes: [Change]
    /// Whether it is all done now; else nothing of it is.
    public let isFinished: Bool
    /// Why it could not be done; nil where it is, and where the command itself was undoing it.
    public let reason: String?

    public var description: String {
        let list = Self.list(changes)
        if isFinished { return "finished what a command that died had begun: \(list)" }
        return "undid what a command that died had begun: \(list)\(reason.map { "; \($0)" } ?? "")"
    }

    /// No more of them than one can read.
    static func list(_ changes: [Change]) -> String {
        let words = changes.prefix(8).map(\.description).joined(separator: ", ")
        return switch changes.count {
        case 0: "unload the datapath"
        case ...8: words
        default: "\(words) and \(changes.count - 8) more"
        }
    }
}

/// A change that a command had begun when it died, and that nobody has finished or undone yet.
public struct Unfinished: Sendable, CustomStringConvertible {
    /// What it had meant to do.
    public let changes: [Change]
    /// Whether it was undoing it.
    public let isBeingUndone: Bool

    public var description: String {
        """
        a command died in the middle of a change (\(Recovery.list(changes))); \
        the next one that changes something \(isBeingUndone ? "undoes" : "finishes") it
        """
    }
}
