internal import CPseudowireObject

extension PseudowireManager {
    /// What it takes to come from the pseudowires that there are to a document's, and who has to wait.
    ///
    /// - Parameters:
    ///   - only: others stay as they are, or are not made.
    ///   - removesOthers: whether pseudowires that the document does not name go; else they stay as they are.
    func plan(
        _ document: PseudowireDocument, _ mode: DocumentPlanner.Mode, only: Set<String>? = nil,
        removesOthers: Bool
    ) throws(PseudowireError) -> (plan: Plan, waiting: [Waiting]) {
        try directory.checkFileSystem()
        let state = try openState()
        let existing = try records(state)
        let limit = try state.map { state throws(PseudowireError) in try state.description.max_sessions }
        let asked = existing.isEmpty ? [] : Set(document.pseudowires.map(\.name))
        let others = existing.filter { !asked.contains($0.configuration.name) }
        func leaves(_ record: Record) -> Bool {
            removesOthers && only?.contains(record.configuration.name) != false
        }
        let removed = others.filter(leaves)
        var transition = Transition(removed: removed)
        transition.kept = others.filter { !leaves($0) }
        let whereabouts = Whereabouts(
            client: client, state: state, cache: SurveyCache(client), filters: FilterPresence(state, self),
            isLiteral: mode == .keep)
        var planner = DocumentPlanner(document, mode, existing: existing, whereabouts, transition)
        try planner.sort(only: only)
        var survey = Survey(client, planner.transition.kept, whereabouts.cache)
        survey.offersOthers = mode == .make || mode == .change
        survey.ports = try whereabouts.filters.ports()
        survey.filters = whereabouts.filters
        for record in existing where record.isReady { survey.addFilters(of: record) }
        if mode != .keep, let limit, let maxSessions = document.maxSessions, limit != maxSessions {
            survey.refuse("max-sessions", "is \(limit) here already; 'teardown' first to change it")
        }
        let capacity = limit ?? document.maxSessions ?? Self.defaultMaxSessions
        if planner.count > Int(capacity) {
            survey.refuse("NAME", "there can be \(capacity) pseudowires here; these would be \(planner.count)")
        }
        if mode == .make, state != nil, planner.count <= Int(capacity) {
            let together = existing.count + document.pseudowires.count { planner.records[$0.name] == nil }
            if together > Int(capacity) {
                survey.refuse(
                    "NAME",
                    """
                    there can be \(capacity) pseudowires here, and until those that are to go have gone there would be \
                    \(together): delete some first
                    """)
            }
        }
        try planner.place(&survey)
        guard survey.faults.isEmpty else { throw .faults(survey.faults) }
        let actions = planner.transition.actions(
            makingState: state == nil ? capacity : nil, removal: try departing(removed), name: interfaceName,
            attached: try Attached(self), wayOut: try wayOut())
        var plan = Plan(actions, for: existing)
        plan.changes = planner.transition.changes
        // One that waits may wait for what this plan makes.
        plan.hasSeenAll = only == nil && mode == .make && transition.kept.isEmpty && planner.reasons.isEmpty
        return (plan, planner.reasons)
    }
}
