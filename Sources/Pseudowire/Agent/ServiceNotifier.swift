internal import Glibc

/// Tells a service manager how a service is: the protocol of systemd's `sd_notify(3)`, over a datagram socket.
///
/// ```swift
/// if let notifier = ServiceNotifier() {
///     notifier.ready(status: "2 pseudowires up")
/// }
/// ```
///
/// Nothing is ever waited for, and nothing fails: whoever does not listen misses it.
public final class ServiceNotifier: Sendable {
    /// How long the service manager waits for a sign of life; nil: it wants none.
    ///
    /// Send one twice as often.
    public let watchdog: Duration?
    private let path: String
    private let descriptor: Int32

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`; nil where nobody listens.
    public convenience init?() {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        guard let path = variable("NOTIFY_SOCKET") else { return nil }
        // The watchdog may be meant for another process of the service.
        let isOurs = variable("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
        let microseconds = isOurs ? variable("WATCHDOG_USEC").flatMap { Int64($0) } : nil
        self.init(socket: path, watchdog: microseconds.flatMap { $0 > 0 ? .microseconds($0) : nil })
    }

    /// The same for a socket by name; nil for what cannot be one.
    ///
    /// `@` stands for the zero octet of an abstract one.
    public init?(socket path: String, watchdog: Duration? = nil) {
        let isAddressable = path.utf8.count > 1 && path.utf8.count < 108 && (path.hasPrefix("/") || path.hasPrefix("@"))
        guard isAddressable else { return nil }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        self.path = path
        self.watchdog = watchdog
    }

    deinit { close(descriptor) }

    /// It has started, or read its configuration anew.
    public func ready(status: String) { send(["READY=1", "STATUS=\(status)"]) }

    /// It reads its configuration anew, and will say when it is ready.
    public func reloading() { send(["RELOADING=1", "MONOTONIC_USEC=\(MonotonicClock.now() / 1000)"]) }

    /// It ends.
    public func stopping() { send(["STOPPING=1"]) }

    /// It is alive.
    public func alive() { send(["WATCHDOG=1"]) }

    /// How it is, in one line for people.
    public func status(_ text: String) { send(["STATUS=\(text)"]) }

    private func send(_ lines: [String]) {
        // One assignment a line: a line break inside one would begin another.
        let text = lines.map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            for (index, octet) in octets.enumerated() where index < target.count { target[index] = octet }
            if octets.first == UInt8(ascii: "@") { target[0] = 0 }
        }
        let length = socklen_t((MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + octets.count)
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(
                    descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), address,
                    length)
            }
        }
    }
}
