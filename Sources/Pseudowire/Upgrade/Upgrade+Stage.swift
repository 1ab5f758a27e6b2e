internal import BPF
internal import CPseudowireObject
internal import RouteNetlink
internal import SystemPackage

/// Proving the new datapath, and putting it together beside the one that carries frames.
extension Upgrade {
    /// What is staged is a whole state; nothing of it is undone but by removing its directory.
    func stage(_ image: DatapathImage) throws(PseudowireError) {
        let directory = manager.directory
        let configurations = try readableRecords()
        try checkReasons()
        try DatapathProof.run(image, for: configurations)
        try FaultPoint.upgradeProved.reach()
        try StateDirectory.remove(directory.draft, ifThere: true)
        let client = manager.client
        let pins = try FileSystem.entries(of: directory.path)
        let links = try netlink { () throws(NetlinkError) in try client.links.list() }
        do throws(PseudowireError) {
            try FileSystem.makeDirectory(directory.draft)
            try bpf { () throws(BPFError) in
                let object = try load(image)
                try StateAssembly.pin(object, in: directory.draft)
                try copy(links)
                try describe(image)
                try pinLinks(pins)
            }
            try check(configurations.count)
            try FileSystem.rename(directory.draft, to: directory.successor)
            try FaultPoint.upgradeStaged.reach()
        } catch {
            try? StateDirectory.remove(directory.draft, ifThere: true)
            throw error
        }
    }

    /// Every pseudowire that is recorded; a record that this release cannot read is one that it would lose.
    private func readableRecords() throws(PseudowireError) -> [PseudowireConfiguration] {
        let entries = try bpf { () throws(BPFError) in try present(.pseudowires).entries() }
        return try entries.map { entry throws(PseudowireError) in
            let (key, octets) = StateConversion.convert(entry, of: .pseudowires, from: old.abi)
            var (name, value) = (pw_name(), pw_record())
            Octets.write(key, to: &name.text)
            Octets.write(octets, to: &value)
            guard let record = Record(name: name.string, value: value, interfaceName: { _ in nil }) else {
                throw .refused(
                    "the pseudowire \(name.string) has options that this release does not know; it is left as it is")
            }
            return record.configuration
        }
    }

    /// A build with fewer reasons than there are counts for would forget those.
    private func checkReasons() throws(PseudowireError) {
        let known = PW_DROP_REASON_COUNT.rawValue
        let unknown = try bpf { () throws(BPFError) in
            let drops = try present(.drops)
            guard renewed.contains(.drops), drops.info.maxEntries > known else { return false }
            for reason in known..<drops.info.maxEntries {
                let key = withUnsafeBytes(of: reason) { Array($0) }
                if try drops.value(of: key)?.contains(where: { $0 != 0 }) == true { return true }
            }
            return false
        }
        if unknown {
            throw .refused(
                "the datapath has counted drops for reasons that this release does not know, and would lose them; it is "
                    + "left as it was")
        }
    }

    private func present(_ map: DatapathObject.MapName) throws(BPFError) -> RawMap {
        try RawMap(pinnedAt: manager.directory.pin(map.rawValue))
    }

    private func staged(_ map: DatapathObject.MapName) throws(BPFError) -> RawMap {
        try RawMap(pinnedAt: "\(manager.directory.draft)/\(map.rawValue)")
    }

    /// Loads the programs on the maps that there are, and on new ones where those cannot be kept.
    private func load(_ image: DatapathImage) throws(BPFError) -> LoadedObject {
        let file = try Self.open(
            image, maxSessions: old.maxSessions, at: manager.directory.path, renewing: renewed)
        for map in DatapathObject.MapName.allCases where !renewed.contains(map) {
            try file.reuse(present(map), forMap: map.rawValue)
        }
        return try file.load()
    }

    /// Fills the new maps, but for those that are only counted in: what is counted until the last moment is carried
    /// over at the end.
    private func copy(_ links: [Link]) throws(BPFError) {
        for map in DatapathObject.MapName.allCases where renewed.contains(map) {
            switch map {
            case .meta, .counters, .drops, .sessionDrops, .events, .sequences: continue
            case .past where old.abi < 4: continue
            case .access, .sessions, .pseudowires, .ports, .paths, .past:
                let target = try staged(map)
                for entry in try present(map).entries() {
                    let (key, value) = StateConversion.convert(entry, of: map, from: old.abi)
                    try target.update(key: key, value: value)
                }
            }
        }
        // Since ABI 4 ports say what their packets begin with, which only the kernel knows.
        guard renewed.contains(.ports) else { return }
        let ports = try Map<UInt32, pw_port>(
            pinnedAt: "\(manager.directory.draft)/\(DatapathObject.MapName.ports.rawValue)")
        for link in links {
            guard var port = try ports[link.index.rawValue] else { continue }
            port.noteShape(of: link)
            try ports.update(key: link.index.rawValue, value: port)
        }
    }

    private func describe(_ image: DatapathImage) throws(BPFError) {
        var meta = pw_meta()
        meta.magic = UInt32(PW_MAGIC)
        meta.abi_version = StateIdentity.ownABI
        meta.max_sessions = old.maxSessions
        meta.splitter_outer = old.splitter.outer
        meta.splitter_inner = old.splitter.inner
        // Where there is none yet, mending makes one after the commit.
        meta.joiner_outer = old.joiner.outer
        meta.joiner_inner = old.joiner.inner
        meta.namespace_cookie = old.namespaceCookie
        meta.namespace_inode = old.namespaceInode
        meta.generation = plan.to.generation
        Octets.write(image.build.octets, to: &meta.build)
        meta.loaded = PseudowireManager.now()
        try staged(.meta).update(key: [0, 0, 0, 0], value: Octets.read(meta))
    }

    /// The links stay what they are; each has a pin in both directories.
    private func pinLinks(_ pins: [String]) throws(BPFError) {
        for name in pins where name == DatapathObject.alive || name.hasPrefix(StateDirectory.linkPrefix) {
            try ProgramLink(pinnedAt: manager.directory.pin(name)).pin(at: "\(manager.directory.draft)/\(name)")
        }
    }

    /// Opens what was staged as the next command will, and looks that it is all there, on the very maps that were kept.
    private func check(_ count: Int) throws(PseudowireError) {
        let state = try DatapathState(manager.directory, at: manager.directory.draft)
        let found = try state.records { _ in nil }.count
        guard found == count else {
            throw .refused("only \(found) of \(count) pseudowires came over; the datapath is left as it was")
        }
        try bpf { () throws(BPFError) in
            let used = Set(
                try state.programs.encap.info().mapIDs + state.programs.encapSplit.info().mapIDs
                    + state.programs.decap.info().mapIDs + state.programs.decapL3.info().mapIDs)
            for map in [DatapathObject.MapName.access, .sessions, .counters, .sequences, .paths]
            where !renewed.contains(map) {
                guard try used.contains(present(map).info.id) else {
                    throw BPFError("use map", map.rawValue, .invalidArgument, hint: "the new programs do not")
                }
            }
        }
    }
}
