internal import CPseudowireBPF
internal import SystemPackage

/// What the kernel says about a link.
///
/// ```swift
/// for link in try LinkInfo.all() where link.programID == program.id { print(link.id, link.interfaceIndex ?? 0) }
/// ```
public struct LinkInfo: Sendable, Equatable {
    /// The kernel's number of it, one for the whole system: what `ProgramLink(id:)` and `TCXHook.Position` take.
    public let id: UInt32
    /// The corresponding C constants are `BPF_LINK_TYPE_*`.
    public let type: UInt32
    /// The program that runs there now.
    public let programID: UInt32
    /// The interface of an XDP, tcx or netkit link; 0 once it is gone, nil for links of other types.
    ///
    /// It counts in the namespace of the link, which the kernel does not report: the same number may be another
    /// interface elsewhere.
    public let interfaceIndex: UInt32?
    /// Where a tcx or netkit link is attached; the corresponding C constants are `BPF_TCX_*` and `BPF_NETKIT_*`.
    public let attachType: UInt32?

    /// `BPF_LINK_TYPE_XDP`, `BPF_LINK_TYPE_TCX`, `BPF_LINK_TYPE_NETKIT`; the last two came after Linux 6.1's headers.
    static let (xdp, tcx, netkit): (UInt32, UInt32, UInt32) = (6, 11, 13)

    /// Every link of the system, of all namespaces; those that vanish meanwhile are left out.
    ///
    /// Needs CAP_SYS_ADMIN. Linux 5.8.
    public static func all() throws(BPFError) -> [LinkInfo] {
        try Enumeration.of("links", next: bpf_link_get_next_id) { id throws(BPFError) in
            try ProgramLink(id: id).info()
        }
    }

    static func of(_ descriptor: borrowing OwnedDescriptor, name: String) throws(BPFError) -> LinkInfo {
        var info = bpf_link_info()
        var length = UInt32(MemoryLayout<bpf_link_info>.size)
        try BPFError.check(bpf_obj_get_info_by_fd(descriptor.raw, &info, &length), "inspect link", name)
        // After the three common fields, what is particular to a type: of these three the interface comes first, then
        // the place. The union begins at the next multiple of eight octets.
        let (interface, place) = withUnsafeBytes(of: info) {
            ($0.load(fromByteOffset: 16, as: UInt32.self), $0.load(fromByteOffset: 20, as: UInt32.self))
        }
        let isChained = info.type == tcx || info.type == netkit
        return LinkInfo(
            id: info.id, type: info.type, programID: info.prog_id,
            interfaceIndex: isChained || info.type == xdp ? interface : nil, attachType: isChained ? place : nil)
    }
}
