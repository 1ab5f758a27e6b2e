/// What came in from the network, read up to the session id: an L2TPv3 data packet whoever it is for.
struct ArrivedPacket {
    let octets: [UInt8]
    let isIPv6: Bool
    let isUDP: Bool
    /// The first of the UDP header, or of the session id where there is none.
    let transport: Int
    let session: UInt32
    /// The end of the IP packet, by its own account.
    let end: Int
    /// IPv4's "more fragments".
    let hasMoreFragments: Bool
    let ecn: UInt8

    private static let ethernet = 14

    /// Whether it is a fragment of L2TP over IP that lacks what would tell whose it is.
    static func isStrayFragment(_ octets: [UInt8]) -> Bool {
        guard octets.count >= ethernet, octets[..<6].allSatisfy({ $0 == 0 }) else { return false }
        switch octets.word(at: 12) {
        case CustomerFrame.ipv4:
            return octets.count >= 34 && octets[14] >> 4 == 4 && octets[14] & 0xf >= 5 && octets[23] == 115
                && octets.word(at: 20) & 0x1fff != 0
        case CustomerFrame.ipv6:
            return octets.count >= 55 && octets[14] >> 4 == 6 && octets[20] == 44 && octets[54] == 115
        default: return false
        }
    }

    /// Nil for all that is the network stack's.
    init?(_ octets: [UInt8]) {
        // The bench's interface has the address zero; what is for another station is none of ours.
        guard octets.count >= Self.ethernet, octets[..<6].allSatisfy({ $0 == 0 }) else { return nil }
        let ip = Self.ethernet
        let number: UInt8
        switch octets.word(at: 12) {
        case CustomerFrame.ipv4:
            guard octets.count >= ip + 20, octets[ip] >> 4 == 4, octets[ip] & 0xf >= 5 else { return nil }
            let fragment = octets.word(at: ip + 6)
            guard fragment & 0x1fff == 0 else { return nil }
            isIPv6 = false
            transport = ip + Int(octets[ip] & 0xf) * 4
            end = ip + Int(octets.word(at: ip + 2))
            hasMoreFragments = fragment & 0x2000 != 0
            ecn = octets[ip + 1] & 3
            number = octets[ip + 9]
        case CustomerFrame.ipv6:
            guard octets.count >= ip + 40, octets[ip] >> 4 == 6 else { return nil }
            isIPv6 = true
            transport = ip + 40
            end = ip + 40 + Int(octets.word(at: ip + 4))
            hasMoreFragments = false
            ecn = octets[ip + 1] >> 4 & 3
            number = octets[ip + 6]
        default: return nil
        }
        switch number {
        case 17:
            guard octets.count >= transport + 16 else { return nil }
            let flags = octets.word(at: transport + 8)
            guard flags & 0x8000 == 0, flags & 0xf == 3 else { return nil }
            isUDP = true
            session = octets.long(at: transport + 12)
        case 115:
            guard octets.count >= transport + 4 else { return nil }
            isUDP = false
            session = octets.long(at: transport)
        default: return nil
        }
        guard session != 0 else { return nil }
        self.octets = octets
    }

    var source: ArraySlice<UInt8> { isIPv6 ? octets[22..<38] : octets[26..<30] }
    var destination: ArraySlice<UInt8> { isIPv6 ? octets[38..<54] : octets[30..<34] }

    /// UDP only.
    var sourcePort: UInt16 { octets.word(at: transport) }
    var destinationPort: UInt16 { octets.word(at: transport + 2) }

    /// The end of the L2TP packet by the account of the innermost length; nil if lengths contradict each other.
    var payloadEnd: Int? {
        guard end <= octets.count else { return nil }
        guard isUDP else { return end }
        let udpEnd = transport + Int(octets.word(at: transport + 4))
        return udpEnd <= end ? udpEnd : nil
    }

    /// The first octet after the session id.
    var afterSession: Int { transport + (isUDP ? 16 : 4) }

    func isFor(_ wire: Wire) -> Bool {
        session == wire.localSession && isIPv6 == wire.isIPv6 && isUDP == wire.isUDP
            && destination.elementsEqual(wire.local) && (!isUDP || destinationPort == wire.localPort)
    }
}
