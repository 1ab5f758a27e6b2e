internal import BPF
internal import CPseudowireObject
internal import RouteNetlink
internal import SystemPackage

/// Replaces the datapath of a namespace, while it carries frames.
///
/// 1. **Prove**: the new programs are run on frames of our making, on maps of their own.
/// 2. **Stage**: they are loaded on the live maps; maps whose layout has changed are made anew and filled. All of it is
///    pinned in a directory beside the state's, as whole a state as that one.
/// 3. **Begin**: `meta` says so, by one update. Until here nothing has happened; from here on, whoever comes next
/// finishes.
/// 4. **Exchange** each filter's program, by one call each: decapsulation before encapsulation.
/// 5. **Carry over** what the old programs counted meanwhile in maps that were made anew.
/// 6. **Commit**: the two directories change places, by one call; then the old one goes.
///
/// The caller holds the exclusive lock.
struct Upgrade {
    let manager: PseudowireManager
    let plan: UpgradePlan
    let old: StateIdentity
    /// Maps that are not kept.
    let renewed: Set<DatapathObject.MapName>

    private var directory: StateDirectory { manager.directory }

    /// Looks at what is there, and plans.
    ///
    /// - Parameter renewing: maps that are made anew though they could be kept.
    init(
        _ manager: PseudowireManager, to image: DatapathImage, renewing: Set<DatapathObject.MapName> = []
    ) throws(PseudowireError) {
        self.manager = manager
        let path = manager.directory.path
        let old = try StateIdentity(at: path)
        if old.abi > StateIdentity.ownABI { try old.requireOwnABI() }
        guard old.abi >= StateConversion.oldest else {
            throw .refused(
                """
                there is no way from ABI \(old.abi): with that release's pwctl, export the pseudowires and tear down; \
                then apply them with this one
                """)
        }
        guard old.abi == StateIdentity.ownABI || Privileges.has(Privileges.sysAdmin) else {
            throw .refused(
                """
                replacing a datapath of another release (ABI \(old.abi), this program has \(StateIdentity.ownABI)) takes \
                \(Privileges.sysAdmin.name), to read how its maps are laid out: run it as root; until then it carries \
                frames as before
                """)
        }
        var renewed = renewing.union([.meta])
        var fates: [UpgradePlan.MapFate] = []
        let file = try bpf { () throws(BPFError) in
            try Self.open(image, maxSessions: old.maxSessions, at: path)
        }
        for map in DatapathObject.MapName.allCases where map != .meta {
            var differences = try bpf { () throws(BPFError) in try Self.differences(map, file, at: path) }
            if differences.isEmpty, renewing.contains(map) { differences = ["as asked for"] }
            if !differences.isEmpty { renewed.insert(map) }
            fates.append(UpgradePlan.MapFate(map: map.rawValue, differences: differences))
        }
        // What was counted goes where later counts cannot be in the way: into a map that nobody has yet.
        if !renewed.isDisjoint(with: Self.countedIn), renewed.insert(.past).inserted {
            fates.removeAll { $0.map == DatapathObject.MapName.past.rawValue }
            fates.append(.init(map: DatapathObject.MapName.past.rawValue, differences: ["counts are added to it"]))
        }
        self.renewed = renewed
        self.old = old
        let ports = try Self.ports(at: path, abi: old.abi)
        plan = UpgradePlan(
            from: .init(abi: old.abi, build: old.build, generation: old.generation),
            to: .init(abi: StateIdentity.ownABI, build: image.build, generation: old.generation &+ 1),
            maps: fates, filters: Self.filters(ports, manager))
    }

    /// Maps that programs count in.
    static let countedIn: Set<DatapathObject.MapName> = [.counters, .drops, .sessionDrops]

    /// Opens an object for the maps that there are: `past` stays as large as it is, or gets room for all counts.
    static func open(
        _ image: DatapathImage, maxSessions: UInt32, at path: String, renewing: Set<DatapathObject.MapName> = []
    ) throws(BPFError) -> ObjectFile {
        let file = try DatapathObject.open(image, maxSessions: maxSessions)
        let past = DatapathObject.MapName.past.rawValue
        if !renewing.isDisjoint(with: countedIn) {
            try file.setMaxEntries(DatapathObject.pastCapacity(maxSessions: maxSessions), ofMap: past)
        } else if let present = try? RawMap(pinnedAt: "\(path)/\(past)") {
            try file.setMaxEntries(present.info.maxEntries, ofMap: past)
        }
        return file
    }

    /// Everything in which a map that is there is not what the object declares.
    private static func differences(
        _ map: DatapathObject.MapName, _ file: borrowing ObjectFile, at path: String
    ) throws(BPFError) -> [String] {
        let present: RawMap
        do throws(BPFError) {
            present = try RawMap(pinnedAt: "\(path)/\(map.rawValue)")
        } catch {
            guard error.isNotFound else { throw error }
            return ["it is new"]
        }
        var shape = try file.shape(ofMap: map.rawValue)
        if DatapathObject.roomy.contains(map) { shape.flags = nil }
        var found = shape.differences(from: present.info).map(\.description)
        if found.isEmpty, let layouts = try layouts(of: present) {
            let key = try file.keyLayout(ofMap: map.rawValue).differences(from: layouts.key)
            let value = try file.valueLayout(ofMap: map.rawValue).differences(from: layouts.value)
            found = key.map { "in its keys \($0)" } + value.map { "in its values \($0)" }
        }
        return found
    }

    /// How a map that is there is laid out; nil where that is not said, or not said to this process.
    ///
    /// Only `CAP_SYS_ADMIN` may read it. Others have been let this far with a state of this ABI alone, whose number
    /// says that it is laid out as the object's.
    private static func layouts(
        of map: borrowing RawMap
    ) throws(BPFError) -> (key: StructLayout, value: StructLayout)? {
        do throws(BPFError) { return try map.layouts() } catch {
            guard error.errno == .notPermitted else { throw error }
            return nil
        }
    }

    /// The interfaces that carry filters, of whatever ABI.
    private static func ports(at path: String, abi: UInt32) throws(PseudowireError) -> [UInt32: pw_port] {
        try bpf { () throws(BPFError) in
            var found: [UInt32: pw_port] = [:]
            for entry in try RawMap(pinnedAt: "\(path)/\(DatapathObject.MapName.ports.rawValue)").entries() {
                let (key, value) = StateConversion.convert(entry, of: .ports, from: abi)
                var port = pw_port()
                Octets.write(value, to: &port)
                found[key.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }] = port
            }
            return found
        }
    }

    /// Decapsulation first: what the new datapath sends, it can also take in.
    private static func filters(_ ports: [UInt32: pw_port], _ manager: PseudowireManager) -> [UpgradePlan.Filter] {
        [Attachment.Role.underlay, .access].flatMap { role in
            ports.sorted { $0.key < $1.key }.compactMap { interface, port in
                port[role].map {
                    UpgradePlan.Filter(
                        role: role, interface: interface, name: manager.interfaceName(interface), hook: $0,
                        hasXDP: port.hasXDP(role))
                }
            }
        }
    }

    /// All of it.
    func run(_ image: DatapathImage) throws(PseudowireError) {
        try stage(image)
        try begin()
        do throws(PseudowireError) {
            try FaultPoint.upgradeBegun.reach()
            try UpgradeExchange(manager).run()
        } catch {
            // What was exchanged back has no successor any more.
            if case .halfDone = error { throw error }
            guard FileSystem.exists(directory.successor) else { throw error }
            throw .unfinished(error, left: ["replace \(plan.from) by \(plan.to)"])
        }
    }

    /// Writes down that there is no way but forward from here on.
    func begin() throws(PseudowireError) {
        try Self.mark(UInt32(PW_UPGRADE_BEGUN), at: directory.path)
    }

    /// Sets the field that has the same place in every ABI.
    static func mark(_ value: UInt32, at path: String) throws(PseudowireError) {
        try bpf { () throws(BPFError) in
            let map = try RawMap(pinnedAt: "\(path)/\(DatapathObject.MapName.meta.rawValue)")
            guard var octets = try map.value(of: [0, 0, 0, 0]) else { return }
            let place = MemoryLayout<pw_meta>.offset(of: \pw_meta.upgrade) ?? 20
            withUnsafeBytes(of: value) { octets.replaceSubrange(place..<(place + 4), with: $0) }
            try map.update(key: [0, 0, 0, 0], value: octets)
        }
    }
}
