internal import BPF
internal import CPseudowireObject

/// What a pseudowire has carried, and what it has not, since it was created.
public struct Statistics: Hashable, Sendable {
    /// Frames sent to the peer.
    ///
    /// A segmentation-offload frame counts as the frames that a wire carries.
    public var txFrames: UInt64 = 0
    /// Octets of those frames as they are carried: Ethernet header to payload, without FCS, and without a tag that is
    /// stripped.
    public var txOctets: UInt64 = 0
    /// Frames from the peer that were delivered.
    public var rxFrames: UInt64 = 0
    /// Octets of those frames, counted like ``txOctets``.
    public var rxOctets: UInt64 = 0
    /// Frames of the customer's that were not sent.
    ///
    /// A segmentation-offload frame that was dropped before it was cut counts once. So it does in all that counts
    /// drops.
    public var txDropped: UInt64 = 0
    /// Packets of the tunnel's that were not delivered.
    public var rxDropped: UInt64 = 0
    /// ICMP messages sent to the customer's hosts because their packets did not fit.
    public var replies: UInt64 = 0
    /// Why; only reasons that have occurred.
    ///
    /// Also what was only noticed.
    public var drops: [DropCount] = []

    public init() {}
}

/// How often a reason has occurred.
public struct DropCount: Hashable, Sendable {
    /// What has occurred: a drop, or something that was only noticed.
    public let reason: DropReason
    /// How often, all CPUs together.
    public let count: UInt64
    /// The last time, in nanoseconds of the monotonic clock; nil where only counts are kept.
    public let lastSeen: UInt64?

    init(reason: DropReason, count: UInt64, lastSeen: UInt64? = nil) {
        self.reason = reason
        self.count = count
        self.lastSeen = lastSeen
    }
}

/// Why a frame did not cross, as the datapath says it.
public struct DropReason: RawRepresentable, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// `PW_DROP_*` of `bpf/abi/pseudowire_abi.h`, in the order of the enumeration.
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Every reason that this build's datapath knows.
    public static var allCases: [DropReason] { (0..<PW_DROP_REASON_COUNT.rawValue).map(DropReason.init(rawValue:)) }

    /// One lower-case word, as in `no_route`.
    public var identifier: String { Self.text(pw_drop_reason_identifier(rawValue)).lowercased() }

    /// Which way the frame went: `tx`, `rx`; `seen` for what was left to the stack, `noted` for what was delivered, or
    /// never came.
    public var direction: String { Self.text(pw_drop_reason_direction(rawValue)) }

    /// A sentence for people.
    public var description: String { Self.text(pw_drop_reason_sentence(rawValue)) }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? "unknown"
    }
}
