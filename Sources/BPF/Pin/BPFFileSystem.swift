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

    /// Pins a new object in place of whatever `path` stood for: at no time is there nothing, or half of it.
    ///
    /// The object is pinned beside it first and then renamed, which the kernel does at once. Not for directories.
    static func replace(_ path: String, _ pin: (String) throws(BPFError) -> Void) throws(BPFError) {
        // The name is this process's, and this call's: what a process that died left does not stand in the way.
        let temporary = "\(path):\(getpid()):\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        try pin(temporary)
        guard rename(temporary, path) == 0 else {
            let code = Errno(rawValue: errno)
            unlink(temporary)
            throw BPFError("replace pin", path, code)
        }
    }
}
