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

    /// Everything that is wrong with a document's text, and with it the interfaces that it names and that are not here.
    ///
    /// For a text that is not valid, of which no plan can be made; what else this machine has against it a plan will
    /// tell.
    public func faults(of text: [UInt8]) -> [ConfigurationFault] {
        let known = (try? records(openState())) ?? []
        let records = Dictionary(known.map { ($0.configuration.name, $0) }) { first, _ in first }
        let cache = SurveyCache(client)
        var reader = DocumentReader { wire in
            self.missingInterfaces(wire, records[wire.name], cache).map { fault in
                // As a plan words it.
                let name = wire.name.isEmpty ? "" : "\(wire.name): "
                return ConfigurationFault(fault.kind, fault.field, name + fault.message)
            }
        }
        reader.read(text)
        return reader.faults
    }

    /// What one look at the interfaces has against those that a configuration names.
    ///
    /// Those that are recorded for it already may be gone: then it waits. Where the kernel does not answer, nothing is
    /// said.
    private func missingInterfaces(
        _ wire: PseudowireConfiguration, _ old: Record?, _ cache: SurveyCache
    ) -> [ConfigurationFault] {
        let old = old?.configuration
        var survey = Survey(client, [], cache)
        if old?.makesInterface != wire.makesInterface || old?.access != wire.access {
            if wire.makesInterface {
                try? survey.checkNewName(wire)
            } else {
                _ = try? survey.accessInterface(wire)
            }
        }
        for name in wire.underlays where PseudowireConfiguration.faultOfInterfaceName(name) == nil {
            if old?.underlays.contains(name) != true { _ = try? survey.interface(name, field: "underlay") }
        }
        return survey.faults
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
        let contradictions = unset.filter { !(changes[$0].isEmpty) }.map {
            ConfigurationFault(.usage, $0.rawValue, "is given a value and unset; only one of both")
        }
        let words = PseudowireOptions(record.configuration).changed(by: changes, unset: unset)
        let (configuration, _, misunderstood) = words.read()
        let faults = contradictions + misunderstood.filter { !$0.isAbout(contradictions) }
        guard faults.isEmpty else {
            let missing = missingInterfaces(configuration, record, SurveyCache(client))
            throw .faults(faults + missing.filter { !$0.isAbout(faults) })
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
