internal import Glibc

/// Tells that something has happened where a file lies.
///
/// Editors write a new file and give it the old one's name; a cluster's configuration changes by turning a symbolic
/// link. So it is the directories that are watched, the one of the name and the one of the file, and whoever is woken
/// compares what the file says.
final class DocumentWatch {
    private let path: String
    /// -1 where nothing can be watched.
    let fileDescriptor: Int32
    private var watched: [Int32] = []

    init(_ path: String) {
        self.path = path
        fileDescriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        watch()
    }

    deinit { if fileDescriptor >= 0 { close(fileDescriptor) } }

    /// Whether something has happened since the last time.
    func take() -> Bool {
        guard fileDescriptor >= 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        var happened = false
        while read(fileDescriptor, &buffer, buffer.count) > 0 { happened = true }
        // A link may lead elsewhere now, and a directory may have been replaced.
        if happened { watch() }
        return happened
    }

    /// Forgets what has happened until now, and watches what lies there now.
    func renew() {
        if !take() { watch() }
    }

    private func watch() {
        let events = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF)
        var directories = [Self.directory(of: path)]
        if let real = realpath(path, nil) {
            directories.append(Self.directory(of: String(cString: real)))
            free(real)
        }
        let now = directories.map { inotify_add_watch(fileDescriptor, $0, events) }.filter { $0 >= 0 }
        for old in watched where !now.contains(old) { inotify_rm_watch(fileDescriptor, old) }
        watched = now
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
