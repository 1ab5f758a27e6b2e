internal import CPseudowireBPF

/// libbpf's messages, which it would otherwise print on standard error, a verifier's log of 100,000 lines included.
enum LibbpfMessages {
    /// Done once in a process's life, before anything else is asked of libbpf.
    static let silenced: Void = {
        libbpf_set_print { _, _, _ in 0 }
    }()
}
