/// Where the fields of a structure lie: what two programs must agree on that share a map.
///
/// ```swift
/// let port = StructLayout.of(pw_port.self)
///     .field("flags", \.flags).field("reserved", \.reserved).field("name", \.name).layout
/// let differences = port.differences(from: try file.valueLayout(ofMap: "ports"))
/// ```
public struct StructLayout: Sendable, Equatable {
    /// A field, by its name in C.
    public struct Field: Sendable, Equatable {
        /// The name in C; empty for a bit-field that has none.
        public let name: String
        /// Octets from the structure's beginning; of a bit-field the octet in which it begins.
        public let offset: Int
        /// Octets; zero of a bit-field.
        public let size: Int
        /// Whether it is counted in bits, of which only the place of the first is known here.
        public let isBitField: Bool

        public init(name: String, offset: Int, size: Int, isBitField: Bool = false) {
            self.name = name
            self.offset = offset
            self.size = size
            self.isBitField = isBitField
        }
    }

    /// Empty if it has none; not compared.
    public let name: String
    /// Octets, with the padding at its end.
    public let size: Int
    /// In the order of declaration; those of nameless structures and unions inside count as its own.
    public let fields: [Field]

    public init(name: String, size: Int, fields: [Field]) {
        self.name = name
        self.size = size
        self.fields = fields
    }

    /// Everything in which `other` is not laid out like this, in the order of fields.
    public func differences(from other: StructLayout) -> [LayoutDifference] {
        var differences: [LayoutDifference] = []
        if size != other.size { differences.append(.size(expected: size, found: other.size)) }
        for field in fields {
            guard let found = other.fields.first(where: { $0.name == field.name }) else {
                differences.append(.missing(field.name))
                continue
            }
            if found.isBitField != field.isBitField { differences.append(.bitField(field.name)) }
            if found.offset != field.offset {
                differences.append(.offset(field.name, expected: field.offset, found: found.offset))
            }
            if found.size != field.size, found.isBitField == field.isBitField {
                differences.append(.fieldSize(field.name, expected: field.size, found: found.size))
            }
        }
        let known = Set(fields.map(\.name))
        differences += other.fields.filter { !known.contains($0.name) }.map { .unexpected($0.name) }
        return differences
    }
}

/// One thing in which a structure is not laid out as expected.
public enum LayoutDifference: Sendable, Equatable, CustomStringConvertible {
    /// The structure as a whole, in octets.
    case size(expected: Int, found: Int)
    /// A field that was expected and is not there.
    case missing(String)
    /// A field that is there and was not expected.
    case unexpected(String)
    /// Where a field begins, in octets from the structure's beginning.
    case offset(String, expected: Int, found: Int)
    /// How long a field is, in octets.
    case fieldSize(String, expected: Int, found: Int)
    /// A bit-field on one side only.
    case bitField(String)

    public var description: String {
        switch self {
        case .size(let expected, let found): "it has \(found) octets, not \(expected)"
        case .missing(let name): "\(name) is missing"
        case .unexpected(let name): "\(name) is not expected"
        case .offset(let name, let expected, let found): "\(name) lies at octet \(found), not \(expected)"
        case .fieldSize(let name, let expected, let found): "\(name) has \(found) octets, not \(expected)"
        case .bitField(let name): "\(name) is a bit-field on one side only"
        }
    }
}

/// Puts a `StructLayout` together from a type that Swift knows.
extension StructLayout {
    /// Describes `Value`, without fields yet.
    public static func of<Value>(_ type: Value.Type) -> Description<Value> {
        Description(layout: StructLayout(name: "\(type)", size: MemoryLayout<Value>.size, fields: []))
    }

    /// A layout to which the fields of a Swift type are added one by one.
    public struct Description<Value>: Sendable {
        /// The layout with the fields added so far.
        public let layout: StructLayout

        /// Adds a stored property; one that is not stored in place is left out, and then missed when compared.
        public func field<Part>(_ name: String, _ path: KeyPath<Value, Part>) -> Description {
            guard let offset = MemoryLayout<Value>.offset(of: path) else { return self }
            let field = Field(name: name, offset: offset, size: MemoryLayout<Part>.size)
            return Description(
                layout: StructLayout(name: layout.name, size: layout.size, fields: layout.fields + [field]))
        }
    }
}
