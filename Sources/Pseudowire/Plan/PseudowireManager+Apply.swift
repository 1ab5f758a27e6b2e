internal import CPseudowireObject

extension PseudowireManager {
    /// What it takes to have exactly the pseudowires that a document describes; an empty plan if they are there.
    ///
    /// Those that are there and differ are changed in place: no frame meets a moment without them. Those that do not
    /// differ, but are not where their interfaces are today, are put in their place again; where that is not possible
    /// they stay, and wait. Filters, qdiscs and interfaces that are not ours are not looked at.
    ///
    /// - Parameter keepsOthers: pseudowires that the document does not describe stay; else they are removed.
    public func plan(
        applying document: PseudowireDocument, keepsOthers: Bool = false
    ) throws(PseudowireError) -> Plan {
        try plan(document, .make, removesOthers: !keepsOthers).plan
    }

    /// What it takes to change one pseudowire in place.
    ///
    /// - Parameters:
    ///   - changes: the options that get another value, and the pseudowire's name.
    ///   - unset: the options that get their usual value.
    public func plan(
        changing changes: PseudowireOptions, unset: [PseudowireOption] = []
    ) throws(PseudowireError) -> Plan {
        try directory.checkFileSystem()
        let existing = try records(openState())
        guard let record = existing.first(where: { $0.configuration.name == changes.name }) else {
            throw .faults([Self.unknown(changes.name, among: existing.map(\.configuration.name))])
        }
        let contradictions = unset.filter { !(changes[$0].isEmpty) }
        guard contradictions.isEmpty else {
            throw .faults(
                contradictions.map {
                    ConfigurationFault(.usage, $0.rawValue, "is given a value and unset; only one of both")
                })
        }
        let configuration: PseudowireConfiguration
        do throws(ConfigurationFaults) {
            configuration = try PseudowireOptions(record.configuration).changed(by: changes, unset: unset).resolve()
        } catch {
            throw .faults(error.faults)
        }
        return try plan(PseudowireDocument([configuration]), .change, removesOthers: false).plan
    }

    /// The pseudowires as a document: applying it changes nothing.
    public func export() throws(PseudowireError) -> PseudowireDocument {
        let found = try reading { (state) throws(PseudowireError) in
            let limit = try state.description.max_sessions
            return PseudowireDocument(
                try records(state).filter(\.isReady).map(\.configuration),
                maxSessions: limit == Self.defaultMaxSessions ? nil : limit)
        }
        return found ?? PseudowireDocument([])
    }
}
