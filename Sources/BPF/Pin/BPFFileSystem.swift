internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// The file system on which BPF objects have names.
public enum BPFFileSystem {
    /// Where it is by convention.
    public static let conventionalPath = "/sys/fs/bpf"

    /// Whether `path` lies on a BPF file system; false also where there is no such path.
    public static func isMounted(at path: String) -> Bool {
        var status = statfs()
        guard statfs(path, &status) == 0 else { return false }
        return status.f_type == 0xcafe_4a11  // BPF_FS_MAGIC, linux/magic.h
    }

    /// Mounts one at `path`.
    ///
    /// Needs CAP_SYS_ADMIN.
    public static func mount(at path: String) throws(BPFError) {
        guard Glibc.mount("bpf", path, "bpf", 0, "mode=0700") == 0 else {
            throw BPFError("mount a BPF file system at", path, Errno(rawValue: errno))
        }
    }

    /// Removes a pin; says whether it was there.
    ///
    /// The object lives on while anything else refers to it.
    @discardableResult
    public static func unpin(_ path: String) throws(BPFError) -> Bool {
        if unlink(path) == 0 { return true }
        let code = Errno(rawValue: errno)
        if code == .noSuchFileOrDirectory { return false }
        throw BPFError("remove pin", path, code)
    }
}
