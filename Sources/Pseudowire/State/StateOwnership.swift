internal import Glibc
internal import SystemPackage

/// Whose the directory of all state is: everything below it belongs to its owner, and to nobody else.
///
/// Its owner may put anything into it at any time, and root works there, too. So below it everything is done by
/// descriptors, and no link is followed.
enum StateOwnership {
    // glibc has these for _GNU_SOURCE alone; asm-generic/fcntl.h and linux/fcntl.h.
    private static let path: Int32 = 0o10_000_000  // O_PATH
    private static let emptyPath: Int32 = 0x1000  // AT_EMPTY_PATH

    /// Makes the directory, or says what root has to do so that this user may.
    static func makeBase(_ path: String) throws(PseudowireError) {
        do throws(PseudowireError) { try FileSystem.makeDirectory(path) } catch {
            guard case .system(let operation, .permissionDenied) = error else { throw error }
            throw noWay(operation, to: path)
        }
    }

    /// A BPF file system that only root may enter, as systemd mounts it, or only root may make directories in.
    static func noWay(_ operation: String, to path: String) -> PseudowireError {
        .refused("\(operation): \(Errno.permissionDenied); \(cure(path))")
    }

    /// Why this user could not make or change state, and what helps; nil where nothing is in the way.
    static func obstacle(_ path: String) -> (what: String, cure: String?)? {
        guard access(path, R_OK | W_OK | X_OK) != 0 else { return nil }
        if errno == ENOENT {
            // It is to be made yet.
            guard access(root(of: path), W_OK | X_OK) != 0 else { return nil }
        } else if errno == EACCES, let owner = FileSystem.owner(of: path) {
            return ("\(path) belongs to user \(owner)", "run it as that user or as root")
        }
        let code = Errno(rawValue: errno)
        guard code == .permissionDenied else { return ("\(path) cannot be used: \(code)", Cure.of(code)) }
        return ("user \(geteuid()) may not make anything there", cure(path))
    }

    private static func root(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
    }

    /// How root opens a way to the directory for this user, and for nobody else.
    static func cure(_ path: String) -> String {
        "run it as root, or have root do 'chmod a+x \(root(of: path))' and 'install -d -o \(geteuid()) -m 700 \(path)'"
    }

    /// Whether a state of the owner's is in the directory.
    ///
    /// Anybody can make directories and links. Pins take capabilities, so that whoever has one has not come to lie in
    /// wait for root's state.
    static func isInUse(_ base: Int32, by owner: UInt32) -> Bool {
        FileSystem.entries(at: base).contains { name in
            let entry = openat(base, name, Self.path | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard entry >= 0 else { return false }
            defer { close(entry) }
            var status = stat()
            return fstatat(entry, DatapathObject.MapName.meta.rawValue, &status, AT_SYMLINK_NOFOLLOW) == 0
                && status.st_mode & S_IFMT == S_IFREG && status.st_uid == owner
        }
    }

    /// Gives what this process's user has below the directory to the directory's owner.
    ///
    /// What cannot be given stays as it is: the change is done, and to root nothing is lost by it.
    static func giveToOwner(of base: Int32) {
        var owner = stat()
        guard fstat(base, &owner) == 0, owner.st_uid != geteuid() else { return }
        for name in FileSystem.entries(at: base) {
            let directory = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard directory >= 0 else { continue }
            defer { close(directory) }
            for pin in FileSystem.entries(at: directory) {
                let entry = openat(directory, pin, Self.path | O_NOFOLLOW | O_CLOEXEC)
                guard entry >= 0 else { continue }
                give(entry, to: owner)
                close(entry)
            }
            give(directory, to: owner)
        }
    }

    /// A pin that has another name as well is somebody's from elsewhere.
    private static func give(_ entry: Int32, to owner: stat) {
        var status = stat()
        guard fstat(entry, &status) == 0, status.st_uid == geteuid() else { return }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFDIR || kind == S_IFREG && status.st_nlink == 1 else { return }
        _ = fchownat(entry, "", owner.st_uid, owner.st_gid, Self.emptyPath)
    }
}
