/// What a peer sends, and what peers should not.
struct PacketGenerator {
    var random: SplitMix64

    /// A packet in its parts, each of which can be made wrong by itself.
    private struct Parts {
        var station: [UInt8] = [0, 0, 0, 0, 0, 0]
        var isIPv6: Bool
        var isUDP: Bool
        var versionAndLength: UInt8
        var options: [UInt8] = []
        var trafficClass: UInt8 = 0
        var lengthError = 0
        var fragment: UInt16 = 0
        var number: UInt8
        var source: [UInt8]
        var destination: [UInt8]
        var sourcePort: UInt16
        var destinationPort: UInt16
        var udpLengthError = 0
        var flags: UInt16 = 3
        var session: UInt32
        var cookie: [UInt8]
        var sublayer: [UInt8]
        var frame: [UInt8]
        var trailer: [UInt8] = []
        /// Octets that are missing at the end.
        var missing = 0
    }

    /// An Ethernet frame that arrives from the network for a pseudowire, or nearly.
    ///
    /// - Parameter number: what stands in the sublayer.
    mutating func packet(to wire: Wire, carrying frame: [UInt8], number: UInt32) -> [UInt8] {
        var parts = Parts(
            isIPv6: wire.isIPv6, isUDP: wire.isUDP, versionAndLength: wire.isIPv6 ? 0x60 : 0x45,
            number: wire.isUDP ? 17 : 115, source: wire.peer, destination: wire.local,
            sourcePort: wire.takesAnyPort ? random.word() : wire.peerPort, destinationPort: wire.localPort,
            session: wire.localSession,
            cookie: wire.expectedCookies.isEmpty ? [] : random.pick(wire.expectedCookies), sublayer: [],
            frame: frame)
        if wire.hasSublayer { parts.sublayer.append(long: sublayerWord(wire, number)) }
        parts.trafficClass = random.percent(60) ? random.octet() : 0
        if random.percent(50) { parts.fragment = 0x4000 }
        if random.percent(35) {
            for _ in 0...random.below(2) { distort(&parts, wire) }
        }
        var octets = assemble(parts)
        if random.percent(2) { octets[12 + random.below(octets.count - 12)] ^= 1 << UInt8(random.below(8)) }
        return octets
    }

    private mutating func sublayerWord(_ wire: Wire, _ number: UInt32) -> UInt32 {
        let reserved = random.percent(10) ? random.long() & 0x0f00_0000 : 0
        if wire.wantsNumbers ? random.percent(97) : random.percent(15) { return 0x4000_0000 | reserved | number }
        return random.percent(50) ? 0 : reserved | number
    }

    private mutating func assemble(_ parts: Parts) -> [UInt8] {
        var l2tp: [UInt8] = []
        l2tp.append(long: parts.session)
        l2tp += parts.cookie
        l2tp += parts.sublayer
        l2tp += parts.frame
        var payload: [UInt8] = []
        if parts.isUDP {
            payload.append(word: parts.sourcePort)
            payload.append(word: parts.destinationPort)
            payload.append(word: UInt16(truncatingIfNeeded: 12 + l2tp.count + parts.udpLengthError))
            payload.append(word: random.percent(50) ? 0 : random.word())
            payload.append(word: parts.flags)
            payload.append(word: random.percent(90) ? 0 : random.word())
        }
        payload += l2tp
        var octets = parts.station + random.octets(6)
        octets.append(word: parts.isIPv6 ? CustomerFrame.ipv6 : CustomerFrame.ipv4)
        octets += parts.isIPv6 ? ipv6(parts, payload.count) : ipv4(parts, payload.count)
        octets += payload
        octets.removeLast(min(parts.missing, octets.count - 14))
        octets += parts.trailer
        // The kernel takes no test frame without the header that its type announces.
        let least = 14 + (parts.isIPv6 ? 40 : 20)
        if octets.count < least { octets += [UInt8](repeating: 0, count: least - octets.count) }
        return octets
    }

    private mutating func ipv4(_ parts: Parts, _ count: Int) -> [UInt8] {
        var header: [UInt8] = [parts.versionAndLength, parts.trafficClass]
        header.append(word: UInt16(truncatingIfNeeded: 20 + parts.options.count + count + parts.lengthError))
        header.append(word: random.word())
        header.append(word: parts.fragment)
        header += [random.octet(), parts.number, 0, 0]
        header += parts.source
        header += parts.destination
        header += parts.options
        header.set(
            word: random.percent(90) ? OnesComplement.checksum(OnesComplement.sum(header[...])) : random.word(), at: 10)
        return header
    }

    private mutating func ipv6(_ parts: Parts, _ count: Int) -> [UInt8] {
        var header: [UInt8] = []
        header.append(
            long: UInt32(parts.versionAndLength) << 24 | UInt32(parts.trafficClass) << 20
                | random.long() & 0xf_ffff)
        header.append(word: UInt16(truncatingIfNeeded: count + parts.lengthError))
        header += [parts.number, random.octet()]
        header += parts.source
        header += parts.destination
        return header
    }
}

extension PacketGenerator {
    private mutating func distort(_ parts: inout Parts, _ wire: Wire) {
        switch random.below(29) {
        case 0: flip(&parts.source)
        case 1: flip(&parts.destination)
        case 2: parts.sourcePort ^= 1 << UInt16(random.below(16))
        case 3: parts.destinationPort ^= 1 << UInt16(random.below(16))
        case 4: parts.session ^= 1 << UInt32(random.below(32))
        case 5: parts.session = random.pick([0, random.long()])
        case 6: parts.flags = random.pick([0xc803, 0x8003, 2, 0xc802, random.word()])
        case 7: parts.flags = random.word() & 0x7ff0 | 3
        case 8: parts.number = random.pick([17, 115, 6, 50, 44, 0])
        case 9:
            parts.isUDP.toggle()
            parts.number = parts.isUDP ? 17 : 115
        case 10: parts.versionAndLength = random.octet()
        case 11: takeOptions(&parts)
        case 12: parts.fragment = random.pick([0x2000, 0x6000, 0x8000, 1, 0x2001, 0x1fff, 0xe000])
        case 13, 14: flip(&parts.cookie)
        case 15: parts.cookie = Array(random.octets(parts.cookie.count))
        case 16: parts.lengthError = error()
        case 17: parts.udpLengthError = error()
        case 18: parts.missing = random.below(random.percent(50) ? 40 : 200)
        case 19, 20: parts.trailer = Array(random.octets(1 + random.below(46)))
        case 21, 22: parts.frame.removeLast(max(0, parts.frame.count - random.below(40)))
        case 23: parts.sublayer = withBits(parts.sublayer, random.pick([0x8000_0000, 0x4000_0000, 0x3000_0000]))
        case 24: parts.sublayer = parts.sublayer.isEmpty ? [] : Array(random.octets(4))
        // The other layout.
        case 25: parts.sublayer = parts.sublayer.isEmpty ? [0, 0, 0, 0] : []
        case 26: parts.cookie = Array(random.octets(random.pick([0, 4, 8])))
        // The same session over the other family.
        case 27:
            parts.isIPv6.toggle()
            parts.versionAndLength = parts.isIPv6 ? 0x60 : 0x45
            parts.source = resized(parts.source, parts.isIPv6)
            parts.destination = resized(parts.destination, parts.isIPv6)
        default: parts.station = Array(random.octets(6))
        }
    }

    private mutating func flip(_ octets: inout [UInt8]) {
        if octets.isEmpty { return }
        octets[random.below(octets.count)] ^= 1 << UInt8(random.below(8))
    }

    private func resized(_ address: [UInt8], _ isIPv6: Bool) -> [UInt8] {
        isIPv6 ? address + [UInt8](repeating: 0, count: 12) : Array(address[..<4])
    }

    /// IPv4's header may be up to 60 octets long.
    private mutating func takeOptions(_ parts: inout Parts) {
        if parts.isIPv6 { return }
        parts.options = Array(random.octets(4 * (1 + random.below(10))))
        parts.versionAndLength = 0x45 + UInt8(parts.options.count / 4)
    }

    private mutating func error() -> Int {
        random.percent(50) ? random.pick([-1, 1]) * (1 + random.below(4)) : random.below(400) - 200
    }

    private func withBits(_ word: [UInt8], _ bits: UInt32) -> [UInt8] {
        var word = word
        if !word.isEmpty { word.set(long: word.long(at: 0) | bits, at: 0) }
        return word
    }
}
