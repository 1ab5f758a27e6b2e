internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// An attachment that is an object of its own: it lasts as long as its descriptor or its pin.
public struct ProgramLink: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// Appears in errors.
    public let name: String

    /// Where an XDP program runs.
    ///
    /// The corresponding C constants are `XDP_FLAGS_*_MODE`.
    public enum XDPMode: UInt32, Sendable {
        /// In the driver if it can, else in the stack.
        case any = 0
        /// In the stack, where every driver can have it: slower, and without limits on the MTU.
        case generic = 2
        case driver = 4
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

    /// Opens a link that was pinned.
    public init(pinnedAt path: String) throws(BPFError) {
        LibbpfMessages.silenced
        descriptor = OwnedDescriptor(adopting: try BPFError.check(bpf_obj_get(path), "open link", path))
        name = path
    }

    /// Gives the link a name on a BPF file system, by which it outlives the process.
    public func pin(at path: String) throws(BPFError) {
        try BPFError.check(bpf_obj_pin(descriptor.raw, path), "pin link at", path)
    }

    /// The interface an XDP link is attached to; 0 once that interface, or its whole namespace, is gone.
    public func interfaceIndex() throws(BPFError) -> UInt32 {
        var info = bpf_link_info()
        var length = UInt32(MemoryLayout<bpf_link_info>.size)
        try BPFError.check(bpf_obj_get_info_by_fd(descriptor.raw, &info, &length), "inspect link", name)
        guard info.type == BPF_LINK_TYPE_XDP.rawValue else {
            throw BPFError("inspect link", name, .invalidArgument, hint: "it is no XDP link")
        }
        return info.xdp.ifindex
    }
}
