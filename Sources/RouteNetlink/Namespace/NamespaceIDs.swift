import CPseudowireMNL
import SystemPackage

/// A namespace's name for another one, as links that reach there bear it (`Link.linkNamespaceID`).
public struct NamespaceID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// At least 0; the kernel's -1 for "none" is nil here.
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public var description: String { "\(rawValue)" }
}

/// The numbers by which a client's namespace knows others, `ip netns set` and `ip netns list-id`.
///
/// ```swift
/// let id = try client.namespaces.assign(to: blue)
/// try client.namespaces.id(of: blue) == id   // true
/// ```
///
/// A number lasts as long as both namespaces do; there is no way to take it back.
public struct NamespaceIDs {
    let client: RouteClient

    /// Gives a namespace a number, of the kernel's choice when `id` is nil, and returns it.
    ///
    /// - Throws: `isAlreadyPresent` when it has one, or when another namespace has this one.
    @discardableResult
    public func assign(
        _ id: NamespaceID? = nil, to namespace: borrowing NetworkNamespace
    ) throws(NetlinkError) -> NamespaceID {
        let operation = "give network namespace \(namespace.inode) a number"
        try client.socket.perform(
            NamespaceIDRequest.assign(id, namespace.fileDescriptor), .namespace, operation)
        guard let id = try self.id(of: namespace) else {
            throw NetlinkError(.noSuchFileOrDirectory, operation, object: .namespace, message: "it is gone already")
        }
        return id
    }

    /// The number of a namespace; nil when it has none.
    public func id(of namespace: borrowing NetworkNamespace) throws(NetlinkError) -> NamespaceID? {
        try client.socket.object(
            NamespaceIDRequest.get(namespace.fileDescriptor), .namespace,
            "get the number of network namespace \(namespace.inode)"
        ) { message throws(MalformedMessage) in try NamespaceID(message) }
    }

    /// All numbers in use, ascending.
    public func list() throws(NetlinkError) -> [NamespaceID] {
        let found = try client.socket.dump(
            NamespaceIDRequest.list(), .namespace, "list numbers of network namespaces"
        ) { message throws(MalformedMessage) in try NamespaceID(message) }
        return found.sorted { $0.rawValue < $1.rawValue }
    }
}

/// The requests about numbers of namespaces, as bytes.
enum NamespaceIDRequest {
    /// `NETNSA_*` of `linux/net_namespace.h`.
    static let id = 1
    static let descriptor = 3

    static func assign(_ id: NamespaceID?, _ descriptor: Int32) -> Request {
        var request = named(Int(RTM_NEWNSID), descriptor)
        // -1: the kernel shall choose.
        request.attribute(Self.id, id?.rawValue ?? -1)
        if let id, id.rawValue < 0 { request.refuse(.invalid("a namespace's number must not be negative")) }
        return request
    }

    static func get(_ descriptor: Int32) -> Request { named(Int(RTM_GETNSID), descriptor) }

    static func list() -> Request {
        var request = Request(Int(RTM_GETNSID), flags: NLM_F_DUMP_FLAGS)
        request.header { $0.append(UInt8(0)) }
        return request
    }

    private static func named(_ type: Int, _ descriptor: Int32) -> Request {
        var request = Request(type)
        // struct rtgenmsg
        request.header { $0.append(UInt8(0)) }
        request.attribute(Self.descriptor, descriptor)
        return request
    }
}

extension NamespaceID {
    /// Reads an `RTM_NEWNSID`; nil for anything else, and for "none".
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWNSID else { return nil }
        try message.require(1, "rtgenmsg")
        var cursor = message.attributes(after: 1)
        while let attribute = cursor.next() {
            guard attribute.type == NamespaceIDRequest.id else { continue }
            let id: Int32 = try attribute.integer()
            guard id >= 0 else { return nil }
            self.init(rawValue: id)
            return
        }
        return nil
    }
}
