public import SystemPackage

/// What the scripted kernel makes of a request.
///
/// ```swift
/// .acknowledgement
/// .objects([.link(1, name: "lo"), .link(2, name: "eth0")], perDatagram: 1)
/// .refusal(.invalidArgument, "Device is gone", at: [18, 1])
/// .objects(links).interrupted()
/// ```
public struct Answer: Sendable {
    enum Datagram: Sendable {
        case messages([KernelMessage])
        /// From a socket that is not the kernel.
        case stranger([KernelMessage])
        /// Of the kernel, but for another request of ours or of somebody else.
        case echo([KernelMessage])
        case refusal(Errno, String?, path: [Int])
        /// The end: an ACK, or a DONE where a list was asked for.
        /// A warning is the kernel's words about what it did.
        case end(warning: String? = nil)
        case failure(Errno)
        case truncated([KernelMessage])
    }

    var datagrams: [Datagram]

    /// The request is done.
    public static let acknowledgement = Answer(datagrams: [.end()])

    /// Nothing: a timeout, which the scripted kernel does not wait for; success, where only a failure is answered.
    public static let silence = Answer(datagrams: [])

    /// Objects and the end: for a list, or for the one object that was asked for.
    ///
    /// `perDatagram` splits them as a small buffer would; a list's end comes in a datagram of its own.
    public static func objects(_ objects: [KernelMessage], perDatagram: Int = 16) -> Answer {
        var datagrams: [Datagram] = []
        var rest = objects[...]
        while !rest.isEmpty {
            datagrams.append(.messages(Array(rest.prefix(max(1, perDatagram)))))
            rest = rest.dropFirst(max(1, perDatagram))
        }
        return Answer(datagrams: datagrams + [.end()])
    }

    /// A refusal, with the kernel's words and the attribute it points at, by a path of types.
    public static func refusal(_ errno: Errno, _ text: String? = nil, at path: [Int] = []) -> Answer {
        Answer(datagrams: [.refusal(errno, text, path: path)])
    }

    /// The request is done, and the kernel has a remark about it: see `RouteClient.onWarning`.
    public static func warning(_ text: String) -> Answer { Answer(datagrams: [.end(warning: text)]) }

    /// The list changed while it was read (`NLM_F_DUMP_INTR`), which is asked for again then.
    ///
    /// Of all messages only the last object's bears the flag, as the real kernel has it; the end's where there is none.
    public func interrupted() -> Answer {
        var answer = self
        for index in datagrams.indices.reversed() {
            guard case .messages(var messages) = datagrams[index], let last = messages.indices.last else { continue }
            messages[last].flags |= 0x10
            answer.datagrams[index] = .messages(messages)
            return answer
        }
        answer.datagrams = [.messages([Self.interruptedEnd])]
        return answer
    }

    /// `NLMSG_DONE` with its errno of zero.
    private static var interruptedEnd: KernelMessage {
        var end = KernelMessage(MessageType(rawValue: 3), payload: [0, 0, 0, 0])
        end.flags = 0x10
        return end
    }

    /// The receive buffer overflowed (`ENOBUFS`): the first `lost` datagrams of this answer are gone.
    ///
    /// The kernel reports that before it hands out what there had been room for.
    public func overrun(losing lost: Int = 1) -> Answer {
        Answer(datagrams: [.failure(.noBufferSpace)] + datagrams.dropFirst(lost))
    }

    /// A socket that is not the kernel's sends something first.
    public func afterStranger(_ messages: [KernelMessage]) -> Answer {
        Answer(datagrams: [.stranger(messages)] + datagrams)
    }

    /// An answer to somebody else's request comes first, as across namespaces with `NLM_F_ECHO`.
    public func afterEcho(_ messages: [KernelMessage]) -> Answer {
        Answer(datagrams: [.echo(messages)] + datagrams)
    }

    /// The first datagram is longer than the buffer, and what exceeds it is gone.
    public func truncated() -> Answer {
        guard case .messages(let messages)? = datagrams.first else { return self }
        return Answer(datagrams: [.truncated(messages)] + datagrams.dropFirst())
    }
}
