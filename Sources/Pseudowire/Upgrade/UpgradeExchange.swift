internal import BPF
internal import CPseudowireLinux
internal import CPseudowireObject
internal import Glibc
internal import RouteNetlink

/// The second half of an upgrade: from its beginning to its commit.
///
/// It goes by what is pinned in the two directories and by what the kernel says is attached, and so can be done again
/// after a crash at any place.
struct UpgradeExchange {
    let manager: PseudowireManager
    let old: DatapathPrograms
    let new: DatapathState
    /// Maps that the new datapath does not share with the old one.
    let renewed: Set<DatapathObject.MapName>

    init(_ manager: PseudowireManager) throws(PseudowireError) {
        self.manager = manager
        let directory = manager.directory
        new = try DatapathState(directory, at: directory.successor)
        (old, renewed) = try bpf { () throws(BPFError) in
            var renewed: Set<DatapathObject.MapName> = []
            for map in DatapathObject.MapName.allCases {
                let staged = try RawMap(pinnedAt: "\(directory.successor)/\(map.rawValue)").info.id
                let present: UInt32?
                do throws(BPFError) { present = try RawMap(pinnedAt: directory.pin(map.rawValue)).info.id } catch {
                    guard error.isNotFound else { throw error }
                    present = nil
                }
                if staged != present { renewed.insert(map) }
            }
            return (try DatapathPrograms(pinnedIn: directory.path), renewed)
        }
    }

    /// Exchanges, carries over, commits.
    ///
    /// Should the kernel refuse to exchange a filter, those before it are exchanged back, and the old datapath stays.
    func run() throws(PseudowireError) {
        let directory = manager.directory
        let before = try StateIdentity(at: directory.path)
        let counts = UpgradeCounts(from: directory.path, abi: before.abi, to: new, renewed)
        try counts.startNumbers()
        do throws(PseudowireError) {
            try Self.exchange(new.portList, new.identity, from: old, to: new.programs, manager)
        } catch {
            do throws(PseudowireError) {
                try Self.exchange(new.portList, new.identity, from: new.programs, to: old, manager)
                try Upgrade.mark(UInt32(PW_UPGRADE_NONE), at: directory.path)
                try StateDirectory.remove(directory.successor)
            } catch let second {
                throw .halfDone(error, leftovers: ["the next command goes on with the upgrade: \(second)"])
            }
            throw error
        }
        // A program that a CPU was in the middle of still counts in the old maps.
        if pseudowire_wait_for_programs() != 0 { usleep(100_000) }
        try counts.carryOver()
        try FaultPoint.upgradeCarried.reach()
        try FileSystem.exchange(directory.path, with: directory.successor)
        try FaultPoint.upgradeCommitted.reach()
        try StateDirectory.remove(directory.successor)
        try FaultPoint.upgradeReaped.reach()
    }

    /// Exchanges every filter's program: decapsulation first, then encapsulation; each after that of the pair of ours
    /// which it sends frames to.
    ///
    /// What is gone, or somebody else's by now, is left: mending is for those.
    static func exchange(
        _ ports: [UInt32: pw_port], _ identity: StateIdentity, from old: DatapathPrograms, to new: DatapathPrograms,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let (joiner, splitter) = (identity.joiner.inner, identity.splitter.inner)
        if joiner != 0, let join = old.join,
            try Attachment.programID(.access, on: joiner, at: .clsact, manager) == join.program.id
        {
            try Attachment.attachJoiner(joiner, new, manager.client)
            try FaultPoint.filterExchanged.reach()
        }
        try exchange(.underlay, ports, from: old, to: new, manager)
        if try Attachment.programID(.access, on: splitter, at: .clsact, manager) == old.encapSplit.id {
            try Attachment.attachSplitter(splitter, new, manager.client)
            try FaultPoint.filterExchanged.reach()
        }
        try exchange(.access, ports, from: old, to: new, manager)
    }

    private static func exchange(
        _ role: Attachment.Role, _ ports: [UInt32: pw_port], from old: DatapathPrograms, to new: DatapathPrograms,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let client = manager.client
        for (interface, port) in ports.sorted(by: { $0.key < $1.key }) {
            let index = LinkIndex(rawValue: interface)
            guard let hook = port[role],
                let link = try netlink({ () throws(NetlinkError) in try client.links.get(index) })
            else { continue }
            // The filter first: what the program before it passes on, it takes.
            try Attachment.exchange(role, on: link, at: hook, from: old, to: new, manager)
            try FaultPoint.filterExchanged.reach()
            guard port.hasXDP(role) else { continue }
            try Attachment.exchangeXDP(role, on: link, from: old, to: new, manager)
            try FaultPoint.filterExchanged.reach()
        }
    }
}
