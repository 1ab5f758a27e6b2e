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
}
