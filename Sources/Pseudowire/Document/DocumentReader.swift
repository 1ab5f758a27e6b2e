internal import InternetAddress
internal import JSON5
internal import L2TP

/// Finds out what a document means, and everything that is wrong with it.
struct DocumentReader {
    private(set) var pseudowires: [PseudowireConfiguration] = []
    private(set) var places = DocumentPlaces()
    private(set) var maxSessions: UInt32?
    private(set) var faults: [ConfigurationFault] = []
    /// What else speaks against a pseudowire, in which there are stand-ins for what could not be understood.
    private let objections: (PseudowireConfiguration) -> [ConfigurationFault]
    private var names: [String: String] = [:]
    private var sessions: [SessionID: String] = [:]
    private var accesses: [Access: Users] = [:]

    /// An interface that is made with a pseudowire may be another one's access interface, as any other.
    private struct Access: Hashable {
        let isMade: Bool
        let name: String
    }

    /// Who carries what of an access interface.
    private struct Users {
        typealias User = (vlan: PseudowireConfiguration.VLANSelection, path: String)
        let first: User
        var paths: [PseudowireConfiguration.VLANSelection: String]

        /// One with whom another cannot share it.
        func rival(of wire: PseudowireConfiguration) -> User? {
            if wire.makesInterface || wire.vlan == .any { return first }
            if let path = paths[wire.vlan] { return (wire.vlan, path) }
            return paths[.any].map { (.any, $0) }
        }
    }

    init(_ objections: @escaping (PseudowireConfiguration) -> [ConfigurationFault] = { _ in [] }) {
        self.objections = objections
    }

    mutating func fault(
        _ path: String, _ message: String, _ position: JSON5Position, _ kind: ConfigurationFault.Kind = .usage
    ) {
        faults.append(
            ConfigurationFault(kind, path, Self.withoutDashes(message), line: position.line, column: position.column))
    }

    /// A whole text.
    mutating func read(_ text: [UInt8]) {
        let (node, syntax) = JSON5.read(text)
        for fault in syntax { self.fault("", fault.message, fault.position) }
        if let node { read(node) }
    }

    private mutating func read(_ node: JSON5Node) {
        guard case .object(let members) = node.value else {
            if node.value != .invalid { fault("", "an object is needed: { pseudowires: [ … ] }", node.position) }
            return
        }
        for member in members {
            switch member.key {
            case "pseudowires": readList(member.node)
            case "max-sessions": readLimit(member.node)
            default: unknown(member, "", ["pseudowires", "max-sessions"])
            }
        }
        if !members.contains(where: { $0.key == "pseudowires" }), faults.isEmpty {
            fault("", "\"pseudowires\" is missing: { pseudowires: [ … ] }, an empty list for none", node.position)
        }
    }

    private mutating func readLimit(_ node: JSON5Node) {
        var options = PseudowireOptions(name: "")
        switch node.value {
        case .string(let text): options.maxSessions = text
        case .number(let number): options.maxSessions = number.text
        case .invalid: return
        default: return fault("max-sessions", "must be a number from 1 to 16777216", node.position)
        }
        let (_, limit, faults) = options.read()
        maxSessions = limit
        for found in faults where found.field == "max-sessions" {
            fault("max-sessions", found.message, node.position)
        }
    }

    private mutating func readList(_ node: JSON5Node) {
        guard case .array(let elements) = node.value else {
            if node.value != .invalid { fault("pseudowires", "a list is needed: [ { name: … }, … ]", node.position) }
            return
        }
        for (index, element) in elements.enumerated() { readWire(element, "pseudowires[\(index)]") }
    }

    private mutating func readWire(_ node: JSON5Node, _ path: String) {
        guard case .object(let members) = node.value else {
            if node.value != .invalid { fault(path, "an object is needed: { name: …, access: … }", node.position) }
            return
        }
        var options = PseudowireOptions(name: "")
        var positions: [String: JSON5Position] = [:]
        var broken: Set<String> = []
        for member in members {
            positions[member.key] = member.node.position
            if member.key == "name" {
                if case .string(let name) = member.node.value {
                    options.name = name
                } else {
                    broken.insert("name")
                    wrongType(member, path, "a text in quotes")
                }
            } else if let option = PseudowireOption(rawValue: member.key) {
                if let words = words(member, option, path) {
                    options[option] = words
                } else {
                    broken.insert(member.key)
                }
            } else {
                unknown(member, path + ".", ["name"] + PseudowireOption.allCases.map(\.rawValue))
            }
        }
        let before = faults.count
        if positions["name"] == nil {
            broken.insert("name")
            fault("\(path).name", "is missing; \(PseudowireConfiguration.names)", node.position)
        }
        let (configuration, _, found) = options.read()
        for found in found + objections(configuration).filter({ !$0.isAbout(found) }) {
            let key = found.field == "NAME" ? "name" : found.field
            guard !broken.contains(key) else { continue }
            fault("\(path).\(key)", found.message, positions[key] ?? node.position, found.kind)
        }
        checkAgainstOthers(configuration, path, positions, broken, node.position)
        if faults.count == before, broken.isEmpty {
            pseudowires.append(configuration)
            places.add(node.position, members: positions)
        }
    }

    /// What each of two may have, but not both.
    private mutating func checkAgainstOthers(
        _ wire: PseudowireConfiguration, _ path: String, _ places: [String: JSON5Position], _ broken: Set<String>,
        _ start: JSON5Position
    ) {
        if !wire.name.isEmpty, let other = names.updateValue(path, forKey: wire.name) {
            fault(
                "\(path).name", "\"\(wire.name)\" is the name of \(other) already; choose another",
                places["name"] ?? start)
        }
        if let place = places["session-id"], !broken.contains("session-id"),
            !faults.contains(where: { $0.field == "\(path).session-id" }),
            let other = sessions.updateValue(path, forKey: wire.session.local)
        {
            fault(
                "\(path).session-id", "\(wire.session.local) is the session of \(other) already; choose another", place)
        }
        let field = wire.accessField
        guard let place = places[field], !broken.contains(field) else { return }
        let access = Access(isMade: wire.makesInterface, name: wire.access)
        if let other = accesses[access]?.rival(of: wire) {
            fault(
                "\(path).\(field)",
                "\(other.path) carries \(other.vlan.phrase) of \(wire.access) already; give each a vlan of its own",
                place)
        }
        if accesses[access] == nil { accesses[access] = Users(first: (wire.vlan, path), paths: [:]) }
        if accesses[access]?.paths[wire.vlan] == nil { accesses[access]?.paths[wire.vlan] = path }
    }

    /// The words that a value stands for; nil after a fault.
    private mutating func words(_ member: JSON5Member, _ option: PseudowireOption, _ path: String) -> [String]? {
        switch member.node.value {
        case .string(let text): return [text]
        case .number(let number) where option.takesNumbers:
            return [number.text]
        case .array(let elements) where option.isList:
            var words: [String] = []
            for element in elements {
                guard case .string(let text) = element.value else {
                    wrongType(
                        .init(key: member.key, position: member.position, node: element), path, "a text in quotes")
                    return nil
                }
                words.append(text)
            }
            return words
        case .invalid: return nil
        default:
            let needed =
                option.isList
                ? "a text in quotes, or a list of them"
                : option.takesNumbers ? "a number or a text in quotes" : "a text in quotes"
            wrongType(member, path, needed)
            return nil
        }
    }

    private mutating func wrongType(_ member: JSON5Member, _ path: String, _ needed: String) {
        let found: String? =
            switch member.node.value {
            case .null: "null"
            case .boolean(let value): "\(value)"
            case .number(let number): "the number \(number.text)"
            case .string: "a text"
            case .array: "a list"
            case .object: "an object"
            case .invalid: nil
            }
        guard let found else { return }
        fault("\(path).\(member.key)", "is \(found); \(needed) is needed", member.node.position)
    }

    private mutating func unknown(_ member: JSON5Member, _ prefix: String, _ known: [String]) {
        let nearest = known.min { Self.distance($0, member.key) < Self.distance($1, member.key) } ?? ""
        fault(prefix + member.key, "is no key; the nearest is \"\(nearest)\"", member.position)
    }

    /// How many letters must be changed, added or taken away (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8.prefix(64))
        var row = Array(0...right.count)
        for (index, letter) in left.utf8.prefix(64).enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }

    /// Sentences speak of options as the command line spells them; a document's keys have no dashes before them.
    private static func withoutDashes(_ message: String) -> String {
        message.split(separator: " ", omittingEmptySubsequences: false)
            .map { word in
                let rest = word.dropFirst(2)
                let name = rest.prefix { $0.isLetter || $0 == "-" }
                return word.hasPrefix("--") && PseudowireOption(rawValue: String(name)) != nil ? rest : word
            }
            .joined(separator: " ")
    }
}
