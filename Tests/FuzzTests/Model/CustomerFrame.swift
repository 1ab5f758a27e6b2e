/// A customer's frame, read as far as the rules ask.
struct CustomerFrame {
    static let customerTag: UInt16 = 0x8100
    static let serviceTag: UInt16 = 0x88a8
    static let ipv4: UInt16 = 0x0800
    static let ipv6: UInt16 = 0x86dd
    static let arp: UInt16 = 0x0806

    /// An IP header that is what the ethertype says, and whole.
    struct Packet {
        let isIPv6: Bool
        /// Where it begins in the frame.
        let offset: Int
        /// Octets of the header, IPv4's options included.
        let headerLength: Int
        let trafficClass: UInt8
    }

    let octets: [UInt8]
    /// How many tags there are, whole ones, at most two.
    let tagCount: Int
    /// Of what follows them.
    let etherType: UInt16
    /// Where that begins.
    let payload: Int

    /// Types with others some octets behind them: older tags, 802.1ah, 802.1BR, and two of switches' makers.
    static let shims: [UInt16] = [0x9100, 0x9200, 0x9300, 0x88e7, 0x893f, 0x8909, 0xdada]

    /// Whether the type is a length, as in 802.3, and SNAP's header follows: IP may be behind that.
    var isSNAP: Bool { etherType < 0x600 && octets[payload...].starts(with: [0xaa, 0xaa, 0x03]) }

    /// Whether the frame ends within one of two tags.
    var isCut: Bool { tagCount < 2 && Self.isTag(etherType) }

    /// Whether a third tag is announced.
    var isTooDeep: Bool { tagCount == 2 && Self.isTag(etherType) }

    /// Whether it is there.
    var hasThirdTag: Bool { isTooDeep && octets.count >= payload + 4 }

    /// At least 14 octets.
    init(_ octets: [UInt8]) {
        self.octets = octets
        var tags = 0
        var place = 12
        var type = octets.word(at: place)
        // A tag is one only if the type that it puts off is there.
        while tags < 2, Self.isTag(type), octets.count >= place + 6 {
            tags += 1
            place += 4
            type = octets.word(at: place)
        }
        tagCount = tags
        etherType = type
        payload = place + 2
    }

    static func isTag(_ type: UInt16) -> Bool { type == customerTag || type == serviceTag }

    /// The outermost tag's id; nil without one.
    var outermostID: UInt16? { tagCount == 0 ? nil : octets.word(at: 14) & 0xfff }

    var outermostType: UInt16? { tagCount == 0 ? nil : octets.word(at: 12) }

    /// The packet inside, if the frame has one; nobody looks for it behind more than two tags.
    var packet: Packet? {
        let room = octets.count - payload
        if etherType == Self.ipv4, room >= 20, octets[payload] >> 4 == 4, octets[payload] & 0xf >= 5 {
            return Packet(
                isIPv6: false, offset: payload, headerLength: Int(octets[payload] & 0xf) * 4,
                trafficClass: octets[payload + 1])
        }
        if etherType == Self.ipv6, room >= 40, octets[payload] >> 4 == 6 {
            return Packet(
                isIPv6: true, offset: payload, headerLength: 40,
                trafficClass: UInt8(truncatingIfNeeded: octets.word(at: payload) >> 4))
        }
        return nil
    }

    /// The frame without its outermost tag.
    var untagged: [UInt8] { tagCount == 0 ? octets : Array(octets[..<12] + octets[16...]) }
}

extension CustomerFrame {
    /// Whether a checksum in the frame is wrong on which that of the outer UDP header may be built.
    ///
    /// A customer's TCP or UDP checksum makes the sum of what it covers known, so that nobody needs to read the rest.
    /// If it is wrong the outer one is, too, and the peer's kernel may drop the packet, as the customer's peer would
    /// have.
    var misleads: Bool {
        guard let packet, let transport = packet.transport(in: octets) else { return false }
        let isWrong =
            OnesComplement.fold(
                OnesComplement.sum(octets[transport.range], adding: packet.pseudoHeaderSum(in: octets, transport)))
            != 0xffff
        if packet.isIPv6 { return isWrong }
        return isWrong
            || OnesComplement.sum(octets[packet.offset..<(packet.offset + packet.headerLength)]) != 0xffff
    }
}

extension CustomerFrame.Packet {
    struct Transport {
        let number: UInt8
        let range: Range<Int>
    }

    /// IPv4's DF is clear.
    func admitsFragments(in octets: [UInt8]) -> Bool { !isIPv6 && octets[offset + 6] & 0x40 == 0 }

    /// The whole TCP segment or checksummed UDP datagram that ends where the frame does.
    func transport(in octets: [UInt8]) -> Transport? {
        let length = isIPv6 ? 40 + Int(octets.word(at: offset + 4)) : Int(octets.word(at: offset + 2))
        guard length == octets.count - offset, headerLength <= length else { return nil }
        if !isIPv6, octets.word(at: offset + 6) & 0x3fff != 0 { return nil }
        let number = octets[offset + (isIPv6 ? 6 : 9)]
        let range = (offset + headerLength)..<octets.count
        switch number {
        case 6 where range.count >= 20 && octets[range.lowerBound + 12] >> 4 >= 5: break
        // A datagram shorter than its packet has octets behind it that its checksum does not cover.
        case 17
        where range.count >= 8 && octets.word(at: range.lowerBound + 6) != 0
            && Int(octets.word(at: range.lowerBound + 4)) == range.count:
            break
        default: return nil
        }
        return Transport(number: number, range: range)
    }

    func pseudoHeaderSum(in octets: [UInt8], _ transport: Transport) -> UInt64 {
        let addresses = isIPv6 ? (offset + 8)..<(offset + 40) : (offset + 12)..<(offset + 20)
        return OnesComplement.pseudoHeader(
            octets[addresses], protocol: transport.number, length: transport.range.count)
    }
}
