import BPF
import Pseudowire

/// Some pseudowires on one interface, and frames through them both ways, one after the other.
///
/// A seed and a round's number decide all that happens in it. What is remembered from frame to frame is so put to the
/// test, and yet any disagreement can be seen again without what went before the round.
struct Round {
    /// Frames in a round.
    static let length = 64

    let seed: UInt64
    let number: Int
    private var random: SplitMix64
    private var node: ReferenceNode
    /// Whether the frames go through the program behind the splitter.
    private let isBehindSplitter: Bool
    private var ledger = FlowLedger()
    /// What should have been counted.
    private(set) var tally: [String: Int] = [:]
    /// What the datapath should have counted, since it was loaded.
    private var reasons: [Reason: UInt64] = [:]
    private(set) var disagreements: [Disagreement] = []

    init(seed: UInt64, number: Int) {
        self.seed = seed
        self.number = number
        random = SplitMix64(seed: seed, round: UInt64(number))
        var generator = WireGenerator(random: random)
        let wires = generator.wires()
        random = generator.random
        node = ReferenceNode(ends: wires.map { ReferenceEnd($0) })
        for index in node.ends.indices {
            // Near the end of the circle as often as elsewhere.
            node.ends[index].state.sent = random.percent(50) ? 0xff_ffff - UInt64(random.below(8)) : UInt64(random.long())
            node.ends[index].state.expected = random.percent(50) ? 0xff_ffff - UInt32(random.below(8)) : random.long() & 0xff_ffff
        }
        isBehindSplitter = random.percent(25)
    }

    /// - Parameter last: the last frame, where not all of the round is wanted.
    mutating func run(on rig: borrowing Rig, through last: Int = Round.length - 1) throws {
        reasons = try rig.counts()
        try rig.install(node)
        for step in 0...last {
            if random.percent(50) { try sendFrame(rig, step) } else { try takePacket(rig, step) }
        }
        try compareMemory(rig, last)
        try rig.remove(node)
    }

    private var ends: [Wire] { node.ends.map(\.wire) }

    // MARK: outwards

    private mutating func sendFrame(_ rig: borrowing Rig, _ step: Int) throws {
        let wire = node.ends[random.below(node.ends.count)].wire
        var generator = FrameGenerator(random: random)
        let tags: [UInt8] =
            switch wire.selection {
            case .id(let id, let isService) where generator.random.percent(85):
                generator.tags(outermost: id, isService: isService)
            case .untagged where generator.random.percent(50): []
            default: generator.tags()
            }
        var frame = generator.frame(tags: tags)
        random = generator.random
        Self.makeAcceptable(&frame)

        let result =
            isBehindSplitter
            ? try rig.encapSplit.testRun(frame, context: TestRunContext(mark: Rig.interface))
            : try rig.encap.testRun(frame)
        let choices = Choices(in: result)
        var expected = node.encapsulate(frame, choices: choices)
        // Behind the splitter there is no network stack to leave a frame to.
        if isBehindSplitter, expected == .pass { expected = .drop(.stray) }
        count(expected, "out")
        if let found = try difference(expected, frame, result, rig) {
            note("encapsulation", step, frame, "\(expected)", found)
        } else if case .send = expected, let sender = node.ends.first(where: { $0.wire.selects(CustomerFrame(frame)) }),
            let complaint = ledger.complaint(about: choices, for: CustomerFrame(frame), on: sender.wire)
        {
            note("flow", step, frame, complaint, "\(choices)")
        }
    }

    // MARK: inwards

    private mutating func takePacket(_ rig: borrowing Rig, _ step: Int) throws {
        let end = node.ends[random.below(node.ends.count)]
        var frames = FrameGenerator(random: random)
        let frame = frames.frame(tags: peerTags(&frames, end.wire))
        var packets = PacketGenerator(random: frames.random)
        let number = Self.number(&packets.random, end.state)
        var packet = packets.packet(to: end.wire, carrying: frame, number: number)
        random = packets.random
        Self.makeAcceptable(&packet)

        let result = try rig.decap.testRun(packet)
        let expected = node.decapsulate(packet)
        reasons.merge(node.noticed, uniquingKeysWith: +)
        node.noticed = [:]
        count(expected, "in")
        if let found = try difference(expected, packet, result, rig) {
            note("decapsulation", step, packet, "\(expected)", found)
        }
    }

    private func peerTags(_ generator: inout FrameGenerator, _ wire: Wire) -> [UInt8] {
        guard generator.random.percent(85) else { return generator.tags() }
        switch (wire.selection, wire.tagAction) {
        case (.id(let id, _), .keep): return generator.tags(outermost: id)
        case (.id, .rewrite(let id)): return generator.tags(outermost: id)
        case (.any, _), (.id, .strip): return generator.tags()
        case (.untagged, _): return generator.random.percent(70) ? [] : generator.tags(outermost: 0)
        }
    }

    /// A sequence number: mostly the next, sometimes the window's ends, sometimes of a peer that has begun anew.
    private static func number(_ random: inout SplitMix64, _ state: WireState) -> UInt32 {
        let number: UInt32
        if let refused = state.lastRefused, random.percent(85) {
            number = refused &+ 1
        } else {
            switch random.below(20) {
            case ..<14: number = state.expected &+ UInt32(random.below(3))
            case 14: number = state.expected &+ 8_388_606
            case 15: number = state.expected &+ 8_388_607
            case 16: number = state.expected &- 1
            case 17: number = state.expected &- 1 &- UInt32(random.below(1000))
            default: number = random.long()
            }
        }
        return number & 0xff_ffff
    }

    // MARK: comparing

    /// The kernel refuses test frames that have not the whole IP header that their type announces, and drops frames with
    /// half a tag before any program sees them.
    private static func makeAcceptable(_ frame: inout [UInt8]) {
        let least: Int
        switch frame.word(at: 12) {
        case CustomerFrame.ipv4: least = 34
        case CustomerFrame.ipv6: least = 54
        case CustomerFrame.customerTag, CustomerFrame.serviceTag: least = 18
        default: return
        }
        if frame.count < least { frame.set(word: 0x88b5, at: 12) }
    }

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
        case .send(let packet):
            guard result.verdict == Verdict.redirect, result.frame.count == packet.count + 14 else { break }
            let header = [UInt8](repeating: 0, count: 12) + (packet[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xdd])
            if result.frame[..<14].elementsEqual(header), Array(result.frame[14...]) == packet { return nil }
            if result.frame[..<14].elementsEqual(header),
                isExcused(packet, Array(result.frame[14...]), CustomerFrame(input))
            {
                return nil
            }
        case .deliver(let frame):
            if result.verdict == Verdict.redirect, result.frame == frame { return nil }
        }
        return try "verdict \(result.verdict)\(reasonsFound(rig)) \(hexadecimal(result.frame))"
    }

    /// What has been counted that should not have been; it is reported once.
    private mutating func reasonsFound(_ rig: borrowing Rig) throws -> String {
        let found = try rig.counts().filter { Reason.dropping.contains($0.key) }
        let names = found.filter { $0.value > reasons[$0.key] ?? 0 }.map { " \($0.key.rawValue)" }
        reasons.merge(found) { $1 }
        return names.sorted().joined()
    }

    /// Whether the packets differ in the UDP checksum alone, and the customer's own is to blame.
    private func isExcused(_ expected: [UInt8], _ found: [UInt8], _ frame: CustomerFrame) -> Bool {
        guard let wire = ends.first(where: { $0.selects(frame) }), wire.isUDP, wire.fillsChecksum, frame.misleads else {
            return false
        }
        var expected = expected
        let place = wire.ipHeaderLength + 6
        guard found.word(at: place) != 0 else { return false }
        expected.set(word: found.word(at: place), at: place)
        return expected == found
    }

    private mutating func compareMemory(_ rig: borrowing Rig, _ last: Int) throws {
        for (index, end) in node.ends.enumerated() {
            let memory = try rig.memory(slot: Rig.firstSlot + UInt32(index))
            if memory != Memory(end.state) {
                note("memory of pseudowire \(index)", last, [], "\(Memory(end.state))", "\(memory)")
            }
            reasons.merge(end.state.noticed, uniquingKeysWith: +)
        }
        for (reason, found) in try rig.counts() where found != reasons[reason] {
            note("count of \(reason.rawValue)", last, [], "\(reasons[reason] ?? 0)", "\(found)")
        }
    }

    private mutating func count(_ outcome: Outcome, _ direction: String) {
        switch outcome {
        case .pass: tally["\(direction) pass", default: 0] += 1
        case .drop(let reason): tally["\(direction) \(reason.rawValue)", default: 0] += 1
        case .send, .deliver: tally["\(direction) carried", default: 0] += 1
        }
    }

    private mutating func note(_ what: String, _ step: Int, _ input: [UInt8], _ expected: String, _ found: String) {
        disagreements.append(
            Disagreement(
                seed: seed, number: number * Self.length + step, what: what, wires: ends, input: input,
                expected: expected, found: found))
    }
}

/// tc's verdicts, `linux/pkt_cls.h`.
private enum Verdict {
    static let pass: Int32 = -1
    static let drop: Int32 = 2
    static let redirect: Int32 = 7
}

extension Choices {
    /// What the datapath chose, as far as there is a packet that says so.
    init(in result: TestRunResult) {
        self.init()
        let frame = result.frame
        guard frame.count >= 38 else { return }
        if frame.word(at: 12) == CustomerFrame.ipv6, frame.count >= 58 {
            flowLabel = frame.long(at: 14) & 0xf_ffff
            sourcePort = frame.word(at: 54)
        } else {
            identification = frame.word(at: 18)
            sourcePort = frame.word(at: 34)
        }
    }
}
