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
    init?(_ directory: String, _ mode: Mode) throws(PseudowireError) {
        while true {
            if mode == .exclusive { try FileSystem.makeDirectory(directory) }
            let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let code = Errno(rawValue: errno)
                if code == .noSuchFileOrDirectory { if mode == .shared { return nil } else { continue } }
                throw .system("open \(directory)", code)
            }
            while flock(descriptor, mode == .exclusive ? LOCK_EX : LOCK_SH) != 0 {
                let code = errno
                guard code == EINTR else {
                    close(descriptor)
                    throw .system("lock \(directory)", Errno(rawValue: code))
                }
            }
            // Whoever held it may have removed the directory with the last state in it.
            var held = stat()
            var named = stat()
            if fstat(descriptor, &held) == 0, stat(directory, &named) == 0, held.st_ino == named.st_ino {
                self.descriptor = descriptor
                self.directory = directory
                self.mode = mode
                return
            }
            close(descriptor)
        }
    }

    /// Does something while it is held.
    borrowing func hold<Value>(_ body: () throws(PseudowireError) -> Value) throws(PseudowireError) -> Value {
        try body()
    }

    deinit {
        // An empty directory says nothing; rmdir() refuses one that is not.
        if mode == .exclusive { rmdir(directory) }
        close(descriptor)
    }
}
