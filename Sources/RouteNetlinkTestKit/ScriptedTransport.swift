import Glibc
package import RouteNetlink
package import SystemPackage

/// Carries requests to a script instead of a kernel.
package final class ScriptedTransport: NetlinkTransport {
    package let portID: UInt32 = 926
    package var receiveCapacity = 212_992
    /// What was sent, datagram by datagram.
    package private(set) var sent: [[UInt8]] = []
    /// What is yet to be received.
    package private(set) var queue: [Step] = []
    /// What the requests of a datagram put in the queue.
    package var answer: ([RecordedRequest]) -> [Step]
    /// What drivers are called, by interface.
    package var drivers: () -> [String: String] = { [:] }

    /// A pair of sockets that holds a byte while there is something to receive.
    private let bell: (read: Int32, write: Int32)

    package enum Step {
        case datagram([UInt8])
        case stranger([UInt8])
        case truncated([UInt8], length: Int)
        case failed(Errno)
    }

    package init(_ answer: @escaping ([RecordedRequest]) -> [Step]) {
        self.answer = answer
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let result = socketpair(AF_UNIX, Int32(kind), 0, &ends)
        precondition(result == 0, "a scripted transport needs two descriptors: errno \(errno)")
        bell = (ends[0], ends[1])
    }

    deinit {
        close(bell.read)
        close(bell.write)
    }

    package var fileDescriptor: Int32 { bell.read }

    package func send(_ bytes: UnsafeRawBufferPointer) -> Errno? {
        sent.append(Array(bytes))
        push(answer(RecordedRequest.parse(Array(bytes))))
        return nil
    }

    package func driver(of interface: String) -> Result<String, Errno> {
        drivers()[interface].map { .success($0) } ?? .failure(Errno(rawValue: ENODEV))
    }

    package func push(_ steps: [Step]) {
        if queue.isEmpty, !steps.isEmpty { _ = write(bell.write, [1], 1) }
        queue += steps
    }

    package func receive(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> ReceivedDatagram {
        guard !queue.isEmpty else { return .failed(.resourceTemporarilyUnavailable) }
        let step = queue.removeFirst()
        if queue.isEmpty {
            var byte: UInt8 = 0
            _ = read(bell.read, &byte, 1)
        }
        func copy(_ bytes: [UInt8]) { buffer.copyBytes(from: bytes.prefix(buffer.count)) }
        switch step {
        case .failed(let errno): return .failed(errno)
        case .datagram(let bytes):
            copy(bytes)
            return .datagram(length: bytes.count, sender: 0)
        case .stranger(let bytes):
            copy(bytes)
            return .datagram(length: bytes.count, sender: 4711)
        case .truncated(let bytes, let length):
            copy(bytes)
            return .datagram(length: length, sender: 0)
        }
    }
}
