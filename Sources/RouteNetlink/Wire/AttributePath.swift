/// Turns the kernel's offset into a request back into the names that lead to it.
///
/// ```swift
/// AttributePath.name(at: 60, in: request.bytes, .link)   // "IFLA_LINKINFO.IFLA_INFO_KIND"
/// ```
enum AttributePath {
    /// Adds the attribute at fault, and the one that is missing, to an error.
    static func annotate(_ error: inout NetlinkError, with answer: ExtendedAcknowledgement, request: [UInt8]) {
        guard let schema = AttributeSchema.of(request) else { return }
        if let offset = answer.offset {
            error.attributePath = name(at: Int(offset), in: request, schema)
        }
        if let type = answer.missingType {
            if let nest = answer.missingNest {
                let found = walk(to: Int(nest), in: request, schema)
                error.missingAttribute = (found.names + [found.inside?.name(Int(type)) ?? "attribute \(type)"])
                    .joined(separator: ".")
            } else {
                error.missingAttribute = schema.name(Int(type))
            }
        }
    }

    /// The names of the attributes around `offset`, outermost first, joined by dots; nil when it lies in none.
    static func name(at offset: Int, in request: [UInt8], _ schema: AttributeSchema) -> String? {
        let names = walk(to: offset, in: request, schema).names
        return names.isEmpty ? nil : names.joined(separator: ".")
    }

    /// Descends into the attribute that spans `target` until one begins there, or contains nothing that we know.
    private static func walk(
        to target: Int, in request: [UInt8], _ schema: AttributeSchema
    ) -> (names: [String], inside: AttributeSchema?) {
        var names: [String] = []
        var schema = schema
        var position = Request.headerLength + schema.headerLength
        var end = request.count
        descent: while true {
            var kind: String?
            while position + 4 <= end {
                let length = Int(request[position]) | Int(request[position + 1]) << 8
                let type = (Int(request[position + 2]) | Int(request[position + 3]) << 8) & 0x3fff
                guard length >= 4, position + length <= end else { return (names, nil) }
                if type == 1 {
                    kind = String(decoding: request[position + 4..<position + length].prefix { $0 != 0 }, as: UTF8.self)
                }
                if target >= position, target < position + length {
                    names.append(schema.name(type))
                    let inside = schema.inside(type, kind)
                    guard target > position, let inside else { return (names, inside) }
                    schema = inside
                    end = position + length
                    position += 4 + inside.headerLength
                    continue descent
                }
                position += (length + 3) & ~3
            }
            return (names, nil)
        }
    }
}

extension AttributeSchema {
    /// What the attribute `type` contains, where its sibling names `kind`.
    fileprivate func inside(_ type: Int, _ kind: String?) -> AttributeSchema? {
        switch contents[type] {
        case .nest(let schema): schema
        case .byKind(let schemas): kind.flatMap { schemas[$0] }
        case nil: nil
        }
    }
}
