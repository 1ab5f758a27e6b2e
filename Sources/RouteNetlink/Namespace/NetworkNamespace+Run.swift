import CPseudowireLinux
import SystemPackage

extension NetworkNamespace {
    /// Runs `body` inside the namespace, on a plain thread that exits before this returns.
    ///
    /// ```swift
    /// let descriptor = try namespace.run { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
    /// ```
    ///
    /// `body` must make system calls only. Anything of Swift concurrency in it (a `Task`, a continuation's resume, a
    /// stream's yield) may start runtime threads that inherit the namespace and keep it. All signals are blocked on
    /// the thread. What it opens there stays there: a socket belongs for life to the namespace it was opened in.
    /// Costs about 0.3 ms.
    ///
    /// - Throws: `NetlinkError` when the namespace cannot be entered (`EPERM` without `CAP_SYS_ADMIN`).
    public func run<Result>(_ body: () -> Result) throws(NetlinkError) -> Result {
        try Self.onThread(in: fileDescriptor, operation: "enter network namespace \(inode)", body)
    }

    /// Runs a `body` that may fail inside the namespace; see the other `run`.
    ///
    /// - Throws: What `body` throws, or `NetlinkError` when the namespace cannot be entered.
    public func run<Value>(_ body: () throws -> Value) throws -> Value {
        try run { () -> Result<Value, any Error> in Result(catching: body) }.get()
    }

    /// Runs `body` on a thread in the namespace of `descriptor`, or in a new one for `PSEUDOWIRE_NEW_NAMESPACE`.
    static func onThread<Value>(
        in descriptor: Int32, operation: @autoclosure () -> String, _ body: () -> Value
    ) throws(NetlinkError) -> Value {
        var value: Value?
        let code = withoutActuallyEscaping({ value = body() }) { visit in
            var visitor = Visitor(visit: visit)
            return withUnsafeMutablePointer(to: &visitor) { pointer in
                pseudowire_run_in_namespace(
                    descriptor, { $0?.assumingMemoryBound(to: Visitor.self).pointee.visit() }, pointer)
            }
        }
        guard code == 0, let value else {
            throw NetlinkError(Errno(rawValue: -code), operation(), object: .namespace)
        }
        return value
    }

    /// Carries a closure through C.
    private struct Visitor {
        let visit: () -> Void
    }
}
