import SystemPackage

@testable import RouteNetlink

/// Answers each request with what a script makes of it.
final class FakeTransport: NetlinkTransport {
    let fileDescriptor: Int32 = -1
    let portID: UInt32 = 926
    var receiveCapacity = 212_992
    /// What was sent, datagram by datagram.
    var sent: [[UInt8]] = []
    /// What is yet to be received.
    var queue: [Step] = []
    /// What a datagram puts in the queue; gets the sequence numbers of its requests.
    var answer: ([UInt32]) -> [Step]

    enum Step {
        case datagram([UInt8])
        case stranger([UInt8])
        case truncated([UInt8], length: Int)
        case failed(Errno)
    }

    init(_ answer: @escaping ([UInt32]) -> [Step]) { self.answer = answer }

    func send(_ bytes: UnsafeRawBufferPointer) -> Errno? {
        sent.append(Array(bytes))
        var sequences: [UInt32] = []
        forEachMessage(Array(bytes)) { sequences.append($0.sequence) }
        queue += answer(sequences)
        return nil
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> ReceivedDatagram {
        guard !queue.isEmpty else { return .failed(.resourceTemporarilyUnavailable) }
        switch queue.removeFirst() {
        case .failed(let errno): return .failed(errno)
        case .datagram(let bytes):
            buffer.copyBytes(from: bytes)
            return .datagram(length: bytes.count, sender: 0)
        case .stranger(let bytes):
            buffer.copyBytes(from: bytes)
            return .datagram(length: bytes.count, sender: 4711)
        case .truncated(let bytes, let length):
            buffer.copyBytes(from: bytes)
            return .datagram(length: length, sender: 0)
        }
    }
}
