/// One thing that is wrong with what was asked for: where, what, and what would be right.
public struct ConfigurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of mistake it is; decides a command's exit status.
    public enum Kind: Hashable, Sendable {
        /// The words themselves: no machine would accept them. Exit status 64.
        case usage
        /// The words are right, but this machine is not as they assume. Exit status 1.
        case refusal
    }

    /// Whether the words are wrong, or this machine.
    public let kind: Kind
    /// The option, spelled as the command line spells it, without the dashes; in a document the way there, such as
    /// `pseudowires[3].session-id`.
    public var field: String
    /// The line where it stands in a document, from 1; nil if it comes from none.
    public let line: Int?
    /// The character of that line, from 1, counted in Unicode scalars; nil with `line`.
    public let column: Int?
    /// What is wrong and what would be right: one sentence, no full stop.
    public let message: String

    public init(_ kind: Kind, _ field: String, _ message: String, line: Int? = nil, column: Int? = nil) {
        self.kind = kind
        self.field = field
        self.message = message
        self.line = line
        self.column = column
    }

    public var description: String {
        let place = if let line, let column { "\(line):\(column): " } else { "" }
        return place + (field.isEmpty ? message : "\(field): \(message)")
    }

    /// Whether one of `others` is about the same option: then this one may come from a stand-in for a wrong word.
    func isAbout(_ others: [ConfigurationFault]) -> Bool { others.contains { $0.field == field } }
}

/// Everything that is wrong with one request, found together.
public struct ConfigurationFaults: Error, Sendable, CustomStringConvertible {
    /// One for each mistake.
    public let faults: [ConfigurationFault]

    public init(_ faults: [ConfigurationFault]) {
        self.faults = faults
    }

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
