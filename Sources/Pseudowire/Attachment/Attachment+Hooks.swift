internal import BPF
internal import CPseudowireObject
internal import Glibc
internal import RouteNetlink
internal import SystemPackage

/// The filters themselves: put, found, exchanged and taken at one of the two hooks.
extension Attachment {
    /// The program that an interface's filter of ours runs, or nil if there is none at our place.
    static func programID(
        _ role: Role, on interface: UInt32, at hook: AttachmentHook, _ manager: PseudowireManager
    ) throws(PseudowireError) -> UInt32? {
        switch hook {
        case .clsact:
            do throws(NetlinkError) {
                return try manager.client.filters.get(
                    priority: role.priority, handle: role.handle, at: Self.hook(interface))?.programID
            } catch {
                // No clsact, or no such interface: no filter. Anything else says nothing about filters.
                guard error.isNotFound || error.errno == .invalidArgument else { throw .netlink(error) }
                return nil
            }
        case .tcx: return try linkInfo(at: manager.directory.linkPin(role, interface), interface)?.programID
        }
    }

    /// What the kernel says of our link to an interface; nil without one, or when it has come off.
    static func linkInfo(at path: String, _ interface: UInt32) throws(PseudowireError) -> BPF.LinkInfo? {
        do throws(BPFError) {
            let info = try ProgramLink(pinnedAt: path).info()
            return info.interfaceIndex == interface ? info : nil
        } catch {
            guard error.isNotFound else { throw .bpf(error) }
            return nil
        }
    }

    /// Puts the filter on an interface, and the clsact qdisc under it if it needs one.
    ///
    /// A filter of ours that is there already, left by a command that died, is adopted; anything else at our place is
    /// refused.
    ///
    /// - Parameter port: what is written down of the interface. A qdisc that somebody else has made in this moment is
    ///   not of our making after all.
    static func put(
        _ role: Role, on link: Link, at hook: AttachmentHook, _ port: inout pw_port, isQdiscNew: Bool,
        _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        switch hook {
        case .clsact:
            let client = manager.client
            let outcome: Qdiscs.Outcome
            do throws(NetlinkError) { outcome = try client.qdiscs.ensureClsact(on: link.index) } catch {
                // A legacy qdisc is there.
                throw error.isAlreadyPresent ? .refused("\(link.name): \(error)") : .netlink(error)
            }
            if isQdiscNew, outcome == .alreadyPresent {
                port.flags &= ~UInt32(PW_PORT_OWNS_CLSACT)
                let value = port
                try bpf { () throws(BPFError) in try state.ports.update(key: link.index.rawValue, value: value) }
            }
            try FaultPoint.clsactMade.reach()
            try putFilter(role, on: link, state, manager)
        case .tcx: try putLink(role, on: link, state, manager)
        }
    }

    private static func putFilter(
        _ role: Role, on link: Link, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let interface = link.index.rawValue
        let filter = BPFFilter(
            program: state.programs.descriptor(role, on: link), name: role.filterName, priority: role.priority,
            handle: role.handle)
        do throws(NetlinkError) {
            _ = try manager.client.filters.add(filter, at: Self.hook(interface))
        } catch {
            let present = try programID(role, on: interface, at: .clsact, manager)
            guard error.isAlreadyPresent, present == state.programs.id(role, on: link) else {
                throw error.isAlreadyPresent
                    ? .refused(
                        """
                        \(link.name) has a filter of somebody else's at priority \(role.priority) handle \
                        \(role.handle), where this program's belongs
                        """)
                    : .netlink(error)
            }
        }
    }

    /// The link's pin is what keeps it; it is in our directory, so what it stands for is ours.
    private static func putLink(
        _ role: Role, on link: Link, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let interface = link.index.rawValue
        let path = manager.directory.linkPin(role, interface)
        if try linkInfo(at: path, interface)?.programID == state.programs.id(role, on: link) { return }
        // What is left is a link whose interface went, perhaps to come back under its old number.
        try removeLink(at: path)
        try state.programs.with(role, on: link) { program throws(PseudowireError) in
            // An attachment is made in the namespace of the thread that asks for it.
            let outcome: Result<Void, BPFError> = try netlink { () throws(NetlinkError) in
                try manager.namespace.run {
                    Result { () throws(BPFError) in
                        try ProgramLink(program, at: TCXHook(.ingress, of: interface)).pin(at: path)
                    }
                }
            }
            try bpf { () throws(BPFError) in try outcome.get() }
        }
    }

    /// Takes the filter off, if it is there and ours.
    static func take(
        _ role: Role, from interface: UInt32, at hook: AttachmentHook, _ state: DatapathState,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        switch hook {
        case .clsact:
            let client = manager.client
            // One of the two for the underlay, whatever the interface's header has become since.
            let ours =
                role == .access ? [state.programs.encap.id] : [state.programs.decap.id, state.programs.decapL3.id]
            guard let present = try programID(role, on: interface, at: .clsact, manager), ours.contains(present) else {
                return
            }
            try netlink { () throws(NetlinkError) in
                try client.filters.delete(priority: role.priority, handle: role.handle, at: Self.hook(interface))
            }
        case .tcx: try removeLink(at: manager.directory.linkPin(role, interface))
        }
        try FaultPoint.filterRemoved.reach()
    }

    /// Ends a link, whoever else has it open; no link is no error.
    static func removeLink(at path: String) throws(PseudowireError) {
        do throws(BPFError) {
            let link = try ProgramLink(pinnedAt: path)
            if try link.info().interfaceIndex != 0 { try link.detach() }
            try BPFFileSystem.unpin(path)
        } catch {
            guard error.isNotFound else { throw .bpf(error) }
        }
    }

    /// Has another datapath's program run in the place of this one's; each frame meets one or the other.
    static func exchange(
        _ role: Role, on link: Link, at hook: AttachmentHook, from old: DatapathPrograms, to new: DatapathPrograms,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let interface = link.index.rawValue
        let present = try programID(role, on: interface, at: hook, manager)
        // It may be the new one already; and where there is none, or somebody else's, nothing is to be done here.
        guard present == old.id(role, on: link) else { return }
        switch hook {
        case .clsact:
            let client = manager.client
            let filter = BPFFilter(
                program: new.descriptor(role, on: link), name: role.filterName, priority: role.priority,
                handle: role.handle)
            try netlink { () throws(NetlinkError) in _ = try client.filters.replace(filter, at: Self.hook(interface)) }
        case .tcx:
            do throws(BPFError) {
                let attached = try ProgramLink(pinnedAt: manager.directory.linkPin(role, interface))
                try new.replaceProgram(of: attached, role, on: link, expecting: old)
            } catch {
                // The interface has gone in this moment.
                guard error.errno.rawValue == ENOLINK else { throw .bpf(error) }
            }
        }
    }
}
