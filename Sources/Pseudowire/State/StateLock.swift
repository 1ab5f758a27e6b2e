internal import Glibc
internal import SystemPackage

/// The lock on all state: one writer, or any number of readers.
///
/// Released when its owner goes, also by a crash.
struct StateLock: ~Copyable {
    enum Mode {
        case shared
        case exclusive
    }

    private let descriptor: Int32
    private let directory: String
    private let mode: Mode

    /// Waits until it is granted.
    ///
    /// An exclusive lock makes the directory if there is none; a shared one is nil then, for there is nothing to
    /// read.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for others; nil: as long as it takes.
    ///   - waiting: called once if there is something to wait for.
    init?(
        _ directory: String, _ mode: Mode, patience: Duration? = nil, waiting: () -> Void = {}
    ) throws(PseudowireError) {
        let start = ContinuousClock.now
        let end = patience.map { start.advanced(by: $0) }
        // Whoever only looks, and has to wait a moment, need not hear of it.
        let notice = mode == .shared ? start.advanced(by: .seconds(1)) : start
        var isWaiting = false
        while true {
            if mode == .exclusive { try StateOwnership.makeBase(directory) }
            let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else {
                let code = Errno(rawValue: errno)
                if code == .noSuchFileOrDirectory { if mode == .shared { return nil } else { continue } }
                // What was made just now and holds nothing is not left behind.
                if mode == .exclusive { rmdir(directory) }
                // Anybody may put one into a directory like /tmp, and so lead root's state to where it is theirs.
                if code == .notDirectory || code == .tooManySymbolicLinkLevels {
                    throw .refused(
                        "\(directory) is no directory but a link or a pin, which somebody else has put there: remove it with "
                            + "'rm \(directory)'")
                }
                if code == .permissionDenied, let owner = FileSystem.owner(of: directory) {
                    throw .refused(
                        """
                        \(directory) belongs to user \(owner), who made the first pseudowire on this machine, and is nobody \
                        else's to read: run it as that user or as root
                        """)
                }
                if code == .permissionDenied { throw StateOwnership.noWay("open \(directory)", to: directory) }
                throw .system("open \(directory)", code)
            }
            let operation = mode == .exclusive ? LOCK_EX : LOCK_SH
            while flock(descriptor, isWaiting && end == nil ? operation : operation | LOCK_NB) != 0 {
                let code = errno
                if code == EINTR { continue }
                guard code == EWOULDBLOCK else {
                    close(descriptor)
                    throw .system("lock \(directory)", Errno(rawValue: code))
                }
                let now = ContinuousClock.now
                if !isWaiting, now >= notice {
                    waiting()
                    isWaiting = true
                }
                if let end, now >= end {
                    defer { close(descriptor) }
                    throw .refused(
                        "another command is changing pseudowires\(LockHolder.of(descriptor)); waited as long as was asked "
                            + "for, did nothing")
                }
                usleep(10_000)
            }
            // Whoever held it may have removed the directory with the last state in it.
            var held = stat()
            var named = stat()
            if fstat(descriptor, &held) == 0, lstat(directory, &named) == 0, held.st_ino == named.st_ino {
                if mode == .exclusive, held.st_uid != geteuid(), !StateOwnership.isInUse(descriptor, by: held.st_uid) {
                    close(descriptor)
                    throw .refused(
                        """
                        \(directory) belongs to user \(held.st_uid), who has no pseudowires: remove it ('rmdir \(directory)'), \
                        or run this as that user
                        """)
                }
                self.descriptor = descriptor
                self.directory = directory
                self.mode = mode
                return
            }
            close(descriptor)
        }
    }

    /// Does something while it is held.
    ///
    /// What came of a change, also of one that failed, is the directory's owner's: else root would lock that user out.
    borrowing func hold<Value>(_ body: () throws(PseudowireError) -> Value) throws(PseudowireError) -> Value {
        defer { if mode == .exclusive { StateOwnership.giveToOwner(of: descriptor) } }
        return try body()
    }

    deinit {
        // An empty directory says nothing; rmdir() refuses one that is not.
        if mode == .exclusive { rmdir(directory) }
        close(descriptor)
    }
}
