internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// Makes pseudowires what the journal says, whatever of it is done already.
///
/// Everything is added or replaced before anything is taken away, as in a plan. An interface that is gone, or is
/// somebody else's by now, is left out, for no command may be held up by it for ever: its pseudowire says so in its
/// health.
struct Reconciliation {
    private let manager: PseudowireManager
    private let state: DatapathState
    /// Whether every pseudowire has what it asks for, as far as filters and XDP programs go.
    private(set) var isWhole = true
    private var client: RouteClient { manager.client }

    init(_ manager: PseudowireManager, _ state: DatapathState) {
        self.manager = manager
        self.state = state
    }

    /// One pseudowire as it is to be, and the way out that it has.
    private struct Target {
        var record: Record
        let underlay: UInt32
        /// How its interface is made if there is none; nil where that is nobody's wish.
        let shape: CustomerPort.Shape?
        let isNew: Bool
    }

    mutating func run(_ intents: [Intent], isForward: Bool) throws(PseudowireError) {
        var targets: [Target] = []
        for intent in intents {
            guard let record = isForward ? intent.new : intent.old else { continue }
            var target = Target(
                record: record, underlay: isForward ? intent.newUnderlay : intent.oldUnderlay,
                shape: isForward ? intent.made : intent.removed, isNew: isForward && intent.old == nil)
            try locate(&target)
            targets.append(target)
        }
        try writeEntries(targets)
        try attach(targets.map(\.record))
        for target in targets { try write(target.record) }
        let names = Set(targets.map(\.record.configuration.name))
        let erased = intents.filter { !names.contains($0.name) }
        for intent in erased {
            try bpf { () throws(BPFError) in _ = try state.pseudowires.remove(key: pw_name(intent.name)) }
            try FaultPoint.recoveryErased.reach()
        }
        try bpf { () throws(BPFError) in
            try state.clearCounters(slots: erased.compactMap { ($0.old ?? $0.new)?.slot })
        }
        try writePaths(intents)
        try manager.mend()
        try FaultPoint.recoveryMended.reach()
        try sweepInterfaces(intents, targets)
        try FaultPoint.recoverySwept.reach()
        let ports = try state.portList
        for record in targets.map(\.record) where record.configuration.attach == .xdp {
            let isCarried = record.underlays.allSatisfy { ports[$0]?.hasXDP(.underlay) == true }
            if !isCarried || ports[record.access]?.hasXDP(.access) != true { isWhole = false }
        }
        if try manager.records(state).isEmpty { try removeState() }
    }

    /// Finds the interface that is made with it, or makes it.
    private func locate(_ target: inout Target) throws(PseudowireError) {
        let record = target.record
        guard record.configuration.makesInterface else { return }
        if let shape = target.shape {
            do throws(PseudowireError) {
                target.record.access = try CustomerPort.ensure(
                    record.configuration.access, record.access, hidden: record.accessName, shape, client)
            } catch {
                guard case .netlink(let cause) = error, cause.isAlreadyPresent else { throw error }
                target.record.access = 0
            }
        }
        try FaultPoint.recoveryInterface.reach()
    }

    private func writeEntries(_ targets: [Target]) throws(PseudowireError) {
        let placed = targets.filter { $0.record.access != 0 }
        try bpf { () throws(BPFError) in
            var unused: [UInt32] = []
            for target in placed where target.isNew {
                let isThere = try state.pseudowires[pw_name(target.record.configuration.name)]
                if isThere?.state != UInt32(PW_STATE_READY) { unused.append(target.record.slot) }
            }
            try state.clearCounters(slots: unused)
        }
        for target in placed {
            let record = target.record
            try state.write(.session, record)
            try state.write(.access(underlay: target.underlay, before: 0), record)
            try FaultPoint.recoveryEntries.reach()
        }
    }

    /// Of two pseudowires to one session of the peer's the earlier one learns from ICMP messages.
    private func writePaths(_ intents: [Intent]) throws(PseudowireError) {
        let keys = Set(intents.flatMap { [$0.old, $0.new].compactMap(\.self).map(PathKey.init) })
        var owners: [PathKey: Record] = [:]
        for record in try manager.records(state) where record.access != 0 && keys.contains(PathKey(record)) {
            let other = owners[PathKey(record)]
            if other.map({ record.created < $0.created }) ?? true { owners[PathKey(record)] = record }
        }
        for owner in owners.values { try state.write(.path, owner) }
        try FaultPoint.recoveryPaths.reach()
    }

    /// Filters wherever one of them needs one; those that are there are adopted.
    private mutating func attach(_ records: [Record]) throws(PseudowireError) {
        var done: Set<[UInt32]> = []
        // Who names a hook has his will where another one leaves it to us.
        let named = records.filter { $0.configuration.attach.hook != nil }
        let others = records.filter { $0.configuration.attach.hook == nil }
        for record in named + others {
            let places = record.underlays.map { (Attachment.Role.underlay, $0) } + [(.access, record.access)]
            for (role, interface) in places where interface != 0 && done.insert([role.flag, interface]).inserted {
                let client = client
                let index = LinkIndex(rawValue: interface)
                guard try netlink({ () throws(NetlinkError) in try client.links.get(index) }) != nil else { continue }
                let present = try bpf { () throws(BPFError) in try state.ports[interface] }?[role]
                let hook =
                    if let hook = record.configuration.attach.hook ?? present { hook } else {
                        try AttachmentHook.preferred(on: interface, client)
                    }
                do throws(PseudowireError) {
                    if let present, present != hook {
                        try Attachment.move(role, on: interface, to: hook, state, manager)
                    } else {
                        try Attachment.attach(role, to: interface, at: hook, state, manager)
                    }
                } catch {
                    // Somebody else's filter is in its place.
                    guard case .refused = error else { throw error }
                    isWhole = false
                }
                try FaultPoint.recoveryFilter.reach()
            }
        }
    }

    private func write(_ record: Record) throws(PseudowireError) {
        try bpf { () throws(BPFError) in
            try state.pseudowires.update(key: pw_name(record.configuration.name), value: record.value)
        }
        try FaultPoint.recoveryRecord.reach()
    }

    /// Interfaces of those that are not to be, or are to have another one.
    private func sweepInterfaces(_ intents: [Intent], _ targets: [Target]) throws(PseudowireError) {
        let kept = Set(targets.filter(\.record.configuration.makesInterface).map(\.record.accessName))
        for record in intents.flatMap({ [$0.old, $0.new] }).compactMap(\.self)
        where record.configuration.makesInterface && !kept.contains(record.accessName) {
            try CustomerPort.remove(record.access, hidden: record.accessName, client)
        }
    }

    /// The last pseudowire takes the datapath with it.
    private func removeState() throws(PseudowireError) {
        for (interface, port) in try bpf({ () throws(BPFError) in try state.ports.entries() }) {
            for role in [Attachment.Role.access, .underlay] where port.flags & role.flag != 0 {
                try Attachment.detach(role, from: interface, state, manager)
            }
        }
        try StateAssembly.remove(manager)
    }
}
