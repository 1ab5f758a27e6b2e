/// Entries, and records behind them, that go to the kernel while filters are put on interfaces.
///
/// For each filter the kernel waits until no processor is where it changes something, some milliseconds, in which
/// nobody works. That a filter finds no entries yet does no harm: frames go on as they went without it. The ways in are
/// complete before the ways out begin, as always. A record may say that a pseudowire is whole while its filter is still
/// to come: no other command looks at it before all is done, or before it has read the journal.
struct Overlap {
    let entries: Range<Int>
    let filters: Range<Int>
    let records: Range<Int>

    var all: Range<Int> { entries.lowerBound..<records.upperBound }

    #if DEBUG
        /// Commands that tests have die, or fail, at any place do so here as well.
        private static let fewestEntries = 2 * Executor.smallestBatch
    #else
        /// So few are not worth a thread.
        private static let fewestEntries = 2 * Executor.largestBatch
    #endif

    /// Nil where the steps from here on are no long row of entries with filters behind them.
    ///
    /// For a datapath that was made just now: undone, nothing of it was there before, whatever of it is done.
    init?(of actions: ActionList, from start: Int) {
        var end = start
        while end < actions.count, actions[end].isNewEntry { end += 1 }
        guard end - start >= Self.fewestEntries else { return nil }
        entries = start..<end
        while end < actions.count, actions[end].isNewFilter { end += 1 }
        guard end > entries.upperBound else { return nil }
        filters = entries.upperBound..<end
        while end < actions.count, actions[end].isNewRecord { end += 1 }
        records = filters.upperBound..<end
    }
}

extension Action {
    fileprivate var isNewEntry: Bool {
        if case .write(_, _, over: nil) = self { true } else { false }
    }

    fileprivate var isNewFilter: Bool {
        switch self {
        case .attach, .attachXDP: true
        default: false
        }
    }

    fileprivate var isNewRecord: Bool {
        if case .addRecord(let record) = self { record.isReady } else { false }
    }
}

extension Executor {
    /// The entries on a thread of its own, the filters on this one; where it fails, any number of them are done.
    func perform(_ actions: ActionList, _ overlap: Overlap) throws(PseudowireError) {
        var failure: PseudowireError?
        var failureOfEntries: PseudowireError?
        PlainThread.forEach(2) { number in
            if number == 0 {
                do throws(PseudowireError) {
                    for action in actions[overlap.filters] {
                        try FaultPoint.step.reach()
                        try attach(action)
                    }
                } catch { failure = error }
            } else {
                do throws(PseudowireError) {
                    for steps in [overlap.entries, overlap.records] { try performInBatches(actions, steps) }
                } catch { failureOfEntries = error }
            }
        }
        if let failure = failure ?? failureOfEntries { throw failure }
    }

    private func performInBatches(_ actions: ActionList, _ steps: Range<Int>) throws(PseudowireError) {
        var next = steps.lowerBound
        while next < steps.upperBound {
            guard let family = actions[next].family else { return }
            var end = next
            while end < min(steps.upperBound, next + Self.largestBatch), actions[end].family == family { end += 1 }
            try perform(actions[next..<end], of: family)
            next = end
        }
    }
}
