public import BPF
public import RouteNetlink
public import SystemPackage

/// Why something could not be done.
///
/// The system is then as it was before, unless the message says otherwise.
public enum PseudowireError: Error, Sendable, CustomStringConvertible {
    /// What was asked for is wrong, or not possible on this machine; all faults at once.
    case faults([ConfigurationFault])
    /// This machine, or this process, cannot do it at all.
    case refused(String)
    /// The kernel refused a network operation.
    case netlink(NetlinkError)
    /// The kernel refused a BPF operation.
    case bpf(BPFError)
    /// The kernel refused a system call.
    case system(String, Errno)
    /// Something failed, and so did putting back what had been done by then.
    ///
    /// The next command that changes something tries again to put it back.
    indirect case halfDone(PseudowireError, leftovers: [String])
    /// Something failed when there was no way back any more, for an interface was gone with its addresses.
    ///
    /// The next command that changes something does the rest.
    indirect case unfinished(PseudowireError, left: [String])

    public var description: String {
        switch self {
        case .faults(let faults): faults.map(\.description).joined(separator: "\n")
        case .refused(let message): message
        case .netlink(let error): Self.text(error.description, error.errno)
        case .bpf(let error): Self.text(error.description, error.errno, cure: Cure.ofMap(error.errno))
        case .system(let operation, let errno): Self.text("\(operation): \(errno)", errno)
        case .halfDone(let error, let leftovers):
            """
            \(error)
            and undoing it failed: \(leftovers.joined(separator: "; "))
            the next command that changes something will put it back, or finish it
            """
        case .unfinished(let error, let left):
            """
            \(error)
            still to be done: \(left.joined(separator: "; "))
            the next command that changes something will do it
            """
        }
    }

    private static func text(_ description: String, _ errno: Errno, cure: String? = nil) -> String {
        (cure ?? Cure.of(errno)).map { "\(description); \($0)" } ?? description
    }

    /// Whether only the wording of the request is at fault: a command exits with 64 then, else with 1.
    public var isUsage: Bool {
        if case .faults(let faults) = self { return faults.contains { $0.kind == .usage } }
        return false
    }
}

/// Lifts a netlink operation's error into ours.
func netlink<Value: ~Copyable>(_ body: () throws(NetlinkError) -> Value) throws(PseudowireError) -> Value {
    do { return try body() } catch { throw .netlink(error) }
}

/// Lifts a BPF operation's error into ours.
func bpf<Value: ~Copyable>(_ body: () throws(BPFError) -> Value) throws(PseudowireError) -> Value {
    do { return try body() } catch { throw .bpf(error) }
}
