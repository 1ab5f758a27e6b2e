/// What becomes of a frame or a packet.
enum Outcome: Hashable, Sendable {
    /// It is left to the network stack.
    case pass
    case drop(Reason)
    /// A packet leaves, from the outer IP header on.
    case send([UInt8])
    /// The frame is dropped for its size, and this one goes back, without its outermost tag, which goes beside it.
    case reply([UInt8])
    /// A frame is delivered, without its outermost tag, which goes beside it.
    case deliver([UInt8])
}

/// Why a frame does not cross; also what is counted without consequences.
enum Reason: String, Hashable, Sendable, CaseIterable {
    case frameTooShort = "frame_too_short"
    case vlanDepth = "vlan_depth"
    case tooBig = "too_big"
    case notFragmented = "not_fragmented"
    case stray
    case sourceAddress = "source_address"
    case sourcePort = "source_port"
    case fragment
    case cookie
    case cookieLength = "cookie_length"
    case length
    case runt
    case sublayerMismatch = "sublayer_mismatch"
    case controlChannel = "control_channel"
    case pseudowireFragment = "pseudowire_fragment"
    case sequenceMissing = "sequence_missing"
    case sequence
    case vlan
    case congestion
    case sequenceUnexpected = "sequence_unexpected"
    case sequenceGap = "sequence_gap"
    // What no rule asks for: the kernel's refusals.
    case noRoute = "no_route"
    case noRoom = "no_room"
    case noSegmentation = "no_segmentation"
    case coalesced
    case notRemoved = "not_removed"

    /// Counted, and nothing dropped for it.
    static let harmless: Set<Reason> = [.sequenceUnexpected, .sequenceGap]

    /// For which rules drop something.
    static let ruled = Set(allCases).subtracting(harmless).subtracting([
        .noRoute, .noRoom, .noSegmentation, .coalesced, .notRemoved,
    ])
}

/// What the standards leave to the sender of a packet, as it was found in one.
struct Choices: Hashable, Sendable {
    /// IPv4's, where routers may fragment (RFC 6864).
    var identification: UInt16 = 0
    /// IPv6's, where it is the flow's (RFC 6437).
    var flowLabel: UInt32 = 0
    /// Where it is the flow's.
    var sourcePort: UInt16 = 0
}
