internal import Glibc
internal import SystemPackage

/// A thread that belongs to nobody's pool.
enum PlainThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Runs something on a thread of its own; returns why it could not.
    static func start(_ run: @escaping @Sendable () -> Void) -> Errno? {
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        guard failure == 0 else {
            body.release()
            return Errno(rawValue: failure)
        }
        pthread_detach(thread)
        return nil
    }
}
