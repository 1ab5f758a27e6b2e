internal import CPseudowireBPF
internal import Glibc

/// A file descriptor with one owner; closed when the owner goes.
struct OwnedDescriptor: ~Copyable, Sendable {
    let raw: Int32

    init(adopting raw: Int32) {
        self.raw = raw
    }

    /// A program by its number; needs CAP_SYS_ADMIN.
    init(program id: UInt32) throws(BPFError) {
        LibbpfMessages.silenced
        self.init(adopting: try BPFError.check(bpf_prog_get_fd_by_id(id), "open", "program \(id)"))
    }

    /// A map by its number; needs CAP_SYS_ADMIN.
    init(map id: UInt32) throws(BPFError) {
        LibbpfMessages.silenced
        self.init(adopting: try BPFError.check(bpf_map_get_fd_by_id(id), "open", "map \(id)"))
    }

    deinit {
        close(raw)
    }
}
