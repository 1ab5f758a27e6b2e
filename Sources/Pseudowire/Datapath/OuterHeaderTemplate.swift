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
        let ipLength = tunnel.local.family == .v4 ? 20 : 40
        var octets = Self.ipHeader(configuration)
        if isUDP {
            octets +=
                Self.word(tunnel.portEntropy.sends ? 0 : tunnel.localPort) + Self.word(tunnel.peerPort) + [0, 0, 0, 0]
        }
        let header = DataHeader(
            encapsulation: tunnel.encapsulation, session: configuration.session.peer,
            cookie: configuration.session.sending,
            sublayer: configuration.session.sublayer == .default ? SublayerWord() : nil)
        octets += header.bytes
        self.octets = octets
        ipSum = tunnel.local.family == .v4 ? Self.sum(octets[..<ipLength]) : 0
        udpSum =
            isUDP
            ? Self.sum(tunnel.local.bytes[...]) + Self.sum(tunnel.peer.bytes[...])
                + Self.sum([0, tunnel.encapsulation.protocolNumber]) + Self.sum(octets[ipLength...])
            : 0
    }

    private static func ipHeader(_ configuration: PseudowireConfiguration) -> [UInt8] {
        let tunnel = configuration.tunnel
        let number = tunnel.encapsulation.protocolNumber
        switch tunnel.local.family {
        case .v4:
            // DF; without it the datapath fills in an identification (RFC 6864).
            let flags: UInt8 = configuration.forbidsFragments ? 0x40 : 0
            return [0x45, 0, 0, 0, 0, 0, flags, 0, configuration.ttl, number, 0, 0]
                + tunnel.local.bytes + tunnel.peer.bytes
        case .v6:
            return [0x60, 0, 0, 0, 0, 0, number, configuration.ttl]
                + tunnel.local.bytes + tunnel.peer.bytes
        }
    }

    private static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }

    /// A sum over words as they lie in memory, which is how the datapath adds them.
    ///
    /// All parts have even lengths.
    private static func sum(_ octets: ArraySlice<UInt8>) -> UInt32 {
        stride(from: octets.startIndex, to: octets.endIndex - 1, by: 2).reduce(0) { total, index in
            total + UInt32(UInt16(littleEndian: UInt16(octets[index]) | UInt16(octets[index + 1]) << 8))
        }
    }
}
