import CPseudowireLinux
import CPseudowireMNL
import Glibc
import SystemPackage

/// A netlink socket that believes only answers to what it asked.
///
/// An answer counts when it comes from the kernel (`nl_pid` 0) and bears our port and the sequence number of the
/// request: a link that somebody creates across namespaces with `NLM_F_ECHO` puts strangers' messages in our
/// queue. Every exchange is read to its end, also one that fails, so that nothing is left behind for the next one.
final class NetlinkSocket {
    let transport: any NetlinkTransport
    private var sequence: UInt32
    private let buffer: UnsafeMutableRawBufferPointer
    private let isRoute: Bool
    var onWarning: ((NetlinkWarning) -> Void)?

    /// Messages of a dump fill at most this much: the kernel's own limit (`af_netlink.c`, `netlink_dump`).
    private static let bufferSize = 32 * 1024
    /// How often a dump that changed under our eyes is started again.
    static let dumpAttempts = 16
    /// More datagrams than any receive buffer holds: a bound for reading away what nobody waits for.
    private static let drainLimit = 1 << 20

    /// Opens a socket of `netlinkProtocol` in `namespace`.
    convenience init(_ netlinkProtocol: Int32, in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        self.init(try KernelTransport(netlinkProtocol, in: namespace), isRoute: netlinkProtocol == NETLINK_ROUTE)
    }

    /// Opens a socket of `netlinkProtocol` in the calling thread's namespace, which needs no privilege.
    convenience init(_ netlinkProtocol: Int32) throws(NetlinkError) {
        self.init(try KernelTransport(netlinkProtocol), isRoute: netlinkProtocol == NETLINK_ROUTE)
    }

    init(_ transport: any NetlinkTransport, isRoute: Bool) {
        self.transport = transport
        self.isRoute = isRoute
        sequence = .random(in: 1...(.max))
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    }

    deinit { buffer.deallocate() }

    var fileDescriptor: Int32 { transport.fileDescriptor }

    /// The never reused number of the namespace that the socket lives in (Linux 5.14).
    func namespaceCookie() throws(NetlinkError) -> UInt64 {
        var cookie: UInt64 = 0
        let result = pseudowire_namespace_cookie(fileDescriptor, &cookie)
        guard result == 0 else { throw NetlinkError(Errno(rawValue: -result), "read the namespace's cookie") }
        return cookie
    }

    /// Sends one request and reads to its end; `onReply` sees every message that answers it but the acknowledgement.
    func perform(
        _ request: consuming Request, _ object: NetlinkObject, _ operation: @autoclosure () -> String,
        onReply: (borrowing Message) throws(MalformedMessage) -> Void = { _ throws(MalformedMessage) in }
    ) throws(NetlinkError) {
        _ = try exchange(&request, object, operation, onReply)
    }

    /// Sends one request and returns what `parse` makes of the answer; nil when that is nothing.
    func object<Object>(
        _ request: consuming Request, _ object: NetlinkObject, _ operation: @autoclosure () -> String,
        parse: (borrowing Message) throws(MalformedMessage) -> Object?
    ) throws(NetlinkError) -> Object? {
        var found: Object?
        _ = try exchange(&request, object, operation) { message throws(MalformedMessage) in
            // No `??`: it would copy what may be a large struct.
            if let parsed = try parse(message) { found = parsed }
        }
        return found
    }

    /// Sends a dump request and collects what `parse` makes of its messages, again from the start when the kernel
    /// says that the list changed meanwhile (`NLM_F_DUMP_INTR`).
    ///
    /// - Throws: `isInterrupted` when the list kept changing, sixteen times over.
    func dump<Element>(
        _ request: consuming Request, _ object: NetlinkObject, _ operation: @autoclosure () -> String,
        parse: (borrowing Message) throws(MalformedMessage) -> Element?
    ) throws(NetlinkError) -> [Element] {
        for _ in 0..<Self.dumpAttempts {
            var elements: [Element] = []
            let isConsistent = try exchange(&request, object, operation) { message throws(MalformedMessage) in
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
        _ request: inout Request, _ object: NetlinkObject, _ operation: () -> String,
        _ onReply: (borrowing Message) throws(MalformedMessage) -> Void
    ) throws(NetlinkError) -> Bool {
        func failure(_ errno: Errno, _ message: String? = nil) -> NetlinkError {
            NetlinkError(errno, operation(), object: object, message: message)
        }
        if let fault = request.fault { throw failure(fault.errno, fault.message) }

        let sequence = reserveSequences()
        request.setSequence(sequence)
        if let errno = request.bytes.withUnsafeBytes(transport.send) { throw failure(errno) }

        var exchange = Exchange(sequence: sequence, portID: transport.portID, ending: request.ending)
        while true {
            let outcome: Exchange.Outcome?
            do throws(Loss) {
                outcome = try receive(waits: true) { message in exchange.take(message, onReply) }
            } catch {
                // The rest of a dump would make the next one fail with EBUSY; and a socket that has lost something
                // accepts nothing until it was read empty.
                drain()
                var unknown = failure(error.errno, error.message)
                unknown.isOutcomeUnknown = true
                throw unknown
            }
            switch outcome {
            case nil: continue
            case .done:
                if let text = exchange.warning, let onWarning {
                    onWarning(NetlinkWarning(operation: operation(), message: text))
                }
                return exchange.isConsistent
            case .overrun:
                drain()
                var unknown = failure(.noBufferSpace, Loss.overflow.message)
                unknown.isOutcomeUnknown = true
                throw unknown
            case .malformed(let what): throw failure(Errno(rawValue: EBADMSG), what)
            case .refused(let acknowledgement): throw refusal(acknowledgement, request.bytes, failure)
            }
        }
    }

    /// What the kernel's refusal of `request` says, with its attributes by name.
    func refusal(
        _ acknowledgement: ExtendedAcknowledgement, _ request: [UInt8], _ failure: (Errno, String?) -> NetlinkError
    ) -> NetlinkError {
        var error = failure(Errno(rawValue: acknowledgement.code), acknowledgement.text)
        error.policy = acknowledgement.policy
        // Numbers of generic netlink families are handed out at run time and coincide with those of rtnetlink.
        if isRoute { AttributePath.annotate(&error, with: acknowledgement, request: request) }
        return error
    }

    /// The first of `count` numbers in a row, none of them zero, that no request had lately.
    func reserveSequences(_ count: Int = 1) -> UInt32 {
        let count = UInt32(count)
        let first = sequence > .max - count ? 1 : sequence + 1
        sequence = first + count - 1
        return first
    }

    /// Receives one datagram of the kernel's and shows `take` its messages, until that returns something.
    func receive<Value>(
        waits: Bool, _ take: (borrowing Message) -> Value?
    ) throws(Loss) -> Value? {
        while true {
            switch transport.receive(into: buffer, waits: waits) {
            case .failed(.resourceTemporarilyUnavailable) where !waits: throw .empty
            case .failed(.resourceTemporarilyUnavailable): throw .silence
            case .failed(.noBufferSpace): throw .overflow
            case .failed(let errno): throw Loss(errno: errno, message: nil)
            case .datagram(_, let sender) where sender != 0: continue
            case .datagram(let length, _):
                let count = min(length, buffer.count)
                var cursor = MessageCursor(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count])))
                while let message = cursor.next() {
                    if let value = take(message) { return value }
                }
                guard length <= buffer.count else { throw .truncated(length, buffer.count) }
                return nil
            }
        }
    }

    /// What came of looking for notifications.
    enum Notified {
        /// One datagram was taken.
        case taken
        /// None is there yet.
        case nothing
        /// Some were lost; what waited is older than what will be read now, and was read away.
        case lost
    }

    /// Shows `take` the notifications of one datagram, without waiting for one.
    func notifications(_ take: (borrowing Message) -> Void) throws(NetlinkError) -> Notified {
        do throws(Loss) {
            _ = try receive(waits: false) { message -> Void? in
                take(message)
                return nil
            }
            return .taken
        } catch {
            switch error.errno {
            case .resourceTemporarilyUnavailable: return .nothing
            case .noBufferSpace, .messageTooLong:
                drain()
                return .lost
            default: throw NetlinkError(error.errno, "read events", message: error.message)
            }
        }
    }

    /// Reads away what is there, without waiting.
    func drain() {
        for _ in 0..<Self.drainLimit {
            do throws(Loss) {
                _ = try receive(waits: false) { _ in nil as Void? }
            } catch {
                // An overflow is reported before what had still been room for.
                if error.errno == .resourceTemporarilyUnavailable { return }
                guard error.errno == .noBufferSpace || error.errno == .messageTooLong else { return }
            }
        }
    }

    /// Why an answer did not arrive.
    struct Loss: Error {
        var errno: Errno
        var message: String?

        static let empty = Loss(errno: .resourceTemporarilyUnavailable, message: nil)
        static let silence = Loss(
            errno: .timedOut, message: "the kernel did not answer within \(KernelTransport.timeout.tv_sec) s")
        static let overflow = Loss(
            errno: .noBufferSpace, message: "the kernel dropped answers: whether the operation took place is unknown")
        static func truncated(_ length: Int, _ room: Int) -> Loss {
            Loss(errno: .messageTooLong, message: "an answer of \(length) bytes exceeds the buffer of \(room)")
        }
    }
}
