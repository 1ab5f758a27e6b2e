import CPseudowireMNL

/// One request's way to its end: which messages answer it, and what they amount to.
///
/// Pure: it is fed messages and never touches a socket.
struct Exchange {
    /// How a request ended.
    enum Outcome: Equatable {
        case done
        case refused(ExtendedAcknowledgement)
        /// The kernel dropped messages.
        case overrun
        /// An answer did not have the shape that the kernel documents.
        case malformed(String)
    }

    let sequence: UInt32
    let portID: UInt32
    let ending: Request.Ending
    /// False when the kernel said that a list changed while it was read: on any one of its messages.
    private(set) var isConsistent = true
    /// What the kernel says about a request that it did all the same.
    private(set) var warning: String?
    private var malformed: MalformedMessage?

    init(sequence: UInt32, portID: UInt32, ending: Request.Ending = .acknowledgement) {
        self.sequence = sequence
        self.portID = portID
        self.ending = ending
    }

    /// Takes the next message; nil while more are to come.
    ///
    /// What answers another request, or another socket's, is passed over. A broken message is reported only at the
    /// end: a dump that is left unread would make the next one fail with `EBUSY`.
    mutating func take(
        _ message: borrowing Message, _ onReply: (borrowing Message) throws(MalformedMessage) -> Void
    ) -> Outcome? {
        guard message.sequence == sequence, message.portID == portID else { return nil }
        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
        switch message.type {
        case Int(NLMSG_NOOP):
            return nil
        case Int(NLMSG_OVERRUN):
            return .overrun
        case Int(NLMSG_ERROR), Int(NLMSG_DONE):
            guard let acknowledgement = ExtendedAcknowledgement(message) else {
                return .malformed("an acknowledgement without an errno")
            }
            if acknowledgement.code != 0 { return .refused(acknowledgement) }
            warning = acknowledgement.text
            return malformed.map { .malformed($0.what) } ?? .done
        default:
            do throws(MalformedMessage) { try onReply(message) } catch { malformed = malformed ?? error }
            return ending == .object ? malformed.map { .malformed($0.what) } ?? .done : nil
        }
    }
}
