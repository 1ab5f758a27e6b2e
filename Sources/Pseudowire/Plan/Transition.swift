internal import CPseudowireObject
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// From the pseudowires that there are to those that there are to be, in an order in which no frame meets a gap:
/// everything is added or replaced before anything is taken away, and the way in comes before the way out.
struct Transition {
    /// Those that stay as they are.
    var kept: [Record] = []
    let removed: [Record]
    private(set) var changes: [Change]
    private var pairs: [Pair] = []
    private var made: [(Record, CustomerPort.Shape)] = []
    private var decaps: [Action] = []
    private var encaps: [Action] = []

    /// What becomes of one pseudowire.
    struct Pair: Sendable {
        let new: Record
        let old: Record?
        let underlay: UInt32
        /// Whether its interface is made.
        let makes: Bool
        /// Whether there is no interface for it: it is remembered, and nothing else.
        let isParked: Bool
    }

    init(removed: [Record]) {
        self.removed = removed
        changes = removed.map { .remove($0.configuration.name) }
    }

    mutating func reserveCapacity(_ count: Int) {
        pairs.reserveCapacity(pairs.count + count)
        changes.reserveCapacity(changes.count + count)
    }

    /// - Parameters:
    ///   - place: nil where there is none for it; it is remembered then, and carries nothing.
    ///   - makes: whether its interface is to be made.
    ///   - differences: why it is not where it was; empty where it is itself another one.
    mutating func add(
        _ record: Record, over old: Record?, _ place: Survey.Place?, makes: Bool, _ differences: [String],
        _ survey: inout Survey
    ) throws(PseudowireError) {
        let name = record.configuration.name
        if let old, differences.isEmpty {
            changes.append(.change(name, Change.differences(old.configuration, record.configuration)))
        } else {
            changes.append(old == nil ? .create(name) : .place(name, differences))
        }
        pairs.append(
            Pair(
                new: record, old: old, underlay: place?.wayOut?.rawValue ?? 0, makes: makes && place != nil,
                isParked: place == nil || record.access == 0 && !makes))
        guard let place else { return }
        if makes { made.append((record, place.shape(record.configuration))) }
        let filters = try survey.filters(of: record, at: place)
        decaps += filters.decap
        encaps += filters.encap
    }

    func actions(
        makingState capacity: UInt32?, removal: [(Record, CustomerPort.Shape?)], name: (UInt32) -> String,
        attached: Attached, wayOut: (Record) -> UInt32
    ) -> ActionList {
        var actions = ActionList()
        guard !pairs.isEmpty || !removed.isEmpty else { return actions }
        if let capacity { actions.append([.makeState(maxSessions: capacity)]) }
        let olds = pairs.compactMap(\.old) + removal.map(\.0)
        let placed = olds.filter { $0.access != 0 }
        let sessions = Dictionary(placed.map { ($0.configuration.session.local, $0) }) { first, _ in first }
        let accesses = Dictionary(placed.map { (AccessKey($0), $0) }) { first, _ in first }
        let present = pairs.contains { $0.isParked } ? pairs.filter { !$0.isParked } : pairs
        let owners = Owners(kept: kept, before: placed, after: present.lazy.map(\.new))
        let learning = owners.areDistinct ? present : present.filter { owners.isAfter($0.new) }

        // Steps of one family stand together, so that they can be done together.
        let areFirst = olds.isEmpty && kept.isEmpty
        func append(_ kind: ActionList.Kind, _ pairs: [Pair], over: (Pair) -> Record?) {
            // Nothing of theirs is in the place of anything.
            guard !areFirst else { return actions.append(kind, pairs) }
            actions.append(
                pairs.map { pair in
                    let over = over(pair)
                    return Action(kind, pair, over: over, before: kind == .access ? over.map(wayOut) ?? 0 : 0)
                })
        }
        // By its record an interface that is made is found again; nothing else needs one before it is whole.
        if !made.isEmpty {
            actions.append(pairs.filter { $0.old == nil && $0.makes }.map { .addRecord($0.new.begun) })
        }
        // Those of a datapath that is loaded just now are zero.
        if capacity == nil { actions.append(.clearCounters, olds.isEmpty ? pairs : pairs.filter { $0.old == nil }) }
        let bySlot = made.isEmpty ? [:] : Dictionary(pairs.map { ($0.new.slot, $0.old) }) { first, _ in first }
        var interfaces: [Action] = []
        for (record, shape) in made {
            // Its record becomes one that is only begun: undone, it is what it was again.
            if let old = bySlot[record.slot] ?? nil { interfaces.append(.reopenRecord(old)) }
            interfaces.append(.makeInterface(record, shape))
        }
        actions.append(interfaces + decaps)
        append(.session, present) { sessions[$0.new.configuration.session.local] }
        append(.path, learning) { owners.before($0.new) }
        append(.access, present) { accesses[AccessKey($0.new)] }
        actions.append(encaps)
        append(.record, pairs, over: \.old)
        if !olds.isEmpty { actions.append(departures(removal, olds, owners, name, attached, wayOut)) }
        return actions
    }

    /// What nobody needs any more, now that everything new is in its place.
    private func departures(
        _ removal: [(Record, CustomerPort.Shape?)], _ olds: [Record], _ owners: Owners, _ name: (UInt32) -> String,
        _ attached: Attached, _ wayOut: (Record) -> UInt32
    ) -> [Action] {
        let remaining = kept + pairs.map(\.new)
        let placed = kept.filter { $0.access != 0 } + pairs.filter { !$0.isParked }.map(\.new)
        let sessions = Set(placed.map(\.configuration.session.local))
        let accesses = Set(placed.map(AccessKey.init))
        let names = Set(remaining.map(\.configuration.name))
        let leaving = olds.filter { $0.access != 0 && !accesses.contains(AccessKey($0)) }
        var actions = removal.map { Action.reopenRecord($0.0) }
        var detached: Set<UInt32> = []
        let usedAccess = Set(remaining.map(\.access))
        for old in leaving where !usedAccess.contains(old.access) && detached.insert(old.access).inserted {
            actions += attached.detachment(.access, old.access, old.accessName)
        }
        actions += deceleration(removal.map(\.0), remaining, name, attached)
        for old in leaving { actions.append(.drop(.access(underlay: 0, before: wayOut(old)), old)) }
        let leftBehind = olds.filter { $0.access != 0 || !$0.isReady }
        for old in leftBehind where !sessions.contains(old.configuration.session.local) {
            actions.append(.drop(.session, old))
        }
        var orphans: [Record] = []
        for old in leftBehind {
            let heir = owners.after(old)
            if let heir, owners.before(old)?.slot == old.slot, owners.isKept(heir) {
                actions.append(.write(.path, heir, over: old))
            } else if heir == nil {
                orphans.append(old)
            }
        }
        for old in orphans { actions.append(.drop(.path, old)) }
        let usedUnderlays = Set(remaining.flatMap(\.underlays))
        detached = []
        for underlay in olds.flatMap(\.underlays)
        where !usedUnderlays.contains(underlay) && detached.insert(underlay).inserted {
            actions += attached.detachment(.underlay, underlay, name(underlay))
        }
        let erased = removal.map(\.0).filter { !names.contains($0.configuration.name) }
        actions += erased.map { .eraseRecord($0) }
        if !remaining.isEmpty { actions += erased.map { .clearCounters($0) } }
        // What cannot be undone comes last.
        for (record, shape) in removal {
            if let shape { actions.append(.removeInterface(record, shape)) }
        }
        if remaining.isEmpty { actions.append(.removeState) }
        return actions
    }

    /// XDP programs that nobody wants any more, before filters that others still need.
    private func deceleration(
        _ removed: [Record], _ remaining: [Record], _ name: (UInt32) -> String, _ attached: Attached
    ) -> [Action] {
        let asking = removed.filter { $0.configuration.attach == .xdp }
        guard !asking.isEmpty else { return [] }
        var actions: [Action] = []
        var seen: Set<UInt32> = []
        for (role, users) in [
            (Attachment.Role.access, { (record: Record) in [record.access] }), (.underlay, { $0.underlays }),
        ] {
            let used = Set(remaining.flatMap(users))
            let wanted = Set(remaining.filter { $0.configuration.attach == .xdp }.flatMap(users))
            for interface in asking.flatMap(users)
            where used.contains(interface) && !wanted.contains(interface) && seen.insert(interface).inserted {
                guard attached.port(interface).hasXDP(role), !attached.isChosen(interface) else { continue }
                actions.append(.detachXDP(role, interface: interface, name: name(interface)))
            }
        }
        return actions
    }

    /// Who learns from ICMP messages: of two pseudowires to one session of the peer's, which differ in nothing that
    /// such a message quotes, the earlier one.
    private struct Owners {
        private let before: [PathKey: Record]
        private let after: [PathKey: Record]
        private let kept: Set<UInt32>
        /// Whether nobody will have to share a path with another one: nearly always.
        let areDistinct: Bool

        init(kept: [Record], before: [Record], after: some Collection<Record>) {
            let placed = kept.filter { $0.access != 0 }
            self.before = Self.earliest(placed, before)
            self.after = Self.earliest(placed, after)
            areDistinct = self.after.count == placed.count + after.count
            self.kept = Set(placed.map(\.slot))
        }

        private static func earliest(_ placed: [Record], _ others: some Collection<Record>) -> [PathKey: Record] {
            var found: [PathKey: Record] = [:]
            found.reserveCapacity(placed.count + others.count)
            func take(_ record: Record) {
                // Nearly always it is alone.
                let other = found.updateValue(record, forKey: PathKey(record))
                if let other, other.created <= record.created { found[PathKey(record)] = other }
            }
            for record in placed { take(record) }
            for record in others { take(record) }
            return found
        }

        /// Who has learned of such a path so far.
        func before(_ record: Record) -> Record? { before.isEmpty ? nil : before[PathKey(record)] }

        /// Who will.
        func after(_ record: Record) -> Record? { after[PathKey(record)] }

        /// Whether it will be this one.
        func isAfter(_ record: Record) -> Bool { after[PathKey(record)]?.slot == record.slot }

        func isKept(_ record: Record) -> Bool { kept.contains(record.slot) }
    }

    private struct AccessKey: Hashable {
        let interface: UInt32
        let vlan: PseudowireConfiguration.VLANSelection
        /// An interface that is still to be made has no index.
        let slot: UInt32

        init(_ record: Record) {
            interface = record.access
            vlan = record.configuration.vlan
            slot = record.access == 0 ? record.slot : 0
        }
    }
}

/// By what an ICMP message about a packet of a pseudowire's can be told.
struct PathKey: Hashable {
    private let peer: IPAddress
    private let session: SessionID
    private let encapsulation: Encapsulation

    init(_ record: Record) {
        peer = record.configuration.tunnel.peer
        session = record.configuration.session.peer
        encapsulation = record.configuration.tunnel.encapsulation
    }

    /// There are millions of them, and few tunnels.
    func hash(into hasher: inout Hasher) {
        hasher.combine(session)
        hasher.combine(peer)
    }
}
