internal import CPseudowireLinux
internal import Glibc

/// A file descriptor with one owner; closed when the owner goes.
struct OwnedDescriptor: ~Copyable, Sendable {
    let raw: Int32

    init(adopting raw: Int32) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }
}
