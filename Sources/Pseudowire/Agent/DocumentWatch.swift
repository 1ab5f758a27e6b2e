internal import Glibc

/// Tells that something has happened where a file lies.
///
/// Editors write a new file and give it the old one's name; a cluster's configuration changes by turning a symbolic
/// link. So it is the directories that are watched, the one of the name and the one of the file, and whoever is woken
/// compares what the file says.
final class DocumentWatch {
    private let path: String
    private let awaitsDirectory: Bool
    /// -1 where nothing can be watched.
    let fileDescriptor: Int32
    private var watched: [Int32] = []

    /// - Parameter awaitsDirectory: whether its directory is to be heard of where there is none yet, or no longer.
    init(_ path: String, awaitsDirectory: Bool = false) {
        self.path = path
        self.awaitsDirectory = awaitsDirectory
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
        let events = UInt32(
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)
        var directories = [Self.directory(of: path)]
        if let real = realpath(path, nil) {
            directories.append(Self.directory(of: String(cString: real)))
            free(real)
        }
        var now: [Int32] = []
        for var directory in directories {
            var number = inotify_add_watch(fileDescriptor, directory, events)
            // The one above hears of it when it is made.
            while number < 0, awaitsDirectory, directory != Self.directory(of: directory) {
                directory = Self.directory(of: directory)
                number = inotify_add_watch(fileDescriptor, directory, events)
            }
            if number >= 0 { now.append(number) }
        }
        for old in watched where !now.contains(old) { inotify_rm_watch(fileDescriptor, old) }
        watched = now
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
