internal import Glibc
internal import Synchronization

/// What others want of an agent, and a descriptor that is readable when they want something.
final class Mailbox: Sendable {
    struct Wishes: Sendable {
        var stops = false
        var reloads = false
        var document: PseudowireDocument?
    }

    private let wishes = Mutex(Wishes())
    private let ends: (read: Int32, write: Int32)

    /// Readable when ``take()`` would find something; -1 if there are no descriptors left.
    var fileDescriptor: Int32 { ends.read }

    init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        self.ends = (ends[0], ends[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func post(_ change: (inout Wishes) -> Void) {
        wishes.withLock { change(&$0) }
        // A full pipe is readable already.
        var octet: UInt8 = 1
        _ = write(ends.write, &octet, 1)
    }

    /// What was posted since the last time.
    func take() -> Wishes {
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(ends.read, &buffer, buffer.count) > 0 {}
        return wishes.withLock { wishes in
            let taken = wishes
            wishes.reloads = false
            wishes.document = nil
            return taken
        }
    }
}
