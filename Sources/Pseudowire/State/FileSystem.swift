internal import CPseudowireLinux
internal import Glibc
internal import SystemPackage

/// The few file operations that state on a BPF file system needs.
enum FileSystem {
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The number of the user whom it belongs to.
    static func owner(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_uid : nil
    }

    /// Makes a directory that only its owner may enter; one that is there already is fine.
    static func makeDirectory(_ path: String) throws(PseudowireError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .system("make directory \(path)", Errno(rawValue: errno))
        }
    }

    static func rename(_ old: String, to new: String) throws(PseudowireError) {
        guard Glibc.rename(old, new) == 0 else { throw .system("rename \(old) to \(new)", Errno(rawValue: errno)) }
    }

    /// Has two paths change places, at once: whoever looks finds the one or the other under each.
    ///
    /// On a BPF file system: Linux 5.16.
    static func exchange(_ one: String, with other: String) throws(PseudowireError) {
        let result = pseudowire_exchange_paths(one, other)
        guard result == 0 else { throw .system("exchange \(one) with \(other)", Errno(rawValue: 0 - result)) }
    }

    /// Removes an empty directory; says whether it is gone.
    @discardableResult
    static func removeDirectory(_ path: String) -> Bool {
        rmdir(path) == 0 || errno == ENOENT
    }

    /// Names in a directory, without the two dots; empty where there is no such directory.
    static func entries(of path: String) throws(PseudowireError) -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .system("list directory \(path)", Errno(rawValue: errno))
        }
        return names(closing: stream)
    }

    /// The same of a directory that is open, whatever has its path by now; empty where it may not be read.
    static func entries(at directory: Int32) -> [String] {
        // Another open file: the place of reading belongs to that.
        let another = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard another >= 0 else { return [] }
        guard let stream = fdopendir(another) else {
            close(another)
            return []
        }
        return names(closing: stream)
    }

    private static func names(closing stream: OpaquePointer) -> [String] {
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Reads a small file, as those of /proc are.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes a short text to a file that is there, as those of /proc/sys are.
    ///
    /// A system call only: safe on a thread that is in another namespace.
    static func overwrite(_ path: StaticString, suffix: String, with text: StaticString) -> Int32 {
        let full = "\(path)\(suffix)"
        let descriptor = open(full, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return write(descriptor, text.utf8Start, text.utf8CodeUnitCount) == text.utf8CodeUnitCount ? 0 : errno
    }
}
