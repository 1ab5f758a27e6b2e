internal import CPseudowireBPF
internal import Glibc
internal import SystemPackage

/// Takes records out of a BPF ring buffer, in the order in which programs put them in.
///
/// ```swift
/// let reader = try RingBufferReader(descriptor: map.fileDescriptor, name: "events")
/// for record in try reader.records(waitingAtMost: .seconds(1)) { … }     // empty when nothing came
/// ```
///
/// A record that one reader has taken no other one gets: the kernel keeps one position for all. Not Sendable: use it
/// from one thread. Linux 5.8. Source: `kernel/bpf/ringbuf.c`.
public final class RingBufferReader {
    /// What libbpf's callback fills.
    private final class Inbox {
        var records: [[UInt8]] = []
        /// Whether libbpf is to stop after each record.
        var takesOne = false
    }

    private let inbox: Unmanaged<Inbox>
    private let buffer: OpaquePointer
    private let name: String

    /// Maps the ring buffer into memory.
    ///
    /// - Parameter descriptor: the map's; it may be closed afterwards.
    public init(descriptor: Int32, name: String) throws(BPFError) {
        LibbpfMessages.silenced
        let inbox = Unmanaged.passRetained(Inbox())
        let buffer = ring_buffer__new(
            descriptor,
            { context, data, size in
                guard let context, let data else { return 0 }
                let octets = [UInt8](UnsafeRawBufferPointer(start: data, count: size))
                let inbox = Unmanaged<Inbox>.fromOpaque(context).takeUnretainedValue()
                inbox.records.append(octets)
                // An error ends the walk after this record; libbpf returns it to us.
                return inbox.takesOne ? 0 - ECANCELED : 0
            }, inbox.toOpaque(), nil)
        guard let buffer else {
            let code = Errno(rawValue: errno)
            inbox.release()
            throw BPFError("read ring buffer", name, code)
        }
        self.inbox = inbox
        self.buffer = buffer
        self.name = name
    }

    deinit {
        ring_buffer__free(buffer)
        inbox.release()
    }

    /// Readable when there is something to take out; stays this reader's.
    var pollDescriptor: Int32 { ring_buffer__epoll_fd(buffer) }

    /// The next record, if it is there already; those behind it stay in the ring.
    public func record() throws(BPFError) -> [UInt8]? {
        let inbox = inbox.takeUnretainedValue()
        inbox.takesOne = true
        defer {
            inbox.takesOne = false
            inbox.records.removeAll(keepingCapacity: true)
        }
        let result = ring_buffer__consume(buffer)
        if result != 0 - Int32(ECANCELED) { try BPFError.check(result, "read ring buffer", name) }
        return inbox.records.first
    }

    /// What has come, or comes within a time, three weeks at most; a signal ends the wait.
    public func records(waitingAtMost time: Duration = .zero) throws(BPFError) -> [[UInt8]] {
        // A negative number would mean for ever.
        let (seconds, attoseconds) = max(time, .zero).components
        let milliseconds = min(seconds, 2_000_000) * 1000 + attoseconds / 1_000_000_000_000_000
        let result = ring_buffer__poll(buffer, Int32(clamping: milliseconds))
        if result < 0, result != 0 - Int32(EINTR) { try BPFError.check(result, "read ring buffer", name) }
        let inbox = inbox.takeUnretainedValue()
        defer { inbox.records.removeAll(keepingCapacity: true) }
        return inbox.records
    }
}
