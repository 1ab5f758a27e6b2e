internal import Glibc
internal import RouteNetlink
internal import SystemPackage

/// One agent at a time keeps a namespace: two with different documents would undo each other's work for ever.
///
/// The lock is one on the namespace itself, so that it needs no file, is another one in each namespace, and goes with
/// the process, however that ends.
enum AgentLock {
    /// Held for as long as this very descriptor of the namespace is open.
    ///
    /// Everybody in a namespace can lock it. So the lock of a user who cannot have an agent here is no agent's; it counts
    /// where /proc does not tell whose it is.
    static func take(_ namespace: borrowing NetworkNamespace, stateOwner: UInt32?) throws(PseudowireError) {
        while flock(namespace.fileDescriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = Errno(rawValue: errno)
            if code == .interrupted { continue }
            guard code == .wouldBlock else { throw .system("lock the network namespace", code) }
            let holder = LockHolder.process(holding: namespace.fileDescriptor)
            if let user = holder.flatMap(LockHolder.user), ![0, geteuid(), stateOwner].contains(user) { return }
            throw .refused(
                """
                another agent keeps the pseudowires of this network namespace\(holder.map(LockHolder.name) ?? ""); end \
                that one first, or have it keep these pseudowires, too
                """)
        }
    }
}
