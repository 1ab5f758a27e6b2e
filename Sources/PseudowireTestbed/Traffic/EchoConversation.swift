import Glibc
import InternetAddress
import RouteNetlink
import SystemPackage

/// One run of an `Echo`: its socket and what is under way.
struct EchoConversation {
    private let echo: Echo
    private let socket: NetworkSocket
    private let address: SocketAddress
    /// Tells our replies from everybody else's: a raw socket sees all of the namespace's ICMP.
    private let identifier: UInt16
    private let pattern: [UInt8]

    private var family: IPAddress.Family { echo.destination.family }

    init(_ echo: Echo, in namespace: borrowing NetworkNamespace) throws(TestbedError) {
        let isIPv4 = echo.destination.family == .v4
        self.echo = echo
        socket = try NetworkSocket(
            in: namespace, family: echo.destination.family, type: SOCK_RAW,
            protocolNumber: Int32(isIPv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
        address = SocketAddress(echo.destination, port: 0)
        identifier = UInt16.random(in: 1...UInt16.max)
        pattern = PayloadPattern.bytes(count: echo.payloadSize + Self.shifts, seed: UInt64(identifier))
        if !echo.mayFragment {
            try isIPv4
                ? socket.set(Int32(IPPROTO_IP), IP_MTU_DISCOVER, to: IP_PMTUDISC_DO)
                : socket.set(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, to: IPV6_PMTUDISC_DO)
        }
    }

    /// Where in the pattern a request's payload begins depends on its number; this many places there are.
    private static let shifts = 251

    private func payload(_ sequence: UInt16) -> ArraySlice<UInt8> {
        let start = Int(sequence) % Self.shifts
        return pattern[start..<start + echo.payloadSize]
    }

    func run(_ isCancelled: () -> Bool) throws(TestbedError) -> Echo.Outcome {
        var outcome = Echo.Outcome()
        // When each request was sent; nil once it is answered.
        var sendTimes: [UInt64?] = []
        var pending = 0
        var lastSend = monotonicNanoseconds()
        var nextSend = lastSend
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            if isCancelled() { return outcome }
            let now = monotonicNanoseconds()
            if outcome.sent < echo.count, now >= nextSend {
                lastSend = now
                let request = request(UInt16(truncatingIfNeeded: outcome.sent))
                sendTimes.append(monotonicNanoseconds())
                try send(request)
                outcome.sent += 1
                pending += 1
                nextSend = now + echo.interval.nanoseconds
            }
            let end = outcome.sent < echo.count ? nextSend : lastSend + echo.timeout.nanoseconds
            if outcome.sent == echo.count, pending == 0 || now >= end { return outcome }
            var poll = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, Deadline(nanoseconds: end).milliseconds(atMost: 100)) > 0 else { continue }
            while let (length, origin) = receive(&buffer) {
                let arrival = monotonicNanoseconds()
                note(buffer[..<length], from: origin, at: arrival, &outcome, &sendTimes, &pending)
            }
        }
    }

    private func request(_ sequence: UInt16) -> [UInt8] {
        let octets = Array(payload(sequence))
        let request = Transport.echoRequest(identifier: identifier, sequence: sequence, payload: octets)
        // The kernel fills in the checksum of ICMPv6, since only it knows the source address; ours is over any other.
        return request.bytes(from: echo.destination, to: echo.destination)
    }

    private func send(_ bytes: [UInt8]) throws(TestbedError) {
        while true {
            let result = address.withPointer { sendto(socket.descriptor, bytes, bytes.count, 0, $0, $1) }
            if result >= 0 { return }
            switch errno {
            case EINTR: continue
            // A full queue is a lost packet like any other.
            case EAGAIN, ENOBUFS: return
            default: throw .system("send an echo request to \(echo.destination)", Errno(rawValue: errno))
            }
        }
    }

    /// The next ICMP message, without waiting.
    private func receive(_ buffer: inout [UInt8]) -> (length: Int, origin: IPAddress?)? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let capacity = buffer.count
        while true {
            let length = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket.descriptor, &buffer, capacity, 0, $0, &size)
                }
            }
            if length >= 0 { return (length, SocketAddress.address(in: storage)) }
            if errno != EINTR { return nil }
        }
    }

    private func note(
        _ packet: ArraySlice<UInt8>, from origin: IPAddress?, at arrival: UInt64, _ outcome: inout Echo.Outcome,
        _ sendTimes: inout [UInt64?], _ pending: inout Int
    ) {
        guard let message = ICMPMessage(packet, family: family) else { return }
        switch message.content {
        case .reply(identifier, let sequence, let octets):
            let index = Int(sequence)
            guard origin == echo.destination, index < sendTimes.count else { return }
            guard let sent = sendTimes[index] else {
                outcome.duplicates += 1
                return
            }
            guard octets.elementsEqual(payload(sequence)) else {
                outcome.corrupted += 1
                return
            }
            guard arrival - sent <= echo.timeout.nanoseconds else { return }
            sendTimes[index] = nil
            pending -= 1
            outcome.roundTrips.append(Double(arrival - sent) / 1000)
        case .error(identifier):
            outcome.errors.append(.init(origin: origin, type: message.type, code: message.code))
        default: break
        }
    }
}

/// An ICMP or ICMPv6 message as a raw socket delivers it.
struct ICMPMessage {
    enum Content {
        case reply(identifier: UInt16, sequence: UInt16, payload: ArraySlice<UInt8>)
        /// About an echo request with this identifier.
        case error(identifier: UInt16)
        case other
    }

    let type: UInt8
    let code: UInt8
    let content: Content

    /// Nil when the packet is cut short.
    ///
    /// A raw socket delivers the IP header with IPv4, and without it with IPv6.
    init?(_ packet: ArraySlice<UInt8>, family: IPAddress.Family) {
        guard let message = family == .v4 ? Self.behindIPv4Header(packet) : packet, message.count >= 8 else {
            return nil
        }
        let octets = Array(message.prefix(8))
        type = octets[0]
        code = octets[1]
        let identifier = UInt16(octets[4]) << 8 | UInt16(octets[5])
        let sequence = UInt16(octets[6]) << 8 | UInt16(octets[7])
        switch (family, type) {
        case (.v4, 0), (.v6, 129):
            content = .reply(identifier: identifier, sequence: sequence, payload: message.dropFirst(8))
        case (.v4, 3...5), (.v4, 11...12), (.v6, 1...4):
            let quoted = family == .v4 ? Self.behindIPv4Header(message.dropFirst(8)) : message.dropFirst(48)
            let isRequest = quoted?.first == (family == .v4 ? 8 : 128)
            guard let quoted, isRequest, quoted.count >= 6 else {
                content = .other
                return
            }
            let start = quoted.startIndex
            content = .error(identifier: UInt16(quoted[start + 4]) << 8 | UInt16(quoted[start + 5]))
        default: content = .other
        }
    }

    private static func behindIPv4Header(_ packet: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let first = packet.first, first >> 4 == 4 else { return nil }
        let length = Int(first & 0xf) * 4
        return length >= 20 && packet.count >= length ? packet.dropFirst(length) : nil
    }
}
