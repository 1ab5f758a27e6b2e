internal import Glibc
internal import SystemPackage

/// A thread that belongs to nobody's pool.
enum PlainThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// On how many work is shared out at most: beyond, they wait for each other in the kernel.
    static let processors = max(1, min(8, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// Runs something on a thread of its own; returns why it could not.
    static func start(_ run: @escaping @Sendable () -> Void) -> Errno? {
        var thread = pthread_t()
        if let failure = create(&thread, run) { return failure }
        pthread_detach(thread)
        return nil
    }

    /// Runs something for each number below `count`: the first on this thread, each other on one of its own where there
    /// can be one; returns when all are done.
    static func forEach(_ count: Int, _ run: (Int) -> Void) {
        withoutActuallyEscaping(run) { run in
            nonisolated(unsafe) let run = run
            var threads: [pthread_t] = []
            for number in 1..<max(1, count) {
                var thread = pthread_t()
                if create(&thread, { run(number) }) == nil { threads.append(thread) } else { run(number) }
            }
            run(0)
            for thread in threads { pthread_join(thread, nil) }
        }
    }

    private static func create(_ thread: inout pthread_t, _ run: @escaping @Sendable () -> Void) -> Errno? {
        let body = Unmanaged.passRetained(Body(run))
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
        return nil
    }
}
