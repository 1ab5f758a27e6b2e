import CPseudowireLinux
import Glibc
import SystemPackage

extension NetworkNamespace {
    /// Where iproute2 keeps its names.
    static let directory = "/run/netns"

    /// Opens a namespace that `ip netns add`, or `create(named:)`, has named.
    public init(named name: String) throws(NetlinkError) {
        try Self.validate(name: name)
        try self.init(path: "\(Self.directory)/\(name)", operation: "open network namespace \(name)")
    }

    /// Refuses what cannot be a name: empty, `.`, `..`, over 255 bytes, or with a slash or a NUL.
    public static func validate(name: String) throws(NetlinkError) {
        let fault: String? =
            switch name {
            case "": "a name must not be empty"
            case ".", "..": "a name must not be \"\(name)\""
            case _ where name.utf8.count > 255: "a name has at most 255 bytes"
            case _ where name.utf8.contains(UInt8(ascii: "/")): "a name must not contain a slash"
            case _ where name.utf8.contains(0): "a name must not contain a NUL byte"
            default: nil
            }
        if let fault {
            throw NetlinkError(.invalidArgument, "name network namespace \(name)", object: .namespace, message: fault)
        }
    }

    /// Creates a namespace and names it as `ip netns add` does, so that `ip netns` sees it.
    ///
    /// ```swift
    /// let blue = try NetworkNamespace.create(named: "blue")
    /// ```
    ///
    /// The name is an empty file in `/run/netns` with the namespace bound over it. It stays until `delete(named:)`,
    /// also when this value is gone. A failure removes the file again.
    ///
    /// - Throws: `isAlreadyPresent` when the name is taken, `EPERM` without `CAP_SYS_ADMIN`.
    @discardableResult
    public static func create(named name: String) throws(NetlinkError) -> NetworkNamespace {
        try validate(name: name)
        let operation = "create network namespace \(name)"
        func failure(_ code: Int32) -> NetlinkError {
            NetlinkError(Errno(rawValue: code), operation, object: .namespace)
        }
        try prepareDirectory(failure)

        // O_EXCL decides between two who want the same name, before either has a namespace to lose.
        let path = "\(directory)/\(name)"
        let file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0)
        guard file >= 0 else { throw failure(errno) }
        close(file)

        do throws(NetlinkError) {
            let result = try onThread(in: Int32(PSEUDOWIRE_NEW_NAMESPACE), operation: operation) { () -> Int32 in
                mount("/proc/thread-self/ns/net", path, "none", UInt(MS_BIND), nil) == 0 ? 0 : errno
            }
            guard result == 0 else { throw failure(result) }
            return try NetworkNamespace(path: path, operation: operation)
        } catch {
            umount2(path, Int32(MNT_DETACH))
            unlink(path)
            throw error
        }
    }

    /// Removes a name; the namespace itself lives on while anybody holds it.
    ///
    /// - Throws: `isNotFound` when there is no such name.
    public static func delete(named name: String) throws(NetlinkError) {
        try validate(name: name)
        let path = "\(directory)/\(name)"
        // EINVAL: nothing is mounted there, which is what a creator that was killed half-way leaves behind.
        if umount2(path, Int32(MNT_DETACH)) != 0, errno != EINVAL {
            throw NetlinkError(Errno(rawValue: errno), "delete network namespace \(name)", object: .namespace)
        }
        guard unlink(path) == 0 else {
            throw NetlinkError(Errno(rawValue: errno), "delete network namespace \(name)", object: .namespace)
        }
    }

    /// The names in use, sorted; stale files, which are no namespaces, are left out.
    public static func names() throws(NetlinkError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw NetlinkError(Errno(rawValue: errno), "list network namespaces", object: .namespace)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let descriptor = openat(dirfd(stream), name, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if isNamespaceFile(descriptor) { names.append(name) }
            close(descriptor)
        }
        return names.sorted()
    }

    /// Makes `/run/netns` a shared mount point, so that names reach other mount namespaces.
    ///
    /// Held under a lock, as iproute2 does: two who bind the directory on itself at once would hide each other's
    /// names. Source: `ip/ipnetns.c`, `netns_add`.
    private static func prepareDirectory(_ failure: (Int32) -> NetlinkError) throws(NetlinkError) {
        if mkdir(directory, 0o755) != 0, errno != EEXIST { throw failure(errno) }
        let lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw failure(errno) }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            if errno != EINTR { throw failure(errno) }
        }
        func change(_ flags: Int...) -> Int32 {
            mount("none", directory, "none", UInt(flags.reduce(0, |)), nil) == 0 ? 0 : errno
        }
        let shared = MS_SHARED | MS_REC
        var code = mount("", directory, "none", UInt(shared), nil) == 0 ? 0 : errno
        guard code == EINVAL else {
            if code != 0 { throw failure(code) }
            return
        }
        // Not a mount point yet.
        let bind = UInt(MS_BIND | MS_REC)
        guard mount(directory, directory, "none", bind, nil) == 0 else { throw failure(errno) }
        code = change(Int(MS_PRIVATE), Int(MS_REC))
        if code == 0 { code = change(Int(MS_SHARED), Int(MS_REC)) }
        if code != 0 { throw failure(code) }
    }
}
