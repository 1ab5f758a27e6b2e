/// A pseudowire of a document that cannot be what it should be yet, and why.
public struct Waiting: Hashable, Sendable, CustomStringConvertible {
    /// The pseudowire's name in the document.
    public let name: String
    /// One sentence, no full stop.
    public let reason: String
    /// The same with the place in the document.
    public let place: ConfigurationFault

    public var description: String { place.description }
}
