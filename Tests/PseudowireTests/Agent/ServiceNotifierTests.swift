import Glibc
import Testing

@testable import Pseudowire

@Suite("what a service manager is told")
struct ServiceNotifierTests {
    @Test("each message is one datagram, to a named and to an abstract socket", arguments: [false, true])
    func messages(isAbstract: Bool) throws {
        let listener = try Listener(isAbstract: isAbstract)
        let notifier = try #require(ServiceNotifier(socket: listener.path))
        notifier.ready(status: "2 of 2 pseudowires up")
        #expect(listener.next() == "READY=1\nSTATUS=2 of 2 pseudowires up")
        notifier.status("a line\nbreak")
        #expect(listener.next() == "STATUS=a line break")
        notifier.alive()
        #expect(listener.next() == "WATCHDOG=1")
        notifier.stopping()
        #expect(listener.next() == "STOPPING=1")
        let before = MonotonicClock.now() / 1000
        notifier.reloading()
        let lines = try #require(listener.next()).split(separator: "\n")
        #expect(lines.first == "RELOADING=1")
        let time = try #require(lines.last?.split(separator: "=").last.flatMap { UInt64($0) })
        #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true && time >= before)
        #expect(listener.next() == nil)
    }

    @Test("nobody listens: nothing happens")
    func deaf() throws {
        try #require(ServiceNotifier(socket: "/nonexistent/notify")).ready(status: "")
        #expect(ServiceNotifier(socket: "relative") == nil)
        #expect(ServiceNotifier(socket: "") == nil)
        #expect(ServiceNotifier(socket: "/" + String(repeating: "x", count: 200)) == nil)
    }
}

/// A socket as a service manager has it.
private final class Listener {
    let path: String
    private let descriptor: Int32

    init(isAbstract: Bool) throws {
        let name = "pseudowire-notify-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        path = isAbstract ? "@\(name)" : "/tmp/\(name)"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            for (index, octet) in octets.enumerated() { target[index] = octet }
            if isAbstract { target[0] = 0 }
        }
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(2 + octets.count))
            }
        }
        try #require(result == 0)
    }

    /// What has come; nil if nothing has.
    func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    deinit {
        close(descriptor)
        if path.hasPrefix("/") { unlink(path) }
    }
}
