/// A place at which a command may die, or the kernel refuse: tests make it do so there, one place after the other.
///
/// ```swift
/// FaultPoint.hook = { point in if point == .filterAdded { kill(getpid(), SIGKILL) } }
/// ```
///
/// Each is reached after what its name says. A release build has no hook and no cost.
package enum FaultPoint: String, CaseIterable, Sendable {
    // The journal.
    case journalPinned, journalTurned, journalRemoved
    /// Before each step of a plan, and each batch of them.
    case step
    /// After each batch.
    case batchDone
    /// Before each step that undoes one.
    case undo
    // The datapath.
    case splitterMade, splitterNamed, splitterUp, draftMade, datapathLoaded, datapathPinned, datapathDescribed
    case watchPinned, splitterHooked, splitterAttached, stateNamed
    case joinerMade, joinerNamed, joinerUp, joinerHooked, joinerAttached, joinerRemoved
    case stateUnnamed, splitterRemoved, stateRemoved
    // A filter.
    case portWritten, clsactMade, filterAdded, promiscuitySet, filterMoved
    case filterRemoved, promiscuityCleared, clsactRemoved
    // An XDP program before it.
    case accelerationWritten, accelerated, decelerated
    // An interface that is made with a pseudowire.
    case pairMade, pairNamed, pairUp, pairRemoved
    // An upgrade.
    case upgradeProved, upgradeStaged, upgradeBegun, filterExchanged, upgradeCarried, upgradeCommitted, upgradeReaped
    // Finishing or undoing what a command that died had begun.
    case recoveryBegun, recoveryInterface, recoveryEntries, recoveryFilter, recoveryRecord, recoveryErased
    case recoveryPaths, recoveryMended, recoverySwept

    #if DEBUG
        /// Called at each; what it throws, the operation throws.
        ///
        /// For processes that change pseudowires on one thread.
        nonisolated(unsafe) package static var hook: ((FaultPoint) throws(PseudowireError) -> Void)?
    #endif

    @inline(__always)
    func reach() throws(PseudowireError) {
        #if DEBUG
            try Self.hook?(self)
        #endif
    }
}
