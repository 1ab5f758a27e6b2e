import CPseudowireMNL
import Glibc
public import SystemPackage

/// An operation that the kernel, or this library before it, refused.
///
/// ```swift
/// do {
///     try client.links.delete(index)
/// } catch where error.isNotFound {
///     // somebody else was faster
/// } catch {
///     print(error)   // delete link 7: Operation not supported
/// }
/// ```
///
/// `errno` alone rarely says what happened: `message` and `attributePath` come from the kernel's extended
/// acknowledgement (`NETLINK_EXT_ACK`, Linux 4.12), which not every path of the kernel fills in.
public struct NetlinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kernel's error number.
    public var errno: Errno
    /// What was asked, with its object: `replace filter on eth0 ingress priority 1 handle 1`.
    public var operation: String
    /// The kernel's own words, or ours when the request never reached it.
    public var message: String?
    /// The attribute that the kernel points at, as `IFLA_LINKINFO.IFLA_INFO_KIND`.
    public var attributePath: String?
    /// The attribute that the kernel misses, as a path.
    public var missingAttribute: String?
    /// What the attribute at fault should have been, where the kernel says so (Linux 5.8).
    public var policy: AttributePolicy?
    /// The answer was lost: the operation may have taken place or not, and only a look can tell.
    public var isOutcomeUnknown = false
    /// What kind of object was asked for: the same errno means different things for different objects.
    public var object: NetlinkObject

    /// An error that this library, or one on top of it, finds itself.
    public init(_ errno: Errno, _ operation: String, object: NetlinkObject = .socket, message: String? = nil) {
        self.errno = errno
        self.operation = operation
        self.object = object
        self.message = message
    }

    /// The object, or the link that it lives on, does not exist.
    ///
    /// Links answer `ENODEV`, addresses `EADDRNOTAVAIL`, routes `ESRCH`; alternative names, next hops, rules,
    /// neighbours, filters, qdiscs and namespaces `ENOENT`. Deleting a qdisc answers `EINVAL` "Invalid handle", and a
    /// filter, where there is no clsact, `EINVAL` "Parent Qdisc doesn't exists", or "Cannot find specified filter
    /// chain" in a chain that has none; a next hop on a link that is not there, `EINVAL` "Invalid device index".
    public var isNotFound: Bool {
        switch (object, errno) {
        case (.socket, _): false
        case (.namespace, .noSuchFileOrDirectory): true
        case (.namespace, _): false
        case (_, .noSuchDevice): true
        case (.address, .addressNotAvailable): true
        case (.route, .noSuchProcess): true
        case (.neighbor, .noSuchFileOrDirectory), (.rule, .noSuchFileOrDirectory): true
        case (.nextHop, .noSuchFileOrDirectory), (.link, .noSuchFileOrDirectory): true
        case (.nextHop, .invalidArgument): message?.hasPrefix("Invalid device index") ?? false
        case (.qdisc, .noSuchFileOrDirectory), (.filter, .noSuchFileOrDirectory): true
        case (.qdisc, .invalidArgument): message?.hasPrefix("Invalid handle") ?? false
        case (.filter, .invalidArgument):
            message.map { $0.hasPrefix("Parent Qdisc doesn't exist") || $0.hasPrefix("Cannot find") } ?? false
        default: false
        }
    }

    /// An object of that name, or key, exists already.
    public var isAlreadyPresent: Bool { object != .socket && errno == .fileExists }

    /// A list kept changing while it was read.
    public var isInterrupted: Bool { errno == .interrupted }

    /// One sentence: operation, errno, the kernel's words, the attribute at fault.
    public var description: String {
        var text = "\(operation): \(errno)"
        if let message { text += ": \(message)" }
        switch (attributePath, policy) {
        case (let path?, let policy?): text += " (at \(path), which is \(policy))"
        case (let path?, nil): text += " (at \(path))"
        case (nil, let policy?): text += " (wanted: \(policy))"
        case (nil, nil): break
        }
        if let missingAttribute { text += " (\(missingAttribute) is missing)" }
        return text
    }
}

/// The kinds of object that this library manages.
public enum NetlinkObject: Sendable, Hashable {
    /// What has a number, a name or a key of its own.
    case link, address, route, nextHop, rule, neighbor, qdisc, filter, namespace, policy
    /// The connection itself.
    case socket
}

extension Errno {
    /// `ENODEV`, which System names for lack of a device's operation.
    static var noSuchDevice: Errno { Errno(rawValue: Glibc.ENODEV) }
}
