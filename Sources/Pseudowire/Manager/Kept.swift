/// How near a machine has come to a document.
public struct Kept: Sendable {
    /// What had to be changed.
    public internal(set) var changes: [Change] = []
    /// What this machine lacks.
    public internal(set) var waiting: [Waiting] = []
    /// What the kernel refused.
    public internal(set) var failures: [Failure] = []

    /// One pseudowire that could not be changed; it is as it was.
    public struct Failure: Sendable, CustomStringConvertible {
        /// The pseudowire's name.
        public let name: String
        /// Why it could not be changed; an agent tries again.
        public let error: PseudowireError

        public var description: String { "\(name): \(error)" }
    }

    public init() {}
}
