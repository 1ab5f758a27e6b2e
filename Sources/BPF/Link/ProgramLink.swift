internal import CPseudowireBPF
internal import CPseudowireLinux
internal import Glibc
internal import SystemPackage

/// An attachment that is an object of its own: it lasts as long as its descriptor or its pin.
///
/// ```swift
/// let link = try ProgramLink(program, at: TCXHook(.ingress, of: 3))
/// try link.replaceProgram(with: next, expecting: program)      // loses no frame; refused if another got there first
/// ```
///
/// Owns its descriptor. The kernel takes an interface's index for one of the calling thread's network namespace; for
/// another namespace, call from inside `NetworkNamespace.run(_:)` of RouteNetlink, or from a thread of your own that
/// has entered it.
public struct ProgramLink: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// Appears in errors.
    public let name: String

    /// Where an XDP program runs.
    ///
    /// The corresponding C constants are `XDP_FLAGS_*_MODE`.
    public enum XDPMode: UInt32, Sendable {
        /// In the driver if it can, else in the stack.
        ///
        /// It is what the kernel does when no flag is given.
        case any = 0
        /// In the stack, where every driver can have it: slower, and without limits on the MTU.
        ///
        /// The corresponding C constant is `XDP_FLAGS_SKB_MODE`.
        case generic = 2
        /// In the driver, before the stack has seen the frame; `EOPNOTSUPP` where it has no native XDP.
        ///
        /// The corresponding C constant is `XDP_FLAGS_DRV_MODE`.
        case driver = 4
        /// In the network card.
        ///
        /// The corresponding C constant is `XDP_FLAGS_HW_MODE`.
        case hardware = 8
    }

    /// Attaches an XDP program to an interface of the **calling thread's** network namespace.
    ///
    /// Linux 5.9.
    public init(
        xdp program: borrowing Program, interfaceIndex: UInt32, mode: XDPMode = .any
    ) throws(BPFError) {
        var options = bpf_link_create_opts()
        options.sz = MemoryLayout<bpf_link_create_opts>.size
        options.flags = mode.rawValue
        let result = bpf_link_create(program.fileDescriptor, Int32(bitPattern: interfaceIndex), BPF_XDP, &options)
        let subject = "\(program.name) to interface \(interfaceIndex)"
        descriptor = OwnedDescriptor(adopting: try BPFError.check(result, "attach", subject))
        name = subject
    }

    /// Attaches a program to a tcx hook of the **calling thread's** network namespace.
    ///
    /// - Parameter revision: refuse (`ESTALE`) unless the hook's list of programs still has this revision.
    ///
    /// Linux 6.6.
    public init(
        _ program: borrowing Program, at hook: TCXHook, position: TCXHook.Position = .last,
        expecting revision: UInt64? = nil
    ) throws(BPFError) {
        let (flags, relative) = position.request
        var request = pseudowire_bpf_link_create()
        request.program = UInt32(bitPattern: program.fileDescriptor)
        request.interface = hook.interfaceIndex
        request.attach_type = hook.direction.rawValue
        request.flags = flags
        request.relative = relative
        request.expected_revision = revision ?? 0
        let result = pseudowire_bpf_create_link(&request)
        let subject = "\(program.name) to \(hook.direction) of interface \(hook.interfaceIndex)"
        let hint = result == 0 - Int32(ESTALE) ? "its programs have changed" : nil
        descriptor = OwnedDescriptor(adopting: try BPFError.check(result, "attach", subject, hint: hint))
        name = subject
    }

    /// Opens a link by its number.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 5.8.
    public init(id: UInt32) throws(BPFError) {
        LibbpfMessages.silenced
        let subject = "link \(id)"
        descriptor = OwnedDescriptor(adopting: try BPFError.check(bpf_link_get_fd_by_id(id), "open", subject))
        name = subject
    }

    /// Opens a link that was pinned; refuses what is no link.
    public init(pinnedAt path: String) throws(BPFError) {
        descriptor = try ObjectKind.link.open(path)
        name = path
    }

    /// Gives the link a name on a BPF file system, by which it outlives the process.
    public func pin(at path: String) throws(BPFError) {
        try BPFError.check(bpf_obj_pin(descriptor.raw, path), "pin link at", path)
    }

    /// The same, in place of whatever `path` stood for, if anything; whoever opens it finds one or the other.
    public func pin(replacing path: String) throws(BPFError) {
        try BPFFileSystem.replace(path) { temporary throws(BPFError) in try pin(at: temporary) }
    }

    /// What the kernel says about it now.
    public func info() throws(BPFError) -> LinkInfo {
        try LinkInfo.of(descriptor, name: name)
    }

    /// Has another program run in place of the present one; no frame meets neither or both.
    ///
    /// - Parameter program: the one that takes over; of the same type.
    ///
    /// Errors: `ENOLINK` when the interface is gone. Linux 5.7, XDP 5.9, tcx 6.6.
    public func replaceProgram(with program: borrowing Program) throws(BPFError) {
        try BPFError.check(
            bpf_link_update(descriptor.raw, program.fileDescriptor, nil), "replace program of", name)
    }

    /// The same, unless another program than `old` runs there: then `EPERM`, and nothing has changed.
    public func replaceProgram(
        with program: borrowing Program, expecting old: borrowing Program
    ) throws(BPFError) {
        var options = bpf_link_update_opts()
        options.sz = MemoryLayout<bpf_link_update_opts>.size
        options.flags = 1 << 2  // BPF_F_REPLACE
        options.old_prog_fd = UInt32(bitPattern: old.fileDescriptor)
        let result = bpf_link_update(descriptor.raw, program.fileDescriptor, &options)
        let hint = result == 0 - Int32(EPERM) ? "not if another program than \(old.name) is attached" : nil
        try BPFError.check(result, "replace program of", name, hint: hint)
    }

    /// Ends the attachment now, whoever else holds the link or has pinned it; the link itself remains, attached to
    /// nothing.
    ///
    /// Linux 5.9.
    public func detach() throws(BPFError) {
        try BPFError.check(bpf_link_detach(descriptor.raw), "detach", name)
    }

    /// The interface it is attached to; 0 once that interface, or its whole namespace, is gone.
    public func interfaceIndex() throws(BPFError) -> UInt32 {
        guard let index = try info().interfaceIndex else {
            throw BPFError("inspect link", name, .invalidArgument, hint: "it is attached to no interface")
        }
        return index
    }
}
