internal import BPF
internal import CPseudowireObject

extension PseudowireManager {
    /// What replacing the datapath that carries frames by this build's takes; nothing is changed.
    ///
    /// ```swift
    /// let plan = try manager.planUpgrade()
    /// if !plan.isEmpty { print(plan); try manager.upgrade() }
    /// ```
    ///
    /// - Throws: `refused` where there is no datapath, or one of a later release.
    public func planUpgrade() throws(PseudowireError) -> UpgradePlan {
        let plan = try readingAnyABI { () throws(PseudowireError) in try Upgrade(self, to: .embedded).plan }
        guard let plan else { throw Self.nothingToUpgrade }
        return plan
    }

    /// Replaces the datapath that carries frames by this build's, losing no frame, and returns what was done.
    ///
    /// Sessions, counters and sequence numbers are kept, also across a change of ABI. The new programs are tried on
    /// frames of every kind of session first; what fails there is refused, and the old datapath is untouched. A
    /// process that is killed leaves the old datapath or the new one; in between, the next command finishes.
    ///
    /// - Parameter evenIfCurrent: also where this build carries the frames already.
    ///
    /// - Throws: `refused` where there is no datapath, or one of a later release.
    @discardableResult
    public func upgrade(evenIfCurrent: Bool = false) throws(PseudowireError) -> UpgradePlan {
        try upgrade(to: .embedded, evenIfCurrent: evenIfCurrent)
    }

    /// To another build than this one, as later and earlier releases do: for tests that need it in a process of its
    /// own.
    package func upgrade(toObject octets: [UInt8]) throws(PseudowireError) { try upgrade(to: DatapathImage(octets)) }

    /// - Parameter renewing: maps that are made anew though they could be kept.
    @discardableResult
    func upgrade(
        to image: DatapathImage, evenIfCurrent: Bool = true, renewing: Set<DatapathObject.MapName> = []
    ) throws(PseudowireError) -> UpgradePlan {
        try directory.checkFileSystem()
        guard let lock = try StateLock(directory.base, .exclusive, patience: patience, waiting: onWait) else {
            throw Self.nothingToUpgrade
        }
        return try lock.hold { () throws(PseudowireError) in
            try directory.reap()
            try finishUpgrade()
            guard directory.exists else { throw Self.nothingToUpgrade }
            if FileSystem.exists(directory.pin(Journal.name)) { try recoverBeforeUpgrade() }
            guard directory.exists else { throw Self.nothingToUpgrade }
            let upgrade = try Upgrade(self, to: image, renewing: renewing)
            if !upgrade.plan.isEmpty || evenIfCurrent { try upgrade.run(image) }
            try mend()
            refreshInterfaces()
            return upgrade.plan
        }
    }

    /// Goes on with an upgrade that a command has begun and not lived to finish, or removes what it has left.
    ///
    /// The caller holds the exclusive lock.
    func finishUpgrade() throws(PseudowireError) {
        guard directory.exists, FileSystem.exists(directory.successor) else { return }
        let present = try StateIdentity(at: directory.path)
        if present.upgrade == UInt32(PW_UPGRADE_BEGUN) {
            let staged = try StateIdentity(at: directory.successor)
            try staged.requireOwnABI()
            try UpgradeExchange(self).run()
        } else {
            // Either it had not begun, and this was never used; or it was committed, and this is what it replaced.
            try StateDirectory.remove(directory.successor)
        }
    }

    /// What another command has left half done is finished first, by the release that had begun it.
    private func recoverBeforeUpgrade() throws(PseudowireError) {
        let identity = try StateIdentity(at: directory.path)
        guard identity.abi == StateIdentity.ownABI else {
            throw .refused(
                "a command of the release that made the datapath (ABI \(identity.abi)) has left a change half done; have "
                    + "that release's pwctl finish it, with any command that changes something, and then upgrade")
        }
        try recover()
    }

    private static var nothingToUpgrade: PseudowireError {
        .refused("there is no pseudowire here, and so no datapath; the next one will have this build's")
    }

    /// Reads under the shared lock whatever ABI the state has; nil where there is none.
    private func readingAnyABI<Value>(
        _ body: () throws(PseudowireError) -> Value
    ) throws(PseudowireError) -> Value? {
        try directory.checkFileSystem()
        guard let lock = try StateLock(directory.base, .shared, patience: patience, waiting: onWait) else { return nil }
        return try lock.hold { () throws(PseudowireError) in directory.exists ? try body() : nil }
    }
}
