/// What a datapath remembers of a pseudowire from frame to frame.
struct WireState: Hashable, Sendable {
    /// How many frames have been numbered.
    var sent: UInt64 = 0
    /// The number that the next frame should have.
    var expected: UInt32 = 0
    /// Whether any numbered frame has been accepted.
    var hasBegun = false
    /// The number refused last, if nothing has been accepted since.
    var lastRefused: UInt32?
    /// How many have been refused in a row, each one greater by one than the one before.
    var refusedInARow = 0
    /// What was counted without consequences.
    var noticed: [Reason: UInt64] = [:]
    var txFrames: UInt64 = 0
    var txOctets: UInt64 = 0
    var rxFrames: UInt64 = 0
    var rxOctets: UInt64 = 0
    var txDropped: UInt64 = 0
    var rxDropped: UInt64 = 0
    var replies: UInt64 = 0
}

/// The rules of one pseudowire's end, written a second time: from the standards, to be read, whatever it costs.
///
/// ```swift
/// var end = ReferenceEnd(wire)
/// end.encapsulate(CustomerFrame(frame), choices: Choices())   // .send(packet)
/// ```
///
/// Sources: RFC 3931 (header, session, cookie, sequence numbers), RFC 5085 and RFC 4623 (what is no frame), RFC 6040
/// (congestion), RFC 768 and RFC 6936 (checksums), IEEE 802.1Q (tags).
struct ReferenceEnd: Sendable {
    let wire: Wire
    var state = WireState()

    init(_ wire: Wire) { self.wire = wire }

    mutating func notice(_ reason: Reason, _ count: UInt64 = 1) { state.noticed[reason, default: 0] += count }
}

/// An access interface with its pseudowires, and the interface at which their peers' packets arrive.
struct ReferenceNode: Sendable {
    var ends: [ReferenceEnd]
    /// What was counted without consequences, and is no pseudowire's.
    var noticed: [Reason: UInt64] = [:]

    /// What becomes of a frame that came in at the access interface.
    mutating func encapsulate(_ frame: [UInt8], choices: Choices) -> Outcome {
        let frame = CustomerFrame(frame)
        guard let index = ends.firstIndex(where: { $0.wire.selects(frame) }) else { return .pass }
        let outcome = ends[index].encapsulate(frame, choices: choices)
        switch outcome {
        case .drop, .reply: ends[index].state.txDropped += 1
        default: break
        }
        return outcome
    }

    /// What becomes of an Ethernet frame that came in from the network.
    mutating func decapsulate(_ arrived: [UInt8]) -> Outcome {
        // The stack will give it up when no other part of it comes.
        if ArrivedPacket.isStrayFragment(arrived) { noticed[.fragment, default: 0] += 1 }
        guard let packet = ArrivedPacket(arrived),
            let index = ends.firstIndex(where: { packet.isFor($0.wire) })
        else { return .pass }
        let outcome = ends[index].decapsulate(packet)
        if case .drop = outcome { ends[index].state.rxDropped += 1 }
        return outcome
    }
}
