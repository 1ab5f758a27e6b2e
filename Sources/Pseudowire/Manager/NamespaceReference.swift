public import RouteNetlink

/// Which network namespace: how people name one.
public enum NamespaceReference: Hashable, Sendable, CustomStringConvertible {
    /// The one that the calling thread is in.
    case current
    /// One of `/run/netns`, as `ip netns` makes them.
    case named(String)
    /// A file, such as `/proc/PID/ns/net`.
    case path(String)

    /// A name, or a path if it has a slash in it.
    public init(_ text: String) {
        self = text.contains("/") ? .path(text) : .named(text)
    }

    public var description: String {
        switch self {
        case .current: "the current namespace"
        case .named(let name): name
        case .path(let path): path
        }
    }

    /// Opens it.
    public func open() throws(NetlinkError) -> NetworkNamespace {
        switch self {
        case .current: try NetworkNamespace.current()
        case .named(let name): try NetworkNamespace(named: name)
        case .path(let path): try NetworkNamespace(path: path)
        }
    }
}
