public import RouteNetlink
public import SystemPackage

/// Something that the testbed could not do.
public enum TestbedError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Netlink, or entering a namespace, failed.
    case netlink(NetlinkError)
    /// A system call failed.
    case system(String, Errno)
    /// What was asked for cannot be; the sentence says what would.
    case refused(String)

    /// One sentence: what was tried, and why it failed.
    public var description: String {
        switch self {
        case .netlink(let error): error.description
        case .system(let operation, let errno): "\(operation): \(errno)"
        case .refused(let sentence): sentence
        }
    }
}

/// Lifts a netlink operation's error into ours.
func netlink<Value: ~Copyable>(_ body: () throws(NetlinkError) -> Value) throws(TestbedError) -> Value {
    do { return try body() } catch { throw .netlink(error) }
}
