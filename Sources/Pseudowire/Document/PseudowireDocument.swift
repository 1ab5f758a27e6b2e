internal import JSON5

/// All pseudowires of a namespace as one text: JSON5 whose keys are the command line's option names.
///
/// ```swift
/// let document = try PseudowireDocument(parsing: """
///     { pseudowires: [
///         { name: "pw0", access: "eth1", local: "192.0.2.21", peer: "192.0.2.22",
///           "session-id": 1012, "peer-session-id": 1021 },
///     ] }
///     """)
/// try manager.execute(try manager.plan(applying: document))
/// ```
public struct PseudowireDocument: Hashable, Sendable {
    /// In the order of the text.
    ///
    /// Others of the namespace go when it is applied, unless they are asked to be kept.
    public var pseudowires: [PseudowireConfiguration]
    /// How many pseudowires there can be in the namespace; nil: what holds already, or the usual limit.
    public var maxSessions: UInt32?
    /// Where each stands in the text that it was read from.
    var places = DocumentPlaces()

    public init(_ pseudowires: [PseudowireConfiguration], maxSessions: UInt32? = nil) {
        self.pseudowires = pseudowires
        self.maxSessions = maxSessions
    }

    /// Reads and checks a whole text.
    ///
    /// - Throws: everything that is wrong with it, each fault with its place.
    public init(parsing text: String) throws(ConfigurationFaults) {
        try self.init(parsing: Array(text.utf8))
    }

    /// The same of octets as they were read.
    public init(parsing text: [UInt8]) throws(ConfigurationFaults) {
        var reader = DocumentReader()
        reader.read(text)
        guard reader.faults.isEmpty else { throw ConfigurationFaults(reader.faults) }
        self.init(reader.pseudowires, maxSessions: reader.maxSessions)
        places = reader.places
    }

    /// As text: JSON, and so JSON5; options that have their usual value are left out.
    public var text: String {
        var lines: [String] = []
        if let maxSessions { lines.append("  \"max-sessions\": \(maxSessions)") }
        let wires = pseudowires.map { wire in
            let options = PseudowireOptions(wire)
            var members = ["\"name\": \(JSON5.quoted(wire.name))"]
            for option in PseudowireOption.allCases where !options[option].isEmpty {
                members.append("\(JSON5.quoted(option.rawValue)): \(Self.value(option, options[option]))")
            }
            return "    { \(members.joined(separator: ", ")) }"
        }
        lines.append(
            wires.isEmpty ? "  \"pseudowires\": []" : "  \"pseudowires\": [\n\(wires.joined(separator: ",\n"))\n  ]")
        return "{\n\(lines.joined(separator: ",\n"))\n}\n"
    }

    private static func value(_ option: PseudowireOption, _ words: [String]) -> String {
        if option.isList { return "[\(words.map(JSON5.quoted).joined(separator: ", "))]" }
        let word = words.first ?? ""
        return option.takesNumbers && UInt64(word) != nil ? word : JSON5.quoted(word)
    }
}
