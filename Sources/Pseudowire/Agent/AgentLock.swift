internal import Glibc
internal import RouteNetlink
internal import SystemPackage

/// One agent at a time keeps a namespace: two with different documents would undo each other's work for ever.
///
/// The lock is one on the namespace itself, so that it needs no file, is another one in each namespace, and goes with
/// the process, however that ends.
enum AgentLock {
    /// Held until it is released, or the process ends.
    ///
    /// Everybody in a namespace can lock it, so only the lock of a user who can have an agent here is an agent's. Where
    /// /proc does not tell whose it is, as under systemd's `ProtectProc=invisible`, it is some other user's.
    ///
    /// - Returns: who else holds it, where this one goes on without; another agent is not noticed then.
    static func take(
        _ namespace: borrowing NetworkNamespace, stateOwner: UInt32?
    ) throws(PseudowireError) -> String? {
        while flock(namespace.fileDescriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = Errno(rawValue: errno)
            if code == .interrupted { continue }
            guard code == .wouldBlock else { throw .system("lock the network namespace", code) }
            let holder = LockHolder.process(holding: namespace.fileDescriptor)
            guard let holder, let user = LockHolder.user(of: holder), [0, geteuid(), stateOwner].contains(user) else {
                return holder.map { "process \($0)" } ?? "a process that cannot be seen from here"
            }
            throw .refused(
                """
                another agent keeps the pseudowires of this network namespace\(LockHolder.name(holder)); end that one \
                first, or have it keep these pseudowires, too
                """)
        }
        return nil
    }

    /// For another one, at once: copies of the descriptor may be open for some time yet.
    static func release(_ namespace: borrowing NetworkNamespace) { flock(namespace.fileDescriptor, LOCK_UN) }
}
