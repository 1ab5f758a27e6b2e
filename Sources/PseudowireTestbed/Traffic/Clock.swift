import Glibc

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

extension Duration {
    /// The duration in nanoseconds: 0 for a negative one, and at most about a century.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 3_000_000_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}

/// A moment until which something may take.
struct Deadline {
    /// On the monotonic clock.
    let nanoseconds: UInt64

    init(after duration: Duration) {
        nanoseconds = monotonicNanoseconds() + duration.nanoseconds
    }

    init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    var hasPassed: Bool { monotonicNanoseconds() >= nanoseconds }

    /// What is left, in whole milliseconds for `poll`: rounded up, so that waiting for it does not spin, and never
    /// above `limit`, so that the caller comes by now and then.
    func milliseconds(atMost limit: Int32) -> Int32 {
        let now = monotonicNanoseconds()
        guard nanoseconds > now else { return 0 }
        return Int32(min((nanoseconds - now + 999_999) / 1_000_000, UInt64(limit)))
    }
}
