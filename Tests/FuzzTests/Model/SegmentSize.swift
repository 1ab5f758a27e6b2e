extension Wire {
    /// The frame as it goes on, either way: what a host is told here is what the other may send, the same way or back.
    ///
    /// - Parameter carriedTags: how many tags it has between the two ends.
    func clamped(_ frame: CustomerFrame, carriedTags: Int) -> CustomerFrame {
        guard clampsMSS else { return frame }
        let packet = path - sentHeaderLength - 14 - 4 * carriedTags
        return frame.clamped(toPacketsOf: min(packet, mtu ?? packet))
    }
}

extension CustomerFrame {
    /// The frame with the largest segment that a TCP host offers lowered to what packets of a size can carry; the same
    /// frame if there is nothing to lower.
    func clamped(toPacketsOf limit: Int) -> CustomerFrame {
        guard let packet, let place = packet.segmentSizeOption(in: octets) else { return self }
        let largest = limit - (packet.isIPv6 ? 60 : 40)
        // Less than this is no size that a host would keep to.
        guard largest > 64, Int(octets.word(at: place)) > largest else { return self }
        let checksum = packet.offset + packet.headerLength + 16
        var octets = octets
        // The option may begin at an odd place, where its octets count the other way round.
        let isOdd = (place - checksum) % 2 != 0
        func summand(_ word: UInt16) -> UInt64 { UInt64(isOdd ? word.byteSwapped : word) }
        let before = octets.word(at: place)
        octets.set(word: UInt16(largest), at: place)
        let sum = UInt64(~octets.word(at: checksum)) + summand(~before) + summand(UInt16(largest))
        octets.set(word: OnesComplement.checksum(sum), at: checksum)
        return CustomerFrame(octets)
    }
}

extension CustomerFrame.Packet {
    /// Where the size stands that a TCP segment with SYN offers.
    fileprivate func segmentSizeOption(in octets: [UInt8]) -> Int? {
        let tcp = offset + headerLength
        guard octets[offset + (isIPv6 ? 6 : 9)] == 6, octets.count >= tcp + 20 else { return nil }
        if !isIPv6, octets.word(at: offset + 6) & 0x3fff != 0 { return nil }
        guard octets[tcp + 13] & 0x02 != 0 else { return nil }
        let end = min(tcp + Int(octets[tcp + 12] >> 4) * 4, octets.count)
        var place = tcp + 20
        while place < end {
            switch octets[place] {
            case 0: return nil
            case 1: place += 1
            default:
                guard place + 2 <= end, octets[place + 1] >= 2 else { return nil }
                // One of another length is none, to Linux as well (tcp_parse_options), and a right one may follow.
                if octets[place] == 2, octets[place + 1] == 4 { return place + 4 <= end ? place + 2 : nil }
                place += Int(octets[place + 1])
            }
        }
        return nil
    }
}
