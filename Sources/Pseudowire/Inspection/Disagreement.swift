internal import CPseudowireObject
internal import L2TP

/// In what the two ends were told differently, as the last minute's packets show.
struct Disagreement {
    /// How long after a packet its message counts, in nanoseconds.
    static let memory: UInt64 = 60 * 1_000_000_000

    /// Why nothing can come in, and the cure; nil if nothing says so.
    let fatal: String?
    /// What does no harm but will surprise.
    let remarks: [String]

    /// - Parameter isHeard: whether a frame of the peer's came after the last message that it cannot be reached.
    init(
        _ configuration: PseudowireConfiguration, _ statistics: Statistics, isHeard: Bool,
        now: UInt64 = MonotonicClock.now()
    ) {
        guard !statistics.drops.isEmpty else {
            fatal = nil
            remarks = []
            return
        }
        let recent = Set(
            statistics.drops.filter { drop in
                // One that was seen after we looked at the clock is as recent as can be.
                drop.lastSeen.map { now < $0 || now - $0 < Self.memory } ?? false
            }.map(\.reason))
        func has(_ reason: pw_drop_reason) -> Bool { recent.contains(DropReason(rawValue: reason.rawValue)) }
        let session = configuration.session
        fatal =
            if has(PW_DROP_SUBLAYER_MISMATCH) {
                session.sublayer == .default
                    ? "the peer uses no L2-specific sublayer, this end 'default': set --sublayer alike on both ends"
                    : "the peer uses the default L2-specific sublayer, this end 'none': set --sublayer alike on both ends"
            } else if has(PW_DROP_COOKIE_LENGTH) {
                "the peer's cookie has another length than the \(session.expectedCookieLength) octets expected here: "
                    + "set --expect-cookie to what the peer sends"
            } else if has(PW_DROP_COOKIE), statistics.rxFrames == 0 {
                "the peer's cookie is none of those expected here: set --expect-cookie to what the peer sends"
            } else if has(PW_DROP_SEQUENCE_MISSING) {
                "the peer sends no sequence numbers, this end takes nothing else: switch them on there, "
                    + "or leave --sequence receive out here"
            } else if has(PW_DROP_VLAN), statistics.rxFrames == 0 {
                "the peer sends other frames than \(configuration.expectedFrames), which this end takes: "
                    + "set --vlan and --vlan-tag to what the peer sends"
            } else {
                nil
            }
        var remarks: [String] = []
        // Linux says so too of packets that a raw socket, such as QEMU's, has no room for just then.
        if has(PW_DROP_UNREACHABLE), !isHeard {
            remarks.append("ICMP says that packets do not reach the peer: is its end up, and this session known there?")
        }
        if has(PW_DROP_SEQUENCE_UNEXPECTED) {
            remarks.append(
                "the peer sends sequence numbers, which this end does not look at (--sequence receive would)")
        }
        self.remarks = remarks
    }
}

extension PseudowireConfiguration.Session {
    fileprivate var expectedCookieLength: Int { expecting.first?.length.byteCount ?? 0 }
}

extension PseudowireConfiguration {
    /// For a sentence: the frames that the peer should send.
    fileprivate var expectedFrames: String {
        switch (vlan, vlanTag) {
        case (.id, .strip): "untagged ones"
        case (.id(_, let kind), .rewrite(let id)): "\(VLANSelection.id(id, kind).phrase)"
        default: vlan.phrase
        }
    }
}
