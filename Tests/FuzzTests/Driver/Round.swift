/// Some pseudowires on one interface, and frames through them both ways, one after the other.
///
/// A seed and a round's number decide all that happens in it. What is remembered from frame to frame is so put to the
/// test, and yet any disagreement can be seen again without what went before the round.
struct Round {
    /// Frames in a round.
    static let length = 64

    let number: Int
    private var random: SplitMix64
    private let start: ReferenceNode
    private let isBehindSplitter: Bool

    init(seed: UInt64, number: Int) {
        self.number = number
        var generator = WireGenerator(random: SplitMix64(seed: seed, round: UInt64(number)))
        let wires = generator.wires()
        random = generator.random
        var node = ReferenceNode(ends: wires.map { ReferenceEnd($0) })
        for index in node.ends.indices {
            // Near the end of the circle as often as elsewhere.
            node.ends[index].state.sent =
                UInt64(random.percent(50) ? 0xff_ffff - UInt32(random.below(8)) : random.long())
            node.ends[index].state.expected =
                random.percent(50) ? 0xff_ffff - UInt32(random.below(8)) : random.long() & 0xff_ffff
            node.ends[index].state.hasBegun = random.percent(80)
        }
        start = node
        isBehindSplitter = random.percent(25)
    }

    /// - Parameter last: the last frame, where not all of the round is wanted.
    mutating func run(on rig: borrowing Rig, through last: Int = Round.length - 1) throws -> Comparison {
        var comparison = try Comparison(of: start, isBehindSplitter: isBehindSplitter, on: rig)
        let first = number * Self.length
        for step in 0...last {
            let end = comparison.node.ends[random.below(comparison.node.ends.count)]
            if random.percent(50) {
                var frame = frame(for: end.wire)
                if random.percent(2) { Self.sumToZero(&frame, end) }
                try comparison.send(frame, on: rig, number: first + step)
            } else {
                try comparison.take(packet(for: end), on: rig, number: first + step)
            }
        }
        try comparison.end(on: rig, number: first + last)
        return comparison
    }

    // MARK: frames

    private mutating func frame(for wire: Wire) -> [UInt8] {
        var generator = FrameGenerator(random: random)
        let tags: [UInt8] =
            switch wire.selection {
            case .id(let id, let isService) where generator.random.percent(85):
                generator.tags(outermost: id, isService: isService)
            case .untagged where generator.random.percent(50): []
            default: generator.tags()
            }
        let frame = generator.frame(tags: tags)
        random = generator.random
        return Self.acceptable(frame)
    }

    /// Makes the outer UDP checksum come out as zero, which happens by chance too seldom, and must not be sent.
    private static func sumToZero(_ frame: inout [UInt8], _ end: ReferenceEnd) {
        var end = end
        let read = CustomerFrame(frame)
        guard end.wire.isUDP, end.wire.fillsChecksum, !end.wire.spreadsPort, read.packet == nil,
            frame.count >= read.payload + 2, end.wire.selects(read),
            case .send(let packet) = end.encapsulate(read, choices: Choices())
        else { return }
        let checksum = packet.word(at: end.wire.ipHeaderLength + 6)
        let place = read.payload
        frame.set(word: UInt16(OnesComplement.fold(UInt64(frame.word(at: place)) + UInt64(checksum))), at: place)
    }

    private mutating func packet(for end: ReferenceEnd) -> [UInt8] {
        var frames = FrameGenerator(random: random)
        let frame = frames.frame(tags: Self.peerTags(&frames, end.wire))
        var packets = PacketGenerator(random: frames.random)
        let number = Self.sequenceNumber(&packets.random, end.state)
        let packet = packets.packet(to: end.wire, carrying: frame, number: number)
        random = packets.random
        return Self.acceptable(packet)
    }

    private static func peerTags(_ generator: inout FrameGenerator, _ wire: Wire) -> [UInt8] {
        guard generator.random.percent(85) else { return generator.tags() }
        switch (wire.selection, wire.tagAction) {
        case (.id(let id, _), .keep): return generator.tags(outermost: id)
        case (.id, .rewrite(let id)): return generator.tags(outermost: id)
        case (.any, _), (.id, .strip): return generator.tags()
        case (.untagged, _): return generator.random.percent(70) ? [] : generator.tags(outermost: 0)
        }
    }

    /// Mostly the next number, sometimes the window's ends, sometimes those of a peer that has begun anew.
    private static func sequenceNumber(_ random: inout SplitMix64, _ state: WireState) -> UInt32 {
        if let refused = state.lastRefused, random.percent(85) { return (refused &+ 1) & 0xff_ffff }
        let number =
            switch random.below(20) {
            case ..<14: state.expected &+ UInt32(random.below(3))
            case 14: state.expected &+ 8_388_606
            case 15: state.expected &+ 8_388_607
            case 16: state.expected &- 1
            case 17: state.expected &- 1 &- UInt32(random.below(1000))
            default: random.long()
            }
        return number & 0xff_ffff
    }

    /// The kernel refuses test frames that have not the whole IP header that their type announces, and drops frames
    /// with half a tag before any program sees them.
    private static func acceptable(_ frame: [UInt8]) -> [UInt8] {
        let least =
            switch frame.word(at: 12) {
            case CustomerFrame.ipv4: 34
            case CustomerFrame.ipv6: 54
            case CustomerFrame.customerTag, CustomerFrame.serviceTag: 18
            default: 14
            }
        if frame.count >= least { return frame }
        var frame = frame
        frame.set(word: 0x88b5, at: 12)
        return frame
    }
}
