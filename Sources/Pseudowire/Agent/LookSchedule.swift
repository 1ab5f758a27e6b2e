/// When an agent looks at everything again.
///
/// All times are given to it: it has no clock.
struct LookSchedule {
    typealias Instant = ContinuousClock.Instant

    private let options: PseudowireAgent.Options
    /// The first and the last of the events that were not looked at yet.
    private var events: (first: Instant, last: Instant)?
    /// When to try again what has failed.
    private var retry: Instant?
    /// Not before then, whatever happens: an attempt that fails makes things happen itself.
    private var pause: Instant?
    /// How long until then, from the last failure.
    private(set) var delay: Duration
    private var recheck: Instant

    init(_ options: PseudowireAgent.Options, now: Instant) {
        self.options = options
        delay = options.retry
        recheck = now
    }

    /// Something happened that matters.
    mutating func note(_ now: Instant) {
        events = (events?.first ?? now, now)
    }

    /// It is not to wait for anything.
    mutating func hurry(_ now: Instant) { recheck = now }

    /// When to look; in the past if that is now.
    var due: Instant {
        var settled = events.map {
            min($0.last.advanced(by: options.quiet), $0.first.advanced(by: options.longest))
        }
        if let pause { settled = settled.map { max($0, pause) } }
        return min(settled ?? recheck, retry ?? recheck, recheck)
    }

    /// It has looked.
    mutating func looked(_ now: Instant, failed: Bool) {
        events = nil
        recheck = now.advanced(by: options.recheck)
        guard failed else {
            retry = nil
            pause = nil
            delay = options.retry
            return
        }
        retry = now.advanced(by: delay)
        pause = now.advanced(by: options.retry)
        delay = min(delay * 2, options.longestRetry)
    }

    /// How long it is until a failure's next attempt.
    func untilRetry(_ now: Instant) -> Duration { retry.map { now.duration(to: $0) } ?? .zero }
}
