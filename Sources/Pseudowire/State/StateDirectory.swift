internal import BPF
internal import Glibc
internal import SystemPackage

/// Where the state of one network namespace lies: a directory of pins on the BPF file system.
///
/// Named after the namespace's cookie, which, unlike its inode, is never given to another one.
struct StateDirectory: Hashable, Sendable {
    /// The BPF file system.
    let root: String
    let namespaceCookie: UInt64

    /// The directory of all namespaces' states; locked while one of them changes.
    var base: String { "\(root)/pseudowire" }
    /// The directory of this namespace's state.
    var path: String { "\(base)/\(String(namespaceCookie, radix: 16))" }
    /// Where it is put together before it gets its name, so that half a state is never found under it.
    var draft: String { "\(base)/new:\(String(namespaceCookie, radix: 16))" }

    /// What is to take its place, whole, while an upgrade is on its way; afterwards what it was.
    var successor: String { "\(base)/upgrade:\(String(namespaceCookie, radix: 16))" }

    func pin(_ name: String) -> String { "\(path)/\(name)" }

    /// The pin of a tcx link; a colon is in no name of a map or program.
    func linkPin(_ role: Attachment.Role, _ interface: UInt32) -> String {
        pin("\(Self.linkPrefix)\(interface):\(role.word)")
    }

    /// The pin of an XDP link, which is before a filter.
    func xdpPin(_ role: Attachment.Role, _ interface: UInt32) -> String { linkPin(role, interface) + ":xdp" }

    static let linkPrefix = "link:"
    /// The pin of the link that watches over the joiner; the splitter's has its program's name.
    static let joinerWatch = "link:joiner"

    var exists: Bool { FileSystem.exists(path) }

    /// Says what to do where there is no BPF file system.
    func checkFileSystem() throws(PseudowireError) {
        guard !BPFFileSystem.isMounted(at: root) else { return }
        throw .refused(
            """
            no BPF file system at \(root): mount one with 'mount -t bpf bpf \(root)'. \
            ('ip netns exec' hides the one that is there: use --netns instead.)
            """)
    }

    /// Whether pins can be made and taken away: asked before anything is begun, for the last step of some changes is
    /// one.
    func checkWritable() throws(PseudowireError) {
        guard access(base, W_OK) == 0 else { throw .system("change \(base)", Errno(rawValue: errno)) }
    }

    /// What to say where a pin of a state cannot be opened: one that is missing has been removed by hand.
    static func unopened(_ path: String, _ error: BPFError) -> PseudowireError {
        guard error.isNotFound, FileSystem.exists(path) else { return .bpf(error) }
        return .refused(
            """
            \(error): \(path) is damaged, for somebody has removed a pin from it; remove the rest with 'rm -r \(path)', \
            then pw-split0 and pw-join0 with 'pwctl teardown', and filters on clsact qdiscs, if there are any, with 'tc filter \
            del dev INTERFACE ingress pref \(Attachment.Role.access.priority)'; then make the pseudowires again
            """)
    }

    /// Removes pins and directory.
    static func remove(_ directory: String, ifThere: Bool = false) throws(PseudowireError) {
        if ifThere, !FileSystem.exists(directory) { return }
        for name in try FileSystem.entries(of: directory) {
            try bpf { () throws(BPFError) in _ = try BPFFileSystem.unpin("\(directory)/\(name)") }
        }
        guard FileSystem.removeDirectory(directory) else {
            throw .system("remove directory \(directory)", Errno(rawValue: errno))
        }
    }

    /// Removes what commands that died before they were done, and namespaces that are no more, have left behind.
    ///
    /// Call with the exclusive lock held.
    func reap() throws(PseudowireError) {
        for name in try FileSystem.entries(of: base) {
            let directory = "\(base)/\(name)"
            if name.hasPrefix("new:") {
                try Self.remove(directory)
            } else if directory != path, let link = try? ProgramLink(pinnedAt: "\(directory)/\(DatapathObject.alive)"),
                let index = try? link.interfaceIndex(), index == 0, try !Self.hasLiveLink(directory)
            {
                try Self.remove(directory)
            }
        }
    }

    /// Whether a filter on the tcx hook, an XDP program, or what watches over the joiner is on an interface: then the
    /// namespace is there, and only the splitter is gone.
    private static func hasLiveLink(_ directory: String) throws(PseudowireError) -> Bool {
        for name in try FileSystem.entries(of: directory) where name.hasPrefix(linkPrefix) {
            let index = try bpf { () throws(BPFError) in
                try ProgramLink(pinnedAt: "\(directory)/\(name)").interfaceIndex()
            }
            if index != 0 { return true }
        }
        return false
    }
}
