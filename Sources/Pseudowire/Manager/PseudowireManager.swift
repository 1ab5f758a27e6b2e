public import BPF
internal import RouteNetlink
internal import SystemPackage

/// The pseudowires of one network namespace: makes them, shows them, removes them.
///
/// ```swift
/// let manager = try PseudowireManager(in: .named("edge"))
/// try manager.add(wire)                               // all or nothing; the traffic flows on when this process ends
/// for wire in try manager.pseudowires() { print(wire.name, wire.health, wire.statistics) }
/// try manager.remove("pw0")
/// ```
///
/// There is no state but the kernel's: maps and programs pinned on the BPF file system, filters on interfaces. A
/// manager is a handle on it; any number of them, in any number of processes, may exist. Changes are made one at a
/// time, by a lock. Not Sendable: use it from one task or thread. All calls are synchronous.
///
/// Needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON, and CAP_SYS_ADMIN for a namespace other than one's own and for
/// upgrading another ABI's datapath. Whoever makes the first pseudowire owns the state: nobody else may look into it,
/// but for root. Linux 6.1.
public final class PseudowireManager {
    let namespace: NetworkNamespace
    let client: RouteClient
    let directory: StateDirectory
    /// How long to wait for another command's change to be done; nil: as long as it takes.
    public var patience: Duration?
    /// Called when there is such a change to wait for.
    public var onWait: () -> Void = {}
    /// Called when a change has been done, or has failed, before another command can begin one.
    var onRelease: () -> Void = {}
    /// What the change at hand has first finished, for a command that died.
    var finishedInRecovery: Set<Change> = []
    /// Called when a change has first finished, or undone, what a command that died had begun.
    public var onMend: (Recovery) -> Void = { _ in }
    /// Called when a change has put a pseudowire in its place again that nobody had asked for.
    public var onRepair: (Change) -> Void = { _ in }

    /// Opens a namespace.
    ///
    /// Nothing is made yet.
    public init(
        in reference: NamespaceReference = .current, fileSystem: String = BPFFileSystem.conventionalPath
    ) throws(PseudowireError) {
        try Privileges.check()
        let version = KernelProbe.version()
        guard (version.major, version.minor) >= (6, 1) else {
            throw .refused("Linux 6.1 or later is needed; this is \(version.release)")
        }
        do throws(NetlinkError) {
            namespace = try reference.open()
            client = try RouteClient(in: namespace)
        } catch {
            if error.isNotFound, case .named(let name) = reference {
                throw .refused("there is no network namespace \"\(name)\" in /run/netns")
            }
            if error.object == .namespace, error.errno == .notPermitted, !Privileges.has(Privileges.sysAdmin) {
                throw .refused(
                    "\(error): it needs \(Privileges.sysAdmin.name) (for \(Privileges.sysAdmin.purpose)): run it as root, "
                        + "or inside that namespace")
            }
            throw .netlink(error)
        }
        directory = StateDirectory(root: fileSystem, namespaceCookie: client.namespaceCookie)
    }

    /// Adds one pseudowire.
    public func add(_ configuration: PseudowireConfiguration) throws(PseudowireError) {
        try change { () throws(PseudowireError) in try self.plan(adding: [configuration]) }
    }

    /// Removes pseudowires by name: all of them, or, if one of the names is unknown, none.
    public func remove(_ names: String...) throws(PseudowireError) {
        try change { () throws(PseudowireError) in try self.plan(removing: names) }
    }

    /// Removes everything of ours from the namespace, and only that.
    public func teardown() throws(PseudowireError) {
        try change { () throws(PseudowireError) in try self.planTeardown() }
    }

    /// Does what a plan says: all of it, or, if a step fails, nothing.
    ///
    /// - Throws: `refused` if the pseudowires here are no longer those that the plan was made for. Should a step find
    ///   the system otherwise than expected, it fails, and all is undone.
    public func execute(_ plan: Plan) throws(PseudowireError) {
        try change { () throws(PseudowireError) in
            guard Set(try records(openState()).map(\.basis)) == plan.basis else {
                throw .refused("the pseudowires here have changed since the plan was made; plan again")
            }
            // That may have been a while ago.
            var plan = plan
            plan.hasSeenAll = false
            return plan
        }
    }

    /// Makes the pseudowires those that a document describes: all of it, or, if a step fails, nothing.
    ///
    /// ```swift
    /// try manager.apply(PseudowireDocument(wires))     // a second time: nothing to do
    /// ```
    ///
    /// For very many it is quicker than planning and executing: nothing has to be looked at twice.
    ///
    /// - Parameter keepsOthers: pseudowires that the document does not describe stay; else they are removed.
    public func apply(_ document: PseudowireDocument, keepsOthers: Bool = false) throws(PseudowireError) {
        try change { () throws(PseudowireError) in try self.plan(applying: document, keepsOthers: keepsOthers) }
    }

    /// Plans and executes under the lock, so that nothing changes in between.
    ///
    /// Then other pseudowires, whose interfaces have gone or come meanwhile, are put in their place.
    public func change(_ plan: () throws(PseudowireError) -> Plan) throws(PseudowireError) {
        try alone { () throws(PseudowireError) in
            let plan = try plan()
            try run(plan)
            if !plan.hasSeenAll { heal() }
        }
    }

    /// Does what has to be done while nobody else changes anything, after mending what died half-way.
    func alone(_ body: () throws(PseudowireError) -> Void) throws(PseudowireError) {
        try directory.checkFileSystem()
        guard let lock = try StateLock(directory.base, .exclusive, patience: patience, waiting: onWait) else {
            return
        }
        try lock.hold { () throws(PseudowireError) in
            defer { onRelease() }
            try directory.checkWritable()
            try directory.reap()
            if !directory.exists { try StateAssembly.removeStray(self) }
            try finishUpgrade()
            // Of this change alone: the next one knows nothing of them.
            finishedInRecovery = []
            try recover()
            try mend()
            // Done or undone, XDP programs may have come or gone. What this does not reach, the next command does.
            defer { if let state = try? openState() { try? noteDrivers(state) } }
            try body()
            refreshInterfaces()
        }
    }

    /// All of a plan, or nothing.
    func run(_ plan: Plan) throws(PseudowireError) {
        guard !plan.isEmpty else { return }
        var executor = try Executor(self)
        try executor.run(plan.actions)
    }

    /// The state, if there is any.
    func openState() throws(PseudowireError) -> DatapathState? {
        directory.exists ? try DatapathState(directory) : nil
    }

    /// The pseudowires that the kernel knows, whole and half made, by name.
    func records(_ state: DatapathState?) throws(PseudowireError) -> [Record] {
        guard let state else { return [] }
        return try state.records(interfaceName: recordedName)
    }

    /// The same in the kernel's order.
    func unsortedRecords(_ state: DatapathState?) throws(PseudowireError) -> [Record] {
        guard let state else { return [] }
        return try state.unsortedRecords(interfaceName: recordedName)
    }

    private func recordedName(_ index: UInt32) -> String? { (try? client.links.get(LinkIndex(rawValue: index)))?.name }
}
