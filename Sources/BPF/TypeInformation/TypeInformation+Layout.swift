extension TypeInformation {
    /// How deep types may refer to types: beyond is a circle, or might as well be one.
    private static var depthLimit: Int { 32 }
    /// How many fields are looked at: nameless structures, two of each in the next, would otherwise multiply without
    /// end.
    private static var fieldLimit: Int { 4096 }

    /// The layout of a type, by its number.
    ///
    /// Fields of nameless structures and unions inside count as its own, as in C. What is no structure has no fields.
    public func layout(of id: Int) throws(Malformed) -> StructLayout {
        let resolved = try resolve(id)
        let type = try type(resolved)
        let name = try text(type.nameOffset, at: type.place)
        var fields: [StructLayout.Field] = []
        if type.kind == .structure || type.kind == .union {
            var seen = 0
            try collect(type, base: 0, depth: 0, into: &fields, seen: &seen)
        }
        return StructLayout(name: name, size: try size(of: resolved, depth: 0), fields: fields)
    }

    private func collect(
        _ type: Entry, base: Int, depth: Int, into fields: inout [StructLayout.Field], seen: inout Int
    ) throws(Malformed) {
        guard depth < Self.depthLimit else { throw Malformed("structures nested too deep", at: type.place) }
        for index in 0..<type.memberCount {
            let place = type.place + 12 + 12 * index
            seen += 1
            guard seen <= Self.fieldLimit else { throw Malformed("too many fields", at: place) }
            let nameOffset = try word(at: place)
            let memberType = try word(at: place + 4)
            let encoded = try word(at: place + 8)
            let bits = type.hasBitFields ? encoded & 0xff_ffff : encoded
            let width = type.hasBitFields ? encoded >> 24 : 0
            let name = try text(nameOffset, at: place)
            guard width > 0 || bits.isMultiple(of: 8) else { throw Malformed("a field at bit \(bits)", at: place) }
            let offset = base + bits / 8
            if name.isEmpty, width == 0 {
                let inner = try self.type(try resolve(memberType))
                if inner.kind == .structure || inner.kind == .union {
                    try collect(inner, base: offset, depth: depth + 1, into: &fields, seen: &seen)
                    continue
                }
            }
            let size = width > 0 ? 0 : try size(of: memberType, depth: 0)
            fields.append(.init(name: name, offset: offset, size: size, isBitField: width > 0))
        }
    }

    /// Follows names and qualifiers to the type that they stand for.
    private func resolve(_ id: Int) throws(Malformed) -> Int {
        var id = id
        for _ in 0..<Self.depthLimit {
            let type = try type(id)
            switch type.kind {
            case .typedef, .volatile, .const, .restrict, .typeTag: id = type.sizeOrType
            default: return id
            }
        }
        throw Malformed("types that refer to each other", at: try type(id).place)
    }

    private func size(of id: Int, depth: Int) throws(Malformed) -> Int {
        guard depth < Self.depthLimit else { throw Malformed("types that refer to each other", at: 0) }
        let type = try type(try resolve(id))
        switch type.kind {
        case .integer, .structure, .union, .enumeration, .enumeration64, .float, .dataSection: return type.sizeOrType
        case .pointer: return 8
        case .array:
            let element = try size(of: try word(at: type.place + 12), depth: depth + 1)
            let (size, overflow) = element.multipliedReportingOverflow(by: try word(at: type.place + 20))
            guard !overflow else { throw Malformed("an array without bounds", at: type.place) }
            return size
        default: throw Malformed("a type without a size", at: type.place)
        }
    }
}
