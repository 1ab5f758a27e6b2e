extension Scanner {
    /// The whole text: one value.
    mutating func document() -> JSON5Node? {
        skipBlanks()
        guard next != nil else {
            if !hasGivenUp { fault("there is nothing here; a value is needed, such as { … }") }
            return nil
        }
        let node = value(depth: 0)
        skipBlanks()
        if next != nil { fault("\(nextInWords), behind the end of the value; remove it") }
        return node
    }

    mutating func value(depth: Int) -> JSON5Node {
        let start = position
        let value: JSON5Value
        switch next {
        case "{": value = object(depth: depth)
        case "[": value = array(depth: depth)
        case "\"", "'": value = string().map(JSON5Value.string) ?? .invalid
        case let scalar? where scalar.isDigit || ["+", "-", "."].contains(scalar): value = number()
        case let scalar? where scalar.beginsName || scalar == "\\": value = word()
        default:
            if !hasGivenUp { fault("a value is needed, but \(nextInWords)") }
            value = .invalid
            // What stands here cannot begin a value; behind it there may be something that can be made out.
            if let next, !",]}".unicodeScalars.contains(next) { advance() }
        }
        return JSON5Node(value: value, position: start)
    }

    private mutating func isTooDeep(_ depth: Int) -> Bool {
        guard depth >= JSON5.maximumDepth else { return false }
        fault("this is nested more than \(JSON5.maximumDepth) deep")
        giveUp()
        return true
    }

    private mutating func array(depth: Int) -> JSON5Value {
        guard !isTooDeep(depth) else { return .invalid }
        let start = position
        advance()
        var elements: [JSON5Node] = []
        while true {
            skipBlanks()
            if take("]") { return .array(elements) }
            guard goesOn(in: "array", from: start, ending: "]") else { return .array(elements) }
            elements.append(value(depth: depth + 1))
            separate("]")
        }
    }

    private mutating func object(depth: Int) -> JSON5Value {
        guard !isTooDeep(depth) else { return .invalid }
        let start = position
        advance()
        var members: [JSON5Member] = []
        var known: [String: JSON5Position] = [:]
        while true {
            skipBlanks()
            if take("}") { return .object(members) }
            guard goesOn(in: "object", from: start, ending: "}") else { return .object(members) }
            let place = position
            let key = key()
            skipBlanks()
            if !take(":") {
                if !hasGivenUp, key != nil { fault("a ':' is needed behind the key, but \(nextInWords)") }
                skipToSeparator()
                separate("}")
                continue
            }
            skipBlanks()
            let node = value(depth: depth + 1)
            if let key, let first = known[key] {
                fault("the key \"\(key)\" is there twice; the first one is at \(first)", at: place)
            } else if let key {
                known[key] = place
                members.append(JSON5Member(key: key, position: place, node: node))
            }
            separate("}")
        }
    }

    /// Whether there is more; says where what was not ended begins.
    private mutating func goesOn(in kind: String, from start: JSON5Position, ending end: Character) -> Bool {
        if next != nil { return true }
        if !hasGivenUp {
            fault("the \(kind) that begins here does not end; end it with '\(end)'", at: start)
            giveUp()
        }
        return false
    }

    /// A comma, or the end; a comma that was forgotten is reported and taken for written.
    private mutating func separate(_ end: Unicode.Scalar) {
        skipBlanks()
        if next == nil || next == end || take(",") { return }
        let place = position
        if let next, next == "]" || next == "}" {
            fault("'\(Character(end))' is needed, but \(nextInWords)", at: place)
            giveUp()
            return
        }
        fault("',' or '\(Character(end))' is needed, but \(nextInWords)", at: place)
        if let next, next.beginsName || "\"'{[".unicodeScalars.contains(next) || next.isDigit { return }
        skipToSeparator()
        _ = take(",")
    }

    /// To the next comma or closing bracket.
    private mutating func skipToSeparator() {
        while let scalar = next, !",]}".unicodeScalars.contains(scalar) { advance() }
    }

    /// With quotes or without; nil after a fault.
    private mutating func key() -> String? {
        guard let first = next else { return nil }
        if first == "\"" || first == "'" { return string() }
        guard first.beginsName || first == "\\" else {
            fault("a key is needed, but \(nextInWords)")
            return nil
        }
        let start = position
        guard let name = name() else { return nil }
        guard next == "-" else { return name }
        // The mistake that everybody makes once.
        var whole = name
        while let scalar = next, scalar == "-" || scalar.continuesName {
            whole.unicodeScalars.append(scalar)
            advance()
        }
        fault("a key with '-' in it needs quotes: \(JSON5.quoted(whole))", at: start)
        return whole
    }
}
