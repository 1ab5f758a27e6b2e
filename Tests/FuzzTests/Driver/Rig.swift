import BPF
import CPseudowireObject
import InternetAddress
import L2TP

@testable import Pseudowire

/// The datapath, loaded for one thread of the fuzz; pseudowires come and go in its maps.
///
/// Loopback plays both interfaces, and is the configured way out.
struct Rig: ~Copyable {
    static let interface: UInt32 = 1
    /// Slots of a round's pseudowires begin here.
    static let firstSlot: UInt32 = 1

    let encap: Program
    let encapSplit: Program
    let decap: Program
    private let access: Map<pw_access_key, pw_encap>
    private let sessions: Map<UInt32, pw_decap>
    private let sequences: Map<UInt32, pw_sequence>
    private let counters: Map<UInt32, pw_counters>
    private let drops: Map<UInt32, UInt64>

    /// - Parameter removesAtOnce: false makes the datapath remove outer headers as on kernels before 6.3.
    init(removesAtOnce: Bool) throws {
        let file = try DatapathObject.open(maxSessions: 16)
        if !removesAtOnce { try file.setConstant("has_decap_l3", to: 0 as UInt32) }
        let object = try file.load()
        // All at once at the end: what cannot be copied cannot be left half made.
        let encap = try object.program(DatapathObject.encap)
        let encapSplit = try object.program(DatapathObject.encapSplit)
        let decap = try object.program(DatapathObject.decap)
        let access: Map<pw_access_key, pw_encap> = try object.map("access")
        let sessions: Map<UInt32, pw_decap> = try object.map("sessions")
        let sequences: Map<UInt32, pw_sequence> = try object.map("sequences")
        let counters: Map<UInt32, pw_counters> = try object.map("counters")
        let drops: Map<UInt32, UInt64> = try object.map("drops")
        self.encap = encap
        self.encapSplit = encapSplit
        self.decap = decap
        self.access = access
        self.sessions = sessions
        self.sequences = sequences
        self.counters = counters
        self.drops = drops
    }

    /// Puts pseudowires into the maps, in slots in the order in which they come.
    func install(_ node: ReferenceNode) throws {
        for (index, end) in node.ends.enumerated() {
            let slot = Self.firstSlot + UInt32(index)
            let configuration = try PseudowireConfiguration(end.wire)
            var encap = pw_encap(
                configuration, slot: slot, underlay: Self.interface, splitter: OwnPair.Indexes(outer: 0, inner: 0))
            if let limit = end.wire.pathMTU {
                encap.path_mtu = UInt16(limit)
                encap.path_mtu_until = .max
            }
            try access.update(key: pw_access_key(ifindex: Self.interface, vlan: configuration.vlan), value: encap)
            try sessions.update(
                key: end.wire.localSession, value: pw_decap(configuration, slot: slot, access: Self.interface))
            let receive = UInt64(end.state.expected) | (end.state.hasBegun ? 1 << 56 : 0)
            try sequences.update(key: slot, value: pw_sequence(send: end.state.sent, receive: receive))
            try counters.updateOnEveryCPU(key: slot, value: pw_counters())
        }
    }

    func remove(_ node: ReferenceNode) throws {
        for end in node.ends {
            let configuration = try PseudowireConfiguration(end.wire)
            try access.remove(key: pw_access_key(ifindex: Self.interface, vlan: configuration.vlan))
            try sessions.remove(key: end.wire.localSession)
        }
    }

    /// How often a reason has been counted since the object was loaded.
    func count(_ reason: Reason) throws -> UInt64 {
        guard let number = Self.numbers[reason] else { return 0 }
        return try (drops.valuesPerCPU(of: number) ?? []).reduce(0, +)
    }

    /// How often each reason has been counted since the object was loaded.
    func counts() throws -> [Reason: UInt64] {
        try Dictionary(uniqueKeysWithValues: Reason.allCases.map { ($0, try count($0)) })
    }

    /// What the datapath remembers of the pseudowire in a slot, as far as it can be told from outside.
    func memory(slot: UInt32) throws -> Memory {
        let sequence = try sequences[slot] ?? pw_sequence()
        var memory = Memory(sent: sequence.send, expected: UInt32(sequence.receive & 0xff_ffff))
        for value in try counters.valuesPerCPU(of: slot) ?? [] {
            memory.txFrames += value.tx_frames
            memory.txOctets += value.tx_octets
            memory.rxFrames += value.rx_frames
            memory.rxOctets += value.rx_octets
            memory.txDropped += value.tx_dropped
            memory.rxDropped += value.rx_dropped
            memory.replies += value.replies
        }
        return memory
    }

    /// The datapath's numbers for what the reference names.
    private static let numbers: [Reason: UInt32] = Dictionary(
        uniqueKeysWithValues: DropReason.allCases.compactMap { reason in
            Reason(rawValue: reason.identifier).map { ($0, reason.rawValue) }
        })
}

/// What both implementations must remember alike.
struct Memory: Hashable, Sendable {
    var sent: UInt64
    var expected: UInt32
    var txFrames: UInt64 = 0
    var txOctets: UInt64 = 0
    var rxFrames: UInt64 = 0
    var rxOctets: UInt64 = 0
    var txDropped: UInt64 = 0
    var rxDropped: UInt64 = 0
    var replies: UInt64 = 0
}

extension Memory {
    init(_ state: WireState) {
        self.init(
            sent: state.sent, expected: state.expected, txFrames: state.txFrames, txOctets: state.txOctets,
            rxFrames: state.rxFrames, rxOctets: state.rxOctets, txDropped: state.txDropped, rxDropped: state.rxDropped,
            replies: state.replies)
    }
}
