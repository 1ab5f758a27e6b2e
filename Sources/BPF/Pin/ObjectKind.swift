internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// What a pin on a BPF file system can stand for.
public enum ObjectKind: String, Sendable, CustomStringConvertible {
    case map, program, link

    public var description: String { rawValue }

    /// Opens what is pinned at `path`, if it is of this kind.
    ///
    /// `BPF_OBJ_GET` opens whatever is there, and most commands then say no more than `EINVAL`; some, such as asking
    /// for information, answer for the other kind. Only procfs tells a descriptor's kind.
    func open(_ path: String) throws(BPFError) -> OwnedDescriptor {
        LibbpfMessages.silenced
        let descriptor = OwnedDescriptor(adopting: try BPFError.check(bpf_obj_get(path), "open \(self)", path))
        let found = try Self.of(descriptor, path)
        guard found == self else {
            throw BPFError("open \(self)", path, .invalidArgument, cause: .wrongKind(expected: self, found: found))
        }
        return descriptor
    }

    /// Nil for a kind that is unknown here.
    private static func of(_ descriptor: borrowing OwnedDescriptor, _ path: String) throws(BPFError) -> ObjectKind? {
        var text = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(descriptor.raw)", &text, text.count)
        guard length >= 0 else {
            throw BPFError("tell the kind of", path, Errno(rawValue: errno), hint: "needs /proc")
        }
        return switch String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) {
        case "anon_inode:bpf-map": .map
        case "anon_inode:bpf-prog": .program
        // Which of the two depends on whether the link was created or opened.
        case "anon_inode:bpf_link", "anon_inode:bpf-link": .link
        default: nil
        }
    }
}
