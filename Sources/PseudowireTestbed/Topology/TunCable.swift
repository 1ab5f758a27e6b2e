import Glibc
import Synchronization
import SystemPackage

/// Two tun devices joined by a thread: what one namespace sends, the other receives.
///
/// ```swift
/// let cable = try TunCable(TunDevice("tun1", in: network.edge1), TunDevice("tun2", in: network.edge2))
/// // … addresses, traffic …
/// let packets = cable.takePackets()
/// cable.cut()
/// ```
///
/// The thread ends with ``cut()``, when the value goes, or after `limit`. It makes system calls only and lives in the
/// process's own namespace.
public final class TunCable: Sendable {
    /// A packet that went through.
    public struct Packet: Hashable, Sendable {
        /// From the first device to the second.
        public let isForth: Bool
        /// From the IP header on.
        public let bytes: [UInt8]
    }

    private let shared: Shared
    private let thread: Mutex<pthread_t?>

    /// Joins two devices, which it takes over, and starts the thread.
    ///
    /// - Parameter limit: after which the thread ends in any case.
    public init(
        _ first: consuming TunDevice, _ second: consuming TunDevice, limit: Duration = .seconds(120)
    ) throws(TestbedError) {
        shared = Shared(first, second, until: Deadline(after: limit))
        var thread = pthread_t()
        let context = Unmanaged.passRetained(shared)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Shared>.fromOpaque(context).takeRetainedValue().pump()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .system("start a thread", Errno(rawValue: code))
        }
        self.thread = Mutex(thread)
    }

    deinit { cut() }

    /// What went through since the last call, as long as there was room to remember it.
    public func takePackets() -> [Packet] {
        shared.log.withLock { log in
            defer { log = [] }
            return log
        }
    }

    /// Stops the thread; the devices go with the value.
    public func cut() {
        shared.isCut.store(true, ordering: .relaxed)
        let thread = self.thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    /// What the thread works on.
    private final class Shared: Sendable {
        let first: TunDevice
        let second: TunDevice
        let end: Deadline
        let isCut = Atomic(false)
        let log = Mutex<[Packet]>([])

        /// 50,000 packets are more than any test looks at.
        private static let room = 50_000

        init(_ first: consuming TunDevice, _ second: consuming TunDevice, until end: Deadline) {
            self.first = first
            self.second = second
            self.end = end
        }

        func pump() {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while !isCut.load(ordering: .relaxed), !end.hasPassed {
                var polls = [
                    pollfd(fd: first.descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: second.descriptor, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&polls, 2, 20) > 0 else { continue }
                for isForth in [true, false] {
                    guard carry(&buffer, isForth: isForth) else { return }
                }
            }
        }

        /// Carries what waits, some at a time so that neither side starves; false when a device is gone.
        private func carry(_ buffer: inout [UInt8], isForth: Bool) -> Bool {
            let (from, to) = isForth ? (first.descriptor, second.descriptor) : (second.descriptor, first.descriptor)
            for _ in 0..<64 {
                let count = read(from, &buffer, buffer.count)
                guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
                log.withLock { log in
                    if log.count < Self.room { log.append(Packet(isForth: isForth, bytes: Array(buffer[..<count]))) }
                }
                // While the other end is down it takes nothing: lost, as on any cable.
                _ = write(to, buffer, count)
            }
            return true
        }
    }
}
