internal import JSON5

/// Where the pseudowires of a document stand in its text, and their options.
///
/// No part of what a document says: all are equal.
struct DocumentPlaces: Hashable, Sendable {
    private var wires: [(start: JSON5Position, members: [String: JSON5Position])] = []

    mutating func add(_ start: JSON5Position, members: [String: JSON5Position]) {
        wires.append((start, members))
    }

    /// The place of an option, or that of its pseudowire if it is not written down; nil if the text is unknown.
    func position(of option: String, at index: Int) -> JSON5Position? {
        guard wires.indices.contains(index) else { return nil }
        return wires[index].members[option] ?? wires[index].start
    }

    static func == (_: DocumentPlaces, _: DocumentPlaces) -> Bool { true }
    func hash(into _: inout Hasher) {}
}

extension PseudowireDocument {
    /// What a machine has against one of the pseudowires, with the pseudowire's name and its place in the text.
    func located(_ fault: ConfigurationFault, at index: Int) -> ConfigurationFault {
        let key = fault.field == "NAME" ? "name" : fault.field
        let position = places.position(of: key, at: index)
        return ConfigurationFault(
            fault.kind, "pseudowires[\(index)].\(key)", "\(pseudowires[index].name): \(fault.message)",
            line: position?.line, column: position?.column)
    }
}
