extension Inspection {
    mutating func transport(
        _ bytes: ArraySlice<UInt8>, _ carrier: PseudoHeader, isIPv4: Bool, hopLimit: UInt8
    ) {
        switch carrier.protocolNumber {
        case 6: tcp(bytes, carrier)
        case 17: udp(bytes, carrier, isIPv4: isIPv4)
        case 1: icmp(bytes, isIPv4: isIPv4)
        case 58: icmpv6(bytes, carrier, isIPv4: isIPv4, hopLimit: hopLimit)
        case 115:
            guard let pseudowire = settings.pseudowire, !isInner else {
                words.append("L2TPv3, \(bytes.count) octets")
                return
            }
            l2tp(bytes, overUDP: false, pseudowire)
        case let number: words.append("protocol \(number), \(bytes.count) octets")
        }
    }

    private mutating func udp(_ bytes: ArraySlice<UInt8>, _ carrier: PseudoHeader, isIPv4: Bool) {
        guard require(8, bytes, "UDP") else { return }
        words.append("UDP \(bytes.half(0)) > \(bytes.half(2))")
        if bytes.half(2) == 0 { fault("UDP", "the destination port is 0") }
        let length = Int(bytes.half(4))
        guard length == bytes.count else {
            fault("UDP", "the length claims \(length) octets, IP carries \(bytes.count)")
            return
        }
        if bytes.half(6) != 0 {
            checksum("UDP", bytes, field: 6, pseudoHeader: carrier)
        } else if !isIPv4, isInner || !settings.allowsZeroChecksumOverIPv6 {
            fault("UDP", "the checksum is zero over IPv6")
        }
        let isL2TP = settings.pseudowire.map { $0.ports.contains(bytes.half(0)) || $0.ports.contains(bytes.half(2)) }
        if isL2TP == true, !isInner, let pseudowire = settings.pseudowire {
            l2tp(bytes.dropFirst(8), overUDP: true, pseudowire)
        } else {
            words.append("\(bytes.count - 8) octets")
        }
    }

    private mutating func tcp(_ bytes: ArraySlice<UInt8>, _ carrier: PseudoHeader) {
        guard require(20, bytes, "TCP") else { return }
        let header = Int(bytes.byte(12) / 16) * 4
        guard header >= 20, header <= bytes.count else {
            fault("TCP", "the header claims \(header) octets, there are \(bytes.count)")
            return
        }
        let flags = bytes.byte(13)
        let names = zip(["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"], 0..<8)
            .filter { flags & 1 << UInt8($0.1) != 0 }.map { $0.0 }
        words.append("TCP \(bytes.half(0)) > \(bytes.half(2)) \(names.joined(separator: ",")) seq \(bytes.full(4))")
        words.append("ack \(bytes.full(8)), \(bytes.count - header) octets")
        checksum("TCP", bytes, field: 16, pseudoHeader: carrier)
        if bytes.byte(12) & 0x0e != 0 { fault("TCP", "reserved bits are set") }
        if flags & 0x3f == 0 { fault("TCP", "no flag is set") }
        if flags & 0x02 != 0, flags & 0x05 != 0 { fault("TCP", "SYN comes with FIN or RST") }
        options("TCP", bytes.part(20, header - 20))
    }

    private mutating func icmp(_ bytes: ArraySlice<UInt8>, isIPv4: Bool) {
        guard require(8, bytes, "ICMP") else { return }
        if !isIPv4 { fault("ICMP", "is carried by IPv6") }
        checksum("ICMP", bytes, field: 2)
        switch (bytes.byte(0), bytes.byte(1)) {
        case (8, 0): echo("ICMP echo request", bytes)
        case (0, 0): echo("ICMP echo reply", bytes)
        case let (type, code): words.append("ICMP type \(type) code \(code), \(bytes.count) octets")
        }
    }

    private mutating func icmpv6(
        _ bytes: ArraySlice<UInt8>, _ carrier: PseudoHeader, isIPv4: Bool, hopLimit: UInt8
    ) {
        guard require(8, bytes, "ICMPv6") else { return }
        if isIPv4 { fault("ICMPv6", "is carried by IPv4") }
        checksum("ICMPv6", bytes, field: 2, pseudoHeader: carrier)
        switch (bytes.byte(0), bytes.byte(1)) {
        case (128, 0): echo("ICMPv6 echo request", bytes)
        case (129, 0): echo("ICMPv6 echo reply", bytes)
        case let (type, code):
            words.append("ICMPv6 type \(type) code \(code), \(bytes.count) octets")
            // RFC 4861: neighbour discovery that crossed a router is forged; a wire that counts hops would break it.
            if (133...137).contains(type), hopLimit != 255 {
                fault("ICMPv6", "neighbour discovery has hop limit \(hopLimit) and not 255")
            }
        }
    }

    private mutating func echo(_ name: String, _ bytes: ArraySlice<UInt8>) {
        words.append("\(name) id \(bytes.half(4)) seq \(bytes.half(6)), \(bytes.count - 8) octets")
    }
}
