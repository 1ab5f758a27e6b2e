internal import BPF
internal import CPseudowireObject
internal import Glibc
internal import RouteNetlink

/// The first pseudowire of a namespace brings the datapath with it; the last one takes it away.
enum StateAssembly {
    /// Makes the splitter and the joiner, loads the datapath, pins it.
    ///
    /// What was made is unmade if anything fails.
    ///
    /// - Parameter journal: says what it is made for; the state is never found without it.
    static func make(
        _ manager: PseudowireManager, maxSessions: UInt32, _ journal: borrowing Journal
    ) throws(PseudowireError) {
        let client = manager.client
        let directory = manager.directory
        for pair in [Splitter.pair, Joiner.pair] {
            // A name that is somebody else's is told of before anything is made; one of ours was left behind by a
            // command that died right here.
            if try pair.find(client) != nil { try pair.remove(client) }
        }
        let splitter = try Splitter.create(client, in: manager.namespace)
        do throws(PseudowireError) {
            let joiner = try Joiner.create(client)
            try FileSystem.makeDirectory(directory.draft)
            try FaultPoint.draftMade.reach()
            let expected = journal.count
            let object = try bpf { () throws(BPFError) in
                try DatapathObject.open(maxSessions: maxSessions, expected: expected).load()
            }
            try FaultPoint.datapathLoaded.reach()
            try bpf { () throws(BPFError) in try pin(object, in: directory.draft) }
            try FaultPoint.datapathPinned.reach()
            try bpf { () throws(BPFError) in try describe(object, splitter, joiner, manager, maxSessions) }
            try FaultPoint.datapathDescribed.reach()
            let alive = try bpf { () throws(BPFError) in try object.program(DatapathObject.alive) }
            try Watch.begin(alive, on: splitter.outer, at: "\(directory.draft)/\(DatapathObject.alive)", manager)
            try FaultPoint.watchPinned.reach()
            try Watch.begin(alive, on: joiner.outer, at: "\(directory.draft)/\(StateDirectory.joinerWatch)", manager)
            let programs = try bpf { () throws(BPFError) in try DatapathPrograms(object) }
            try Attachment.attachSplitter(splitter.inner, programs, client)
            try FaultPoint.splitterAttached.reach()
            try Attachment.attachJoiner(joiner.inner, programs, client)
            try FaultPoint.joinerAttached.reach()
            try journal.pin(in: directory.draft)
            try FaultPoint.journalPinned.reach()
            try FileSystem.rename(directory.draft, to: directory.path)
        } catch {
            try? Splitter.remove(client)
            try? Joiner.pair.remove(client)
            try? StateDirectory.remove(directory.draft)
            throw error
        }
        try FaultPoint.stateNamed.reach()
    }

    /// Takes its name from the state, removes joiner and splitter, then the pins; the kernel frees what nothing refers
    /// to any more.
    ///
    /// Undone if they cannot be removed. Also for what is half made.
    static func remove(_ manager: PseudowireManager) throws(PseudowireError) {
        let directory = manager.directory
        let hasName = directory.exists
        // What could not even be begun, as where a name that it needs is somebody else's, has nothing to be removed.
        guard hasName || FileSystem.exists(directory.draft) else { return try removeStray(manager) }
        if hasName { try FileSystem.rename(directory.path, to: directory.draft) }
        do throws(PseudowireError) {
            try FaultPoint.stateUnnamed.reach()
            try Joiner.pair.remove(manager.client)
            try FaultPoint.joinerRemoved.reach()
            try Splitter.remove(manager.client)
        } catch {
            if hasName {
                try FileSystem.rename(directory.draft, to: directory.path)
                // Else segments would go into a joiner that is no more.
                if let state = try? manager.openState() { try? manager.mendJoiner(state) }
            }
            throw error
        }
        do throws(PseudowireError) {
            try FaultPoint.splitterRemoved.reach()
            try removePorts(manager.client)
            try StateDirectory.remove(directory.draft)
            try FaultPoint.stateRemoved.reach()
        } catch {
            throw .unfinished(error, left: ["remove \(directory.draft)"])
        }
    }

    /// Removes interfaces without a state, of a command that died between making or removing the one and the other.
    ///
    /// A pair that is watched over has a state: where none is to be seen, it is on another BPF file system.
    static func removeStray(_ manager: PseudowireManager) throws(PseudowireError) {
        let client = manager.client
        // A link ends some time after its last pin.
        for _ in 0..<200 {
            guard try watched(client) != nil else { break }
            usleep(10_000)
        }
        if let name = try watched(client) {
            throw .refused(
                """
                the state of this namespace's pseudowires is on another BPF file system than \(manager.directory.root), for \
                \(name) is in use: run this where that one is mounted
                """)
        }
        for pair in [Joiner.pair, Splitter.pair] where (try? pair.find(client)) != nil { try pair.remove(client) }
        try removePorts(client)
    }

    /// The outer end of a pair of ours that has an XDP program, which is the one that watches over it.
    private static func watched(_ client: RouteClient) throws(PseudowireError) -> String? {
        for pair in [Splitter.pair, Joiner.pair] {
            let outer = try netlink { () throws(NetlinkError) in try client.links.find(named: pair.outerName) }
            if let outer, outer.alias == pair.alias, outer.xdp?.first != nil { return outer.name }
        }
        return nil
    }

    /// Customers' interfaces that no record knows any more.
    private static func removePorts(_ client: RouteClient) throws(PseudowireError) {
        let links = try netlink { () throws(NetlinkError) in try client.links.list() }
        for link in links where link.alias == CustomerPort.alias {
            do throws(NetlinkError) { try client.links.delete(link.index) } catch {
                guard error.isNotFound else { throw .netlink(error) }
            }
        }
    }

    /// Pins all maps and programs of an object.
    static func pin(_ object: borrowing LoadedObject, in directory: String) throws(BPFError) {
        for name in DatapathObject.MapName.allCases {
            try object.rawMap(name.rawValue).pin(at: "\(directory)/\(name.rawValue)")
        }
        for program in DatapathObject.carriers { try object.program(program).pin(at: "\(directory)/\(program)") }
    }

    private static func describe(
        _ object: borrowing LoadedObject, _ splitter: OwnPair.Indexes, _ joiner: OwnPair.Indexes,
        _ manager: PseudowireManager, _ maxSessions: UInt32
    ) throws(BPFError) {
        var meta = pw_meta()
        meta.magic = UInt32(PW_MAGIC)
        meta.abi_version = UInt32(PW_ABI_VERSION)
        meta.max_sessions = maxSessions
        meta.splitter_outer = splitter.outer
        meta.splitter_inner = splitter.inner
        meta.joiner_outer = joiner.outer
        meta.joiner_inner = joiner.inner
        meta.namespace_cookie = manager.directory.namespaceCookie
        meta.namespace_inode = manager.namespace.inode
        Octets.write(DatapathImage.embedded.build.octets, to: &meta.build)
        meta.loaded = PseudowireManager.now()
        try object.map(DatapathObject.MapName.meta.rawValue, as: Map<UInt32, pw_meta>.self).update(key: 0, value: meta)
    }
}
