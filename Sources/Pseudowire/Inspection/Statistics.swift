internal import BPF
internal import CPseudowireObject

/// What a pseudowire has carried, and what it has not, since it was created.
public struct Statistics: Hashable, Sendable {
    /// Frames sent to the peer.
    ///
    /// A segmentation-offload frame counts as the frames that a wire carries.
    public var txFrames: UInt64 = 0
    /// Octets of those frames as the customer sent them: Ethernet header to payload, without FCS.
    public var txOctets: UInt64 = 0
    public var rxFrames: UInt64 = 0
    public var rxOctets: UInt64 = 0
    /// Frames of the customer's that were not sent.
    public var txDropped: UInt64 = 0
    /// Packets of the tunnel's that were not delivered.
    public var rxDropped: UInt64 = 0
    /// Why; only reasons that have occurred.
    public var drops: [DropCount] = []

    public init() {}
}

/// How often a reason has occurred.
public struct DropCount: Hashable, Sendable {
    public let reason: DropReason
    public let count: UInt64
}

/// Why a frame did not cross, as the datapath says it.
public struct DropReason: RawRepresentable, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Every reason that this build's datapath knows.
    public static var allCases: [DropReason] { (0..<PW_DROP_REASON_COUNT.rawValue).map(DropReason.init(rawValue:)) }

    /// One lower-case word, as in `no_route`.
    public var identifier: String { Self.text(pw_drop_reason_identifier(rawValue)).lowercased() }

    /// Which way the frame went: `tx`, `rx`, or `seen` for what was only noticed and left to the stack.
    public var direction: String { Self.text(pw_drop_reason_direction(rawValue)) }

    /// A sentence for people.
    public var description: String { Self.text(pw_drop_reason_sentence(rawValue)) }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? "unknown"
    }
}

extension DatapathState {
    /// The counters of one slot, summed over all CPUs.
    func statistics(slot: UInt32) throws(PseudowireError) -> Statistics {
        try bpf { () throws(BPFError) in
            var statistics = Statistics()
            for value in try counters.valuesPerCPU(of: slot) ?? [] {
                statistics.txFrames += value.tx_frames
                statistics.txOctets += value.tx_octets
                statistics.rxFrames += value.rx_frames
                statistics.rxOctets += value.rx_octets
                statistics.txDropped += value.tx_dropped
                statistics.rxDropped += value.rx_dropped
            }
            guard statistics.txDropped + statistics.rxDropped > 0 else { return statistics }
            for reason in DropReason.allCases {
                if let count = try sessionDrops[pw_drop_key(slot: slot, reason: reason.rawValue)] {
                    statistics.drops.append(DropCount(reason: reason, count: count))
                }
            }
            return statistics
        }
    }

    /// What was dropped or noticed in the whole namespace, by reason.
    func namespaceDrops() throws(PseudowireError) -> [DropCount] {
        try bpf { () throws(BPFError) in
            var counts: [DropCount] = []
            for reason in DropReason.allCases {
                let count = try (drops.valuesPerCPU(of: reason.rawValue) ?? []).reduce(0, &+)
                if count > 0 { counts.append(DropCount(reason: reason, count: count)) }
            }
            return counts
        }
    }
}
