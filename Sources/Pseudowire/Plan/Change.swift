/// What becomes of one pseudowire.
public enum Change: Hashable, Sendable, CustomStringConvertible {
    /// One of this name is made.
    case create(String)
    /// The one of this name goes.
    case remove(String)
    /// Options of it get other values, in place.
    case change(String, [Difference])
    /// It is what it was, but where it should be is not where it is: why, in a few words each.
    case place(String, [String])

    /// One option that gets another value; nil: the usual one.
    public struct Difference: Hashable, Sendable, CustomStringConvertible {
        /// Which option it is.
        public let option: PseudowireOption
        /// What it was, as the command line spells it, of lists the words with spaces between; nil: the usual value.
        public let before: String?
        /// What it becomes, spelled likewise; nil: the usual value.
        public let after: String?

        public var description: String { "\(option.rawValue) \(before ?? "unset") -> \(after ?? "unset")" }
    }

    /// The pseudowire that it is about.
    public var name: String {
        switch self {
        case .create(let name), .remove(let name), .change(let name, _), .place(let name, _): name
        }
    }

    public var description: String {
        switch self {
        case .create(let name): "create \(name)"
        case .remove(let name): "remove \(name)"
        case .change(let name, let differences):
            "change \(name): \(differences.map(\.description).joined(separator: ", "))"
        case .place(let name, let reasons): "put \(name) in its place: \(reasons.joined(separator: ", "))"
        }
    }

    /// In what two configurations of one pseudowire differ.
    static func differences(
        _ before: PseudowireConfiguration, _ after: PseudowireConfiguration
    ) -> [Difference] {
        let (old, new) = (PseudowireOptions(before), PseudowireOptions(after))
        func text(_ words: [String]) -> String? { words.isEmpty ? nil : words.joined(separator: " ") }
        return PseudowireOption.allCases.filter { old[$0] != new[$0] }
            .map { Difference(option: $0, before: text(old[$0]), after: text(new[$0])) }
    }
}
