import Glibc
import InternetAddress
import RouteNetlink
import SystemPackage

/// One run of a `Stream`: both sockets and how far each is.
struct StreamConversation {
    private let stream: Stream
    private let listener: NetworkSocket
    private let sender: NetworkSocket
    private var receiver: NetworkSocket?
    private let deadline: Deadline
    private var outcome = Stream.Outcome()

    init(
        _ stream: Stream, from sending: borrowing NetworkNamespace, to receiving: borrowing NetworkNamespace
    ) throws(TestbedError) {
        self.stream = stream
        let limit: Duration =
            switch stream.amount {
            case .duration(let duration): stream.timeout ?? duration + .seconds(10)
            case .octets: stream.timeout ?? .seconds(30)
            }
        deadline = Deadline(after: limit)
        let family = stream.destination.family
        listener = try NetworkSocket(in: receiving, family: family, type: SOCK_STREAM, protocolNumber: 0)
        sender = try NetworkSocket(in: sending, family: family, type: SOCK_STREAM, protocolNumber: 0)
        receiver = nil
    }

    mutating func run(_ isCancelled: () -> Bool) throws(TestbedError) -> Stream.Outcome {
        guard try connect(isCancelled) else {
            outcome.isCutShort = true
            return outcome
        }
        let start = monotonicNanoseconds()
        try transfer(from: start, isCancelled)
        outcome.seconds = Double(monotonicNanoseconds() - start) / 1e9
        try close(isCancelled)
        return outcome
    }

    /// Establishes the connection; false when time is up.
    private mutating func connect(_ isCancelled: () -> Bool) throws(TestbedError) -> Bool {
        let destination = stream.destination
        let here = SocketAddress(destination, port: 0)
        guard here.withPointer({ bind(listener.descriptor, $0, $1) }) == 0, listen(listener.descriptor, 1) == 0 else {
            throw .system("listen on \(destination)", Errno(rawValue: errno))
        }
        let there = SocketAddress(destination, port: SocketAddress.localPort(of: listener.descriptor))
        if there.withPointer({ Glibc.connect(sender.descriptor, $0, $1) }) != 0, errno != EINPROGRESS {
            throw .system("connect to \(destination)", Errno(rawValue: errno))
        }
        while true {
            var polls = [
                pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: sender.descriptor, events: 0, revents: 0),
            ]
            guard wait(&polls, isCancelled) else { return false }
            if polls[1].revents != 0 {
                let code = sender.pendingError()
                if code != 0 { throw .system("connect to \(destination)", Errno(rawValue: code)) }
            }
            guard polls[0].revents != 0 else { continue }
            let descriptor = accept(listener.descriptor, nil, nil)
            if descriptor >= 0 {
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                receiver = NetworkSocket(owning: descriptor)
                return true
            }
            guard errno == EAGAIN || errno == EINTR else {
                throw .system("accept a connection to \(destination)", Errno(rawValue: errno))
            }
        }
    }

    /// Sends and receives until the receiver has seen the end.
    private mutating func transfer(from start: UInt64, _ isCancelled: () -> Bool) throws(TestbedError) {
        let pattern = StreamPattern()
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var isSending = true
        while true {
            if isSending, isDone(start) {
                isSending = false
                shutdown(sender.descriptor, Int32(SHUT_WR))
            }
            var polls = [
                pollfd(fd: receiver?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: sender.descriptor, events: isSending ? Int16(POLLOUT) : 0, revents: 0),
            ]
            guard wait(&polls, isCancelled) else {
                outcome.isCutShort = true
                return
            }
            if polls[1].revents & Int16(POLLERR) != 0 {
                throw .system("send to \(stream.destination)", Errno(rawValue: sender.pendingError()))
            }
            if isSending, polls[1].revents & Int16(POLLOUT) != 0 { try send(pattern) }
            if polls[0].revents != 0, try receive(pattern, &buffer) { return }
        }
    }

    private func isDone(_ start: UInt64) -> Bool {
        switch stream.amount {
        case .duration(let duration): monotonicNanoseconds() - start >= duration.nanoseconds
        case .octets(let count): outcome.sentOctets >= count
        }
    }

    private mutating func send(_ pattern: StreamPattern) throws(TestbedError) {
        var limit = 256 * 1024
        if case .octets(let count) = stream.amount { limit = min(limit, count - outcome.sentOctets) }
        let position = outcome.sentOctets
        let descriptor = sender.descriptor
        let result = pattern.withOctets(at: position, atMost: limit) {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if result >= 0 {
            outcome.sentOctets += result
        } else if errno != EAGAIN, errno != EINTR {
            throw .system("send to \(stream.destination)", Errno(rawValue: errno))
        }
    }

    /// Takes what there is; true at the end of the stream.
    private mutating func receive(
        _ pattern: StreamPattern, _ buffer: inout [UInt8]
    ) throws(TestbedError) -> Bool {
        let descriptor = receiver?.descriptor ?? -1
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count == 0 { return true }
        guard count > 0 else {
            if errno == EAGAIN || errno == EINTR { return false }
            throw .system("receive at \(stream.destination)", Errno(rawValue: errno))
        }
        if outcome.firstWrongOctet == nil {
            outcome.firstWrongOctet = pattern.firstDifference(buffer[..<count], at: outcome.receivedOctets)
        }
        outcome.receivedOctets += count
        return false
    }

    /// Closes the other direction as well and waits until the sender has heard it, so that nothing is under way.
    private mutating func close(_ isCancelled: () -> Bool) throws(TestbedError) {
        guard !outcome.isCutShort, let descriptor = receiver?.descriptor else { return }
        shutdown(descriptor, Int32(SHUT_WR))
        var octet: UInt8 = 0
        while true {
            var polls = [pollfd(fd: sender.descriptor, events: Int16(POLLIN), revents: 0)]
            guard wait(&polls, isCancelled) else {
                outcome.isCutShort = true
                return
            }
            let count = recv(sender.descriptor, &octet, 1, 0)
            if count == 0 { return }
            if count < 0, errno != EAGAIN, errno != EINTR {
                throw .system("close the connection to \(stream.destination)", Errno(rawValue: errno))
            }
        }
    }

    /// Waits for one of the sockets; false when time is up or the caller wants no more.
    private func wait(_ polls: inout [pollfd], _ isCancelled: () -> Bool) -> Bool {
        while !isCancelled(), !deadline.hasPassed {
            if poll(&polls, nfds_t(polls.count), deadline.milliseconds(atMost: 100)) > 0 { return true }
            // A stream of a duration must notice that its time is over even if nothing moves.
            if polls.count == 2, polls[1].events == Int16(POLLOUT) { return true }
        }
        return false
    }
}

/// The octets of a stream: a pattern over and over, whose length is a prime, so that a lost, doubled or swapped
/// segment of any usual size shows.
struct StreamPattern {
    private static let period = 262_147
    /// Shared by all streams of the process.
    private static let octets = PayloadPattern.bytes(count: period, seed: 1701)

    /// Lends the octets from a position on: as many as there are in one piece.
    func withOctets<Value>(at position: Int, atMost limit: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        Self.octets.withUnsafeBytes { octets in
            let start = position % Self.period
            return body(UnsafeRawBufferPointer(rebasing: octets[start..<min(start + max(0, limit), Self.period)]))
        }
    }

    /// Where in the stream the first octet is that should be another; `position` is that of the first given.
    func firstDifference(_ received: ArraySlice<UInt8>, at position: Int) -> Int? {
        received.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let different: Int? = withOctets(at: position + done, atMost: bytes.count - done) { expected in
                    let given = UnsafeRawBufferPointer(rebasing: bytes[done..<done + expected.count])
                    done += expected.count
                    guard let left = given.baseAddress, let right = expected.baseAddress,
                        memcmp(left, right, expected.count) != 0
                    else { return nil }
                    return given.indices.first { given[$0] != expected[$0] }.map { done - expected.count + $0 }
                }
                if let different { return position + different }
            }
            return nil
        }
    }
}
