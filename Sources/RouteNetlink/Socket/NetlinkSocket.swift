import CPseudowireLinux
import CPseudowireMNL
import Glibc
import SystemPackage

/// A netlink socket that asks one question at a time and believes only answers to it.
///
/// An answer counts when it comes from the kernel (`nl_pid` 0) and bears our port and the sequence number of the
/// request: a link that somebody creates across namespaces with `NLM_F_ECHO` puts strangers' messages in our
/// queue. Every exchange is read to its end, so that an error in the middle leaves nothing behind for the next one.
final class NetlinkSocket {
    private let handle: OpaquePointer
    private let portID: UInt32
    private var sequence: UInt32
    private let buffer: UnsafeMutableRawBufferPointer

    /// Messages of a dump fill at most this much: the kernel's own limit (`af_netlink.c`, `netlink_dump`).
    private static let bufferSize = 32 * 1024
    /// The kernel answers before `send` returns; only a dump of very many objects takes longer than an instant.
    private static let timeout = timeval(tv_sec: 10, tv_usec: 0)
    /// How often a dump that changed under our eyes is started again.
    private static let dumpAttempts = 16

    /// Opens a socket of `netlinkProtocol` in `namespace`.
    convenience init(_ netlinkProtocol: Int32, in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        try self.init(netlinkProtocol, try namespace.run { Self.open(netlinkProtocol) })
    }

    /// Opens a socket of `netlinkProtocol` in the calling thread's namespace, which needs no privilege.
    convenience init(_ netlinkProtocol: Int32) throws(NetlinkError) {
        try self.init(netlinkProtocol, Self.open(netlinkProtocol))
    }

    /// A descriptor or a negated errno.
    private static func open(_ netlinkProtocol: Int32) -> Int32 {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), netlinkProtocol)
        return descriptor < 0 ? -errno : descriptor
    }

    /// Takes over what `open` returned.
    private init(_ netlinkProtocol: Int32, _ result: Int32) throws(NetlinkError) {
        let operation = "open netlink socket"
        guard result >= 0 else { throw NetlinkError(Errno(rawValue: -result), operation) }
        guard let handle = mnl_socket_fdopen(result) else {
            let code = Errno(rawValue: errno)
            close(result)
            throw NetlinkError(code, operation)
        }
        self.handle = handle
        guard mnl_socket_bind(handle, 0, 0) == 0 else {
            let code = Errno(rawValue: errno)
            mnl_socket_close(handle)
            throw NetlinkError(code, operation)
        }
        portID = mnl_socket_get_portid(handle)
        sequence = .random(in: 1...(.max))
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
        try configure(isRoute: netlinkProtocol == NETLINK_ROUTE)
    }

    deinit {
        mnl_socket_close(handle)
        buffer.deallocate()
    }

    var fileDescriptor: Int32 { mnl_socket_get_fd(handle) }

    private func configure(isRoute: Bool) throws(NetlinkError) {
        var options = [NETLINK_EXT_ACK, NETLINK_CAP_ACK]
        if isRoute { options.append(NETLINK_GET_STRICT_CHK) }
        for option in options {
            var on: Int32 = 1
            guard mnl_socket_setsockopt(handle, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
                throw NetlinkError(Errno(rawValue: errno), "set netlink option \(option)")
            }
        }
        var timeout = Self.timeout
        let size = socklen_t(MemoryLayout<timeval>.size)
        guard setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size) == 0 else {
            throw NetlinkError(Errno(rawValue: errno), "set receive timeout of a netlink socket")
        }
    }

    /// The never reused number of the namespace that the socket lives in (Linux 5.14).
    func namespaceCookie() throws(NetlinkError) -> UInt64 {
        var cookie: UInt64 = 0
        let result = pseudowire_namespace_cookie(fileDescriptor, &cookie)
        guard result == 0 else { throw NetlinkError(Errno(rawValue: -result), "read the namespace's cookie") }
        return cookie
    }

    /// Sends one request and reads to its acknowledgement; `onReply` sees every other message that answers it.
    func perform(
        _ request: Request, _ object: NetlinkObject, _ operation: @autoclosure () -> String,
        onReply: (borrowing Message) throws(MalformedMessage) -> Void = { _ throws(MalformedMessage) in }
    ) throws(NetlinkError) {
        _ = try exchange(request, object, operation, onReply)
    }

    /// Sends a dump request and collects what `parse` makes of its messages, again from the start when the kernel
    /// says that the list changed meanwhile (`NLM_F_DUMP_INTR`).
    ///
    /// - Throws: `EINTR` when the list kept changing, sixteen times over.
    func dump<Element>(
        _ request: Request, _ object: NetlinkObject, _ operation: @autoclosure () -> String,
        parse: (borrowing Message) throws(MalformedMessage) -> Element?
    ) throws(NetlinkError) -> [Element] {
        for _ in 0..<Self.dumpAttempts {
            var elements: [Element] = []
            let isConsistent = try exchange(request, object, operation) { message throws(MalformedMessage) in
                if let element = try parse(message) { elements.append(element) }
            }
            if isConsistent { return elements }
        }
        throw NetlinkError(
            .interrupted, operation(), object: object,
            message: "the list changed during each of \(Self.dumpAttempts) attempts to read it")
    }

    /// Returns whether all messages described one moment.
    private func exchange(
        _ request: Request, _ object: NetlinkObject, _ operation: () -> String,
        _ onReply: (borrowing Message) throws(MalformedMessage) -> Void
    ) throws(NetlinkError) -> Bool {
        func failure(_ errno: Errno, _ message: String? = nil) -> NetlinkError {
            NetlinkError(errno, operation(), object: object, message: message)
        }
        if let fault = request.fault { throw failure(fault.errno, fault.message) }

        let sequence = nextSequence()
        var request = request
        request.setSequence(sequence)
        guard let errno = send(request) else {
            return try receive(request, sequence, failure, onReply)
        }
        throw failure(errno)
    }

    private func receive(
        _ request: Request, _ sequence: UInt32, _ failure: (Errno, String?) -> NetlinkError,
        _ onReply: (borrowing Message) throws(MalformedMessage) -> Void
    ) throws(NetlinkError) -> Bool {
        var exchange = Exchange(sequence: sequence, portID: portID)
        while true {
            let count = try receiveDatagram(failure)
            var cursor = MessageCursor(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count])))
            while let message = cursor.next() {
                switch exchange.take(message, onReply) {
                case nil: continue
                case .done: return exchange.isConsistent
                case .overrun: throw failure(.noBufferSpace, Self.lost)
                case .malformed(let what): throw failure(Errno(rawValue: EBADMSG), what)
                case .refused(let acknowledgement):
                    var error = failure(Errno(rawValue: acknowledgement.code), acknowledgement.text)
                    AttributePath.annotate(&error, with: acknowledgement, request: request)
                    throw error
                }
            }
        }
    }

    private static let lost = "the kernel dropped answers: whether the operation took place is unknown"

    private func nextSequence() -> UInt32 {
        sequence = sequence == .max ? 1 : sequence + 1
        return sequence
    }

    private func send(_ request: Request) -> Errno? {
        while true {
            let sent = request.bytes.withUnsafeBytes { mnl_socket_sendto(handle, $0.baseAddress, $0.count) }
            if sent >= 0 { return nil }
            if errno != EINTR { return Errno(rawValue: errno) }
        }
    }

    /// Waits for one datagram of the kernel's; returns its length.
    private func receiveDatagram(_ failure: (Errno, String?) -> NetlinkError) throws(NetlinkError) -> Int {
        while true {
            var sender = sockaddr_nl()
            var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    // MSG_TRUNC returns the datagram's true length, also where that exceeds the buffer.
                    recvfrom(fileDescriptor, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC), $0, &size)
                }
            }
            guard count >= 0 else {
                switch errno {
                case EINTR: continue
                case EAGAIN: throw failure(.timedOut, "the kernel did not answer within \(Self.timeout.tv_sec) s")
                case ENOBUFS: throw failure(.noBufferSpace, Self.lost)
                default: throw failure(Errno(rawValue: errno), nil)
                }
            }
            guard sender.nl_pid == 0 else { continue }
            guard count <= buffer.count else {
                throw failure(.messageTooLong, "an answer of \(count) bytes exceeds the buffer of \(buffer.count)")
            }
            return count
        }
    }
}
