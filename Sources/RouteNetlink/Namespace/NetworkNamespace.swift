import CPseudowireLinux
import Glibc
import SystemPackage

/// A network namespace, held open by a descriptor.
///
/// ```swift
/// let blue = try NetworkNamespace(named: "blue")
/// let client = try RouteClient(in: blue)
/// ```
///
/// The namespace lives at least as long as this value, and as any `RouteClient` in it. The descriptor is
/// `O_CLOEXEC` and is closed with the value. Nothing here ever moves the calling thread into another namespace.
public struct NetworkNamespace: ~Copyable, Sendable {
    /// The descriptor, lent: valid while this value lives.
    public let fileDescriptor: Int32
    /// The inode of the namespace file.
    ///
    /// It may be reused after the namespace is gone; `cookie()` never is.
    public let inode: UInt64

    /// Takes ownership of a descriptor of a namespace file.
    init(owning descriptor: Int32, operation: @autoclosure () -> String) throws(NetlinkError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = Errno(rawValue: errno)
            close(descriptor)
            throw NetlinkError(code, operation(), object: .namespace)
        }
        fileDescriptor = descriptor
        inode = UInt64(status.st_ino)
    }

    deinit { close(fileDescriptor) }

    /// Opens a namespace file, as `/run/netns/blue`.
    public init(path: String) throws(NetlinkError) {
        try self.init(path: path, operation: "open network namespace \(path)")
    }

    init(path: String, operation: @autoclosure () -> String) throws(NetlinkError) {
        guard !path.utf8.contains(0) else {
            throw NetlinkError(.invalidArgument, operation(), object: .namespace, message: "a path holds a NUL byte")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw NetlinkError(Errno(rawValue: errno), operation(), object: .namespace)
        }
        // Any file opens; only a namespace file lives on nsfs. A stale name of iproute2's is an empty plain file.
        guard Self.isNamespaceFile(descriptor) else {
            close(descriptor)
            throw NetlinkError(
                .invalidArgument, operation(), object: .namespace, message: "the file is no namespace")
        }
        try self.init(owning: descriptor, operation: operation())
    }

    /// The namespace of the calling thread, which need not be that of the process.
    public static func current() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(path: "/proc/thread-self/ns/net", operation: "open the current network namespace")
    }

    /// The namespace of a process's main thread.
    public init(processID: Int32) throws(NetlinkError) {
        try self.init(
            path: "/proc/\(processID)/ns/net", operation: "open the network namespace of process \(processID)")
    }

    /// A new namespace without a name, gone with its last holder.
    ///
    /// Needs `CAP_SYS_ADMIN`.
    ///
    /// Its loopback is down, as in every new namespace.
    public static func anonymous() throws(NetlinkError) -> NetworkNamespace {
        let operation = "create an anonymous network namespace"
        let result = try onThread(in: Int32(PSEUDOWIRE_NEW_NAMESPACE), operation: operation) {
            let descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
            return descriptor < 0 ? -errno : descriptor
        }
        guard result >= 0 else { throw NetlinkError(Errno(rawValue: -result), operation, object: .namespace) }
        return try NetworkNamespace(owning: result, operation: operation)
    }

    /// A second owner of the namespace whose descriptor somebody else keeps.
    public init(duplicating descriptor: Int32) throws(NetlinkError) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            throw NetlinkError(Errno(rawValue: errno), "duplicate a network namespace", object: .namespace)
        }
        try self.init(owning: copy, operation: "duplicate a network namespace")
    }

    /// A second owner of the same namespace.
    public func duplicate() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(duplicating: fileDescriptor)
    }

    /// The namespace's number, never reused until the next boot: `SO_NETNS_COOKIE` of a socket in it (Linux 5.14).
    public func cookie() throws(NetlinkError) -> UInt64 {
        var cookie: UInt64 = 0
        let result = try run {
            let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return -errno }
            defer { close(descriptor) }
            return pseudowire_namespace_cookie(descriptor, &cookie)
        }
        guard result == 0 else {
            throw NetlinkError(Errno(rawValue: -result), "read a namespace's cookie", object: .namespace)
        }
        return cookie
    }

    /// Whether the descriptor is of nsfs (`NSFS_MAGIC`).
    static func isNamespaceFile(_ descriptor: Int32) -> Bool {
        var status = statfs()
        return fstatfs(descriptor, &status) == 0 && status.f_type == 0x6e73_6673
    }
}
