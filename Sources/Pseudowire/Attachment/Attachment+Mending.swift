internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension Attachment {
    /// Takes off what a command that died left at the other hook.
    ///
    /// A qdisc of our making stays until the interface is let go: removing one costs the interface frames.
    static func mend(
        _ role: Role, on interface: UInt32, at hook: AttachmentHook, _ state: DatapathState,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        try take(role, from: interface, at: hook.other, state, manager)
    }

    /// Pins of links whose interface is gone.
    static func reapLinks(_ directory: StateDirectory) throws(PseudowireError) {
        for name in try FileSystem.entries(of: directory.path) where name.hasPrefix(StateDirectory.linkPrefix) {
            let path = directory.pin(name)
            let interface = try bpf { () throws(BPFError) in try ProgramLink(pinnedAt: path).interfaceIndex() }
            if interface == 0 { try removeLink(at: path) }
        }
    }

    /// The same of the splitter's, which is always on the clsact qdisc: the interface is ours, and nobody else is there
    /// to come before or after.
    static func mendSplitter(_ state: DatapathState, _ manager: PseudowireManager) throws(PseudowireError) {
        let splitter = state.identity.splitter.inner
        let ours = state.programs.encapSplit.id
        guard try programID(.access, on: splitter, at: .clsact, manager) != ours else { return }
        try? attachSplitter(splitter, state.programs, manager.client)
    }

    static func attachSplitter(
        _ inner: UInt32, _ programs: DatapathPrograms, _ client: RouteClient
    ) throws(PseudowireError) {
        try netlink { () throws(NetlinkError) in
            _ = try client.qdiscs.ensureClsact(on: LinkIndex(rawValue: inner))
        }
        try FaultPoint.splitterHooked.reach()
        try netlink { () throws(NetlinkError) in
            _ = try client.filters.replace(
                BPFFilter(
                    program: programs.encapSplit.fileDescriptor, name: "pseudowire_split",
                    priority: Role.access.priority, handle: Role.access.handle),
                at: hook(inner))
        }
    }
}
