/// A customer's frames: most of them as hosts send them, some as only a test does.
struct FrameGenerator {
    var random: SplitMix64

    /// The longest packet inside.
    ///
    /// Test runs of the kernel take a page.
    private static let longest = 3000

    /// A frame with tags that the caller has chosen.
    mutating func frame(tags: [UInt8]) -> [UInt8] {
        var frame = Array(random.octets(12))
        // Most frames go from one station to another.
        for place in [0, 6] where random.percent(95) { frame[place] &= 0xfe }
        frame += tags
        let (type, packet) = payload()
        frame.append(word: type)
        frame += packet
        if random.percent(10) { frame += random.octets(1 + random.below(46)) }
        if random.percent(6) { distort(&frame) }
        return frame
    }

    /// Four octets for each tag.
    mutating func tags(outermost: UInt16? = nil, isService: Bool? = nil) -> [UInt8] {
        var count = outermost == nil ? random.pick([0, 0, 0, 0, 0, 0, 1, 1, 2, 3]) : random.pick([1, 1, 1, 1, 2, 3])
        if random.percent(1) { count = 4 }
        var tags: [UInt8] = []
        for index in 0..<count {
            let service = index == 0 ? isService ?? random.percent(40) : random.percent(20)
            let id = index == 0 ? outermost ?? random.pick([0, 0, 1, 42, 4094, 4095]) : UInt16(random.below(4096))
            tags.append(word: service ? CustomerFrame.serviceTag : CustomerFrame.customerTag)
            tags.append(word: random.word() & 0xf000 | id)
        }
        // Older kinds of tags are nothing to the datapath, and yet it must not stumble over them.
        if random.percent(3) {
            tags.append(word: random.pick(CustomerFrame.shims))
            tags.append(word: random.word())
        }
        return tags
    }

    /// Mostly short: what lengths do is soon known, and short frames are fast.
    private mutating func size() -> Int {
        switch random.below(100) {
        case ..<75: random.below(40)
        case ..<95: random.below(200)
        case ..<97: random.below(1500)
        // Around IPv6's smallest MTU.
        case ..<99: 1180 + random.below(200)
        default: random.below(Self.longest)
        }
    }

    private mutating func payload() -> (type: UInt16, octets: [UInt8]) {
        switch random.below(100) {
        case ..<45: (CustomerFrame.ipv4, ipv4())
        case ..<80: (CustomerFrame.ipv6, ipv6())
        case ..<86: (CustomerFrame.arp, [0, 1, 8, 0, 6, 4, 0, 1] + random.octets(20))
        case ..<90: (0x88cc, Array(random.octets(size())))
        // A length, as in 802.3; also a right one, with SNAP and IP behind it.
        case ..<92: (UInt16(random.below(1501)), Array(random.octets(size())))
        case ..<94: snap()
        default: (random.word(), Array(random.octets(size())))
        }
    }

    private mutating func snap() -> (type: UInt16, octets: [UInt8]) {
        let octets = [0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00] + ipv4()
        return (UInt16(octets.count), octets)
    }

    /// Whole frames made wrong, or cut.
    private mutating func distort(_ frame: inout [UInt8]) {
        if random.percent(30) {
            frame.removeLast(random.below(frame.count - 13))
            return
        }
        for _ in 0...random.below(3) { frame[12 + random.below(frame.count - 12)] ^= 1 << UInt8(random.below(8)) }
    }
}

extension FrameGenerator {
    // Few hosts and ports, so that flows have more than one frame.

    private mutating func ipv4() -> [UInt8] {
        let hasOptions = random.percent(8)
        let options = hasOptions ? 4 * (1 + random.below(10)) : 0
        let number = protocolNumber(icmp: 1)
        var packet: [UInt8] = [0x45 + UInt8(options / 4), random.percent(50) ? random.octet() : 0, 0, 0]
        packet.append(word: random.word())
        packet.append(word: random.percent(50) ? 0x4000 : 0)
        packet += [random.octet(), number, 0, 0]
        packet += [198, 51, 100, UInt8(random.below(4)), 198, 51, 100, UInt8(random.below(4))]
        // Nobody's, one's own, or many stations'.
        if random.percent(3) { packet[random.pick([12, 16])] = random.pick([0, 127, 224, 255]) }
        packet += random.octets(options)
        let segment = transport(number, pseudo: OnesComplement.sum(packet[12..<20]))
        if random.percent(5) {
            // First fragment, middle, last.
            packet.set(
                word: random.pick([0x2000, 0x2001 + UInt16(random.below(8000)), 1 + UInt16(random.below(8000))]), at: 6)
        }
        packet += segment
        packet.set(word: UInt16(packet.count), at: 2)
        packet.set(
            word: OnesComplement.checksum(OnesComplement.sum(packet[..<(20 + options)])), at: 10)
        if random.percent(4) { lieIPv4(&packet) }
        return packet
    }

    private mutating func lieIPv4(_ packet: inout [UInt8]) {
        switch random.below(4) {
        case 0: packet.set(word: random.word(), at: 2)
        case 1: packet.set(word: random.word(), at: 10)
        case 2: packet.set(word: packet.word(at: 2) ^ (1 << UInt16(random.below(5))), at: 2)
        default: packet[0] = random.octet()
        }
    }

    private mutating func ipv6() -> [UInt8] {
        let number = protocolNumber(icmp: 58)
        var packet: [UInt8] = []
        packet.append(
            long: 6 << 28 | UInt32(random.percent(50) ? random.octet() : 0) << 20 | UInt32(random.below(3)))
        packet += [0, 0, number, random.octet()]
        for _ in 0..<2 {
            packet += [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(random.below(4))]
        }
        if random.percent(6) { packet[random.pick([8, 24])] = 0xff }
        if random.percent(1) { packet.replaceSubrange(8..<24, with: [UInt8](repeating: 0, count: 16)) }
        let segment = transport(number, pseudo: OnesComplement.sum(packet[8..<40]))
        if random.percent(8) {
            // Hop-by-hop options of nothing, or a fragment header; the segment's checksum stays right.
            let isFragment = random.percent(50)
            packet[6] = isFragment ? 44 : 0
            packet += isFragment ? [number, 0] + random.octets(6) : [number, 0, 1, 4, 0, 0, 0, 0]
        }
        packet += segment
        packet.set(word: UInt16(packet.count - 40), at: 4)
        if random.percent(4) {
            switch random.below(3) {
            case 0: packet.set(word: random.word(), at: 4)
            case 1: packet.set(word: packet.word(at: 4) ^ (1 << UInt16(random.below(5))), at: 4)
            default: packet[0] = random.octet()
            }
        }
        return packet
    }

    private mutating func protocolNumber(icmp: UInt8) -> UInt8 {
        switch random.below(10) {
        case ..<4: 6
        case ..<8: 17
        case 8: icmp
        default: random.octet()
        }
    }

    private mutating func transport(_ number: UInt8, pseudo: UInt64) -> [UInt8] {
        switch number {
        case 6: tcp(pseudo)
        case 17: udp(pseudo)
        default: Array(random.octets(size()))
        }
    }

    private mutating func tcp(_ pseudo: UInt64) -> [UInt8] {
        let isOpening = random.percent(15)
        var segment: [UInt8] = []
        segment.append(word: UInt16(1024 + random.below(4)))
        segment.append(word: 80)
        segment += random.octets(8)
        let options: [UInt8] = isOpening ? openingOptions() : random.percent(20) ? [1, 1, 1, 1] : []
        segment += [UInt8(20 + options.count) << 2, isOpening ? 0x02 : 0x10]
        segment += random.octets(2)
        segment += [0, 0, 0, 0]
        segment += options
        segment += random.octets(size())
        let value = OnesComplement.checksum(
            OnesComplement.sum(segment[...], adding: pseudo + 6 + UInt64(segment.count)))
        segment.set(word: random.percent(3) ? random.word() : value, at: 16)
        return segment
    }

    /// What a host offers with its SYN, in some order, and now and then in none that makes sense.
    private mutating func openingOptions() -> [UInt8] {
        var size: [UInt8] = [2, 4]
        size.append(word: random.pick([1460, 1440, 536, 80, 0xffff, random.word()]))
        if random.percent(50) { return size + [1, 1, 4, 2] }
        let others: [[UInt8]] = [[1], [4, 2], [3, 3, 7], [8, 10] + random.octets(8), [1, 1, 1]]
        var options: [UInt8] = []
        for _ in 0..<random.below(4) { options += random.pick(others) }
        switch random.below(8) {
        case 0: options.append(0)
        case 1: size[1] = random.octet()
        case 2: options += [30, random.octet()]
        default: break
        }
        options += size
        for _ in 0..<random.below(3) { options += random.pick(others) }
        while options.count % 4 != 0 { options.append(random.percent(50) ? 0 : 1) }
        return Array(options.prefix(40))
    }

    private mutating func udp(_ pseudo: UInt64) -> [UInt8] {
        var datagram: [UInt8] = []
        datagram.append(word: UInt16(1024 + random.below(4)))
        datagram.append(word: 53)
        let payload = random.octets(size())
        datagram.append(word: UInt16(8 + payload.count))
        datagram.append(word: 0)
        datagram += payload
        if random.percent(20) { return datagram }
        let value = OnesComplement.checksum(
            OnesComplement.sum(datagram[...], adding: pseudo + 17 + UInt64(datagram.count)))
        datagram.set(word: random.percent(3) ? random.word() : value == 0 ? 0xffff : value, at: 6)
        // Octets of the packet that are not the datagram's.
        if random.percent(4) { datagram += random.octets(1 + random.below(20)) }
        return datagram
    }
}
