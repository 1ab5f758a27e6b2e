internal import CPseudowireObject
internal import InternetAddress
internal import L2TP

/// The outer headers of a pseudowire as they are sent, but for what changes from frame to frame, with the sums of what
/// never does: the datapath only copies, fills in, and folds.
struct OuterHeaderTemplate {
    /// From the IP header to the sublayer.
    ///
    /// Zero are lengths and checksums, DSCP and ECN, IPv4's identification and IPv6's flow label, and where they vary
    /// the UDP source port and the sublayer's number.
    let octets: [UInt8]
    /// Ones' complement sum of the IPv4 header; 0 for IPv6.
    let ipSum: UInt32
    /// The same of the UDP pseudo header, ports and L2TP header, without the two lengths; 0 for protocol 115.
    let udpSum: UInt32

    init(_ configuration: PseudowireConfiguration) {
        let tunnel = configuration.tunnel
        let isUDP = tunnel.encapsulation == .udp
        let isIPv4 = tunnel.local.family == .v4
        var octets: [UInt8] = []
        octets.reserveCapacity(Int(PW_HEADER_SIZE))
        Self.append(ipHeader: configuration, to: &octets)
        let ipLength = octets.count
        if isUDP {
            octets.append(word: tunnel.portEntropy.sends ? 0 : tunnel.localPort)
            octets.append(word: tunnel.peerPort)
            octets.append(word: 0)
            octets.append(word: 0)
        }
        let header = DataHeader(
            encapsulation: tunnel.encapsulation, session: configuration.session.peer,
            cookie: configuration.session.sending,
            sublayer: configuration.session.sublayer == .default ? SublayerWord() : nil)
        octets += header.bytes
        self.octets = octets
        ipSum = isIPv4 ? Self.sum(octets, 0..<ipLength) : 0
        // Of the pseudo header the addresses are where the IP header has them: at its end.
        let addresses = 2 * tunnel.local.family.byteCount
        udpSum =
            isUDP
            ? Self.sum(octets, ipLength - addresses..<octets.count)
                + UInt32(UInt16(tunnel.encapsulation.protocolNumber).bigEndian)
            : 0
    }

    private static func append(ipHeader configuration: PseudowireConfiguration, to octets: inout [UInt8]) {
        let tunnel = configuration.tunnel
        let number = tunnel.encapsulation.protocolNumber
        switch tunnel.local.family {
        case .v4:
            // DF; without it the datapath fills in an identification (RFC 6864).
            let flags: UInt16 = configuration.forbidsFragments ? 0x4000 : 0
            for word: UInt16 in [0x4500, 0, 0, flags] { octets.append(word: word) }
            octets.append(configuration.ttl)
            octets.append(number)
            octets.append(word: 0)
        case .v6:
            for word: UInt16 in [0x6000, 0, 0] { octets.append(word: word) }
            octets.append(number)
            octets.append(configuration.ttl)
        }
        for address in [tunnel.local, tunnel.peer] {
            for index in 0..<address.family.byteCount { octets.append(address.octet(at: index)) }
        }
    }

    /// A sum over words as they lie in memory, which is how the datapath adds them.
    ///
    /// All parts have even lengths.
    private static func sum(_ octets: [UInt8], _ range: Range<Int>) -> UInt32 {
        var total: UInt32 = 0
        for index in stride(from: range.lowerBound, to: range.upperBound - 1, by: 2) {
            total += UInt32(UInt16(littleEndian: UInt16(octets[index]) | UInt16(octets[index + 1]) << 8))
        }
        return total
    }
}

extension [UInt8] {
    fileprivate mutating func append(word: UInt16) {
        append(UInt8(word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }
}
