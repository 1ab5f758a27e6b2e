import BPF
import Pseudowire

/// Frames given to both implementations, and what they made of them.
struct Comparison {
    private(set) var node: ReferenceNode
    /// Whether the frames go through the program behind the splitter.
    private let isBehindSplitter: Bool
    private var ledger = FlowLedger()
    /// What the datapath should have counted, since it was loaded.
    private var reasons: [Reason: UInt64]
    /// How often what happened.
    private(set) var tally: [String: Int] = [:]
    private(set) var disagreements: [Disagreement] = []

    /// Puts the pseudowires in place.
    init(of node: ReferenceNode, isBehindSplitter: Bool = false, on rig: borrowing Rig) throws {
        self.node = node
        self.isBehindSplitter = isBehindSplitter
        reasons = try rig.counts()
        try rig.install(node)
    }

    private var wires: [Wire] { node.ends.map(\.wire) }

    /// A frame from the access interface.
    mutating func send(_ frame: [UInt8], on rig: borrowing Rig, number: Int) throws {
        let result =
            isBehindSplitter
            ? try rig.encapSplit.testRun(frame, context: TestRunContext(mark: Rig.interface))
            : try rig.encap.testRun(frame)
        let choices = Choices(in: result.frame)
        var expected = node.encapsulate(frame, choices: choices)
        // Behind the splitter there is no network stack to leave a frame to.
        if isBehindSplitter, expected == .pass { expected = .drop(.stray) }
        count(expected, "out")
        let read = CustomerFrame(frame)
        if let found = try difference(expected, frame, result, rig) {
            note("encapsulation", number, frame, "\(expected)", found)
        } else if case .send = expected, let wire = wires.first(where: { $0.selects(read) }),
            let complaint = ledger.complaint(about: choices, for: read, on: wire)
        {
            note("flow", number, frame, complaint, "\(choices)")
        }
    }

    /// A packet from the network.
    mutating func take(_ packet: [UInt8], on rig: borrowing Rig, number: Int) throws {
        let result = try rig.decap.testRun(packet)
        let expected = node.decapsulate(packet)
        reasons.merge(node.noticed, uniquingKeysWith: +)
        node.noticed = [:]
        count(expected, "in")
        if let found = try difference(expected, packet, result, rig) {
            note("decapsulation", number, packet, "\(expected)", found)
        }
    }

    /// Compares what both remember, and takes the pseudowires away.
    mutating func end(on rig: borrowing Rig, number: Int) throws {
        for (index, end) in node.ends.enumerated() {
            let memory = try rig.memory(slot: Rig.firstSlot + UInt32(index))
            if memory != Memory(end.state) {
                note("memory of pseudowire \(index)", number, [], "\(Memory(end.state))", "\(memory)")
            }
            reasons.merge(end.state.noticed, uniquingKeysWith: +)
        }
        for (reason, found) in try rig.counts() where found != reasons[reason] {
            note("count of \(reason.rawValue)", number, [], "\(reasons[reason] ?? 0)", "\(found)")
        }
        if let complaint = ledger.complaint { note("flows", number, [], complaint, "one") }
        try rig.remove(node)
    }

    // MARK: differences

    /// What the datapath did, if it is not what was expected.
    private mutating func difference(
        _ expected: Outcome, _ input: [UInt8], _ result: TestRunResult, _ rig: borrowing Rig
    ) throws -> String? {
        switch expected {
        case .pass:
            if result.verdict == Verdict.pass, result.frame == input { return nil }
        case .drop(let reason):
            reasons[reason, default: 0] += 1
            if result.verdict == Verdict.drop, try rig.count(reason) == reasons[reason] { return nil }
        case .reply(let frame):
            reasons[.tooBig, default: 0] += 1
            if result.verdict == Verdict.redirect, result.frame == frame,
                try rig.count(.tooBig) == reasons[.tooBig]
            {
                return nil
            }
        case .send(let packet):
            // The kernel fills in both addresses on the way out.
            let header = [UInt8](repeating: 0, count: 12) + (packet[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xdd])
            guard result.verdict == Verdict.redirect, result.frame.starts(with: header) else { break }
            let found = Array(result.frame[header.count...])
            if found == packet || isExcused(packet, found, CustomerFrame(input)) { return nil }
        case .deliver(let frame):
            if result.verdict == Verdict.redirect, result.frame == frame { return nil }
        }
        return try "verdict \(result.verdict)\(unexpectedReasons(rig)) \(hexadecimal(result.frame))"
    }

    /// What has been counted that should not have been; it is reported once.
    private mutating func unexpectedReasons(_ rig: borrowing Rig) throws -> String {
        let found = try rig.counts().filter { !Reason.harmless.contains($0.key) }
        let names = found.filter { $0.value > reasons[$0.key] ?? 0 }.map { " \($0.key.rawValue)" }
        reasons.merge(found) { $1 }
        return names.sorted().joined()
    }

    /// Whether the packets differ in the UDP checksum alone, and the customer's own is to blame.
    private func isExcused(_ expected: [UInt8], _ found: [UInt8], _ frame: CustomerFrame) -> Bool {
        guard expected.count == found.count, let wire = wires.first(where: { $0.selects(frame) }),
            wire.isUDP, wire.fillsChecksum, frame.misleads
        else { return false }
        let place = wire.ipHeaderLength + 6
        guard found.word(at: place) != 0 else { return false }
        var expected = expected
        expected.set(word: found.word(at: place), at: place)
        return expected == found
    }

    private mutating func count(_ outcome: Outcome, _ direction: String) {
        let name =
            switch outcome {
            case .pass: "passed"
            case .drop(let reason): reason.rawValue
            case .send, .deliver: "carried"
            case .reply: "answered"
            }
        tally["\(direction) \(name)", default: 0] += 1
    }

    private mutating func note(_ what: String, _ number: Int, _ input: [UInt8], _ expected: String, _ found: String) {
        disagreements.append(
            Disagreement(what: what, number: number, wires: wires, input: input, expected: expected, found: found))
    }
}

/// tc's verdicts, `linux/pkt_cls.h`.
private enum Verdict {
    static let pass: Int32 = -1
    static let drop: Int32 = 2
    static let redirect: Int32 = 7
}

extension Choices {
    /// What the datapath chose, if the frame that it left is a packet that says so.
    init(in frame: [UInt8]) {
        self.init()
        switch frame.word(at: 12) {
        case CustomerFrame.ipv4 where frame.count >= 38:
            identification = frame.word(at: 18)
            sourcePort = frame.word(at: 34)
        case CustomerFrame.ipv6 where frame.count >= 58:
            flowLabel = frame.long(at: 14) & 0xf_ffff
            sourcePort = frame.word(at: 54)
        default: break
        }
    }
}
