internal import Glibc

/// Keeps SIGINT, SIGTERM and SIGHUP waiting, so that what was built is taken down before they have their way.
///
/// Nothing runs in a signal handler: the signals are blocked, the work asks now and then whether one is pending, and
/// when all is taken down they are let through. The process then ends as anybody expects of one that was interrupted.
struct Interruption {
    private let before: sigset_t
    private let watched: [Int32]

    /// Starts to hold the signals back, on this thread and on those that it starts later.
    init() {
        // A signal that is ignored, as under nohup, would become pending all the same.
        watched = [SIGINT, SIGTERM, SIGHUP].filter { number in
            var action = sigaction()
            sigaction(number, nil, &action)
            return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
                != unsafeBitCast(SIG_IGN, to: Int.self)
        }
        var set = sigset_t()
        sigemptyset(&set)
        for number in watched { sigaddset(&set, number) }
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &set, &before)
        self.before = before
        // Whoever reads our output may leave early; that must not keep us from tidying up.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Whether one of the signals is waiting.
    var isRequested: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return watched.contains { sigismember(&pending, $0) == 1 }
    }

    /// Stops here when a signal is waiting.
    func check() throws(DemoFailure) {
        if isRequested { throw .interrupted }
    }

    /// Lets the signals through: one that is waiting ends the process now.
    func end() {
        var before = before
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
