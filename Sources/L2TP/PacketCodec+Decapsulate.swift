import InternetAddress

extension PacketCodec {
    /// What came out of a packet.
    public struct Decapsulated: Hashable, Sendable {
        /// The customer's Ethernet frame, at least 14 octets.
        public var frame: [UInt8]
        /// The headers that it came under, ports in host order.
        public var outer: OuterHeader
        /// With the sublayer's bits as they came: whether V or a sequence number matters is the caller's to say.
        public var header: DataHeader
        /// IPv4 options that were skipped, in octets.
        public var optionsByteCount: Int
    }

    /// Takes a packet apart, from the outer IP header on.
    ///
    /// Octets after the IP packet's end are Ethernet padding and are cut, those after the UDP datagram's end too, as
    /// the kernel does. A UDP checksum of zero is accepted over both families. IPv6 extension headers are refused.
    /// Whether addresses, ports, session and cookie are the expected ones is for the caller to compare.
    public static func decapsulate(
        packet: some RandomAccessCollection<UInt8>, cookieLength: Cookie.Length, sublayer: Sublayer
    ) throws(DecapsulationError) -> Decapsulated {
        let packet = Array(packet)
        guard let first = packet.first else { throw .truncated(needed: 1, have: 0) }
        var (outer, transport, optionsByteCount): (OuterHeader, ArraySlice<UInt8>, Int)
        switch first >> 4 {
        case 4: (outer, transport, optionsByteCount) = try parseIPv4(packet)
        case 6: (outer, transport, optionsByteCount) = try parseIPv6(packet)
        default: throw .version(first >> 4)
        }
        if outer.encapsulation == .udp { transport = try parseUDP(transport, into: &outer) }
        let header: DataHeader
        do {
            header = try DataHeader(
                decoding: transport, encapsulation: outer.encapsulation, cookieLength: cookieLength,
                sublayer: sublayer)
        } catch {
            throw .header(error)
        }
        let frame = Array(transport.dropFirst(header.byteCount))
        guard frame.count >= ethernetHeaderByteCount else { throw .frameTooShort(frame.count) }
        return Decapsulated(frame: frame, outer: outer, header: header, optionsByteCount: optionsByteCount)
    }

    private static func parseIPv4(
        _ packet: [UInt8]
    ) throws(DecapsulationError) -> (OuterHeader, ArraySlice<UInt8>, Int) {
        guard packet.count >= 20 else { throw .truncated(needed: 20, have: packet.count) }
        let headerLength = Int(packet[0] & 0xf) * 4
        guard headerLength >= 20 else { throw .headerLength(headerLength) }
        guard packet.count >= headerLength else { throw .truncated(needed: headerLength, have: packet.count) }
        guard InternetChecksum(of: packet[..<headerLength]).value == 0 else { throw .headerChecksum }
        let totalLength = Int(packet.word16(at: 2))
        guard (headerLength...packet.count).contains(totalLength) else {
            throw .totalLength(totalLength, have: packet.count)
        }
        let fragment = packet.word16(at: 6)
        guard fragment & 0x3fff == 0 else { throw .fragment }
        guard let encapsulation = Encapsulation(protocolNumber: packet[9]) else { throw .nextProtocol(packet[9]) }
        guard let source = IPAddress(bytes: packet[12..<16]), let destination = IPAddress(bytes: packet[16..<20])
        else { throw .truncated(needed: 20, have: packet.count) }
        let outer = OuterHeader(
            source: source, destination: destination, encapsulation: encapsulation, ttl: packet[8],
            trafficClass: packet[1], dontFragment: fragment & 0x4000 != 0, identification: packet.word16(at: 4))
        return (outer, packet[headerLength..<totalLength], headerLength - 20)
    }

    private static func parseIPv6(
        _ packet: [UInt8]
    ) throws(DecapsulationError) -> (OuterHeader, ArraySlice<UInt8>, Int) {
        guard packet.count >= 40 else { throw .truncated(needed: 40, have: packet.count) }
        let totalLength = 40 + Int(packet.word16(at: 4))
        // A length of zero is a jumbogram's, which needs an extension header and more than any link here carries.
        guard totalLength > 40, totalLength <= packet.count else {
            throw .totalLength(totalLength, have: packet.count)
        }
        guard packet[6] != 44 else { throw .fragment }
        guard let encapsulation = Encapsulation(protocolNumber: packet[6]) else { throw .nextProtocol(packet[6]) }
        guard let source = IPAddress(bytes: packet[8..<24]), let destination = IPAddress(bytes: packet[24..<40])
        else { throw .truncated(needed: 40, have: packet.count) }
        let word = packet.word32(at: 0)
        let outer = OuterHeader(
            source: source, destination: destination, encapsulation: encapsulation, ttl: packet[7],
            trafficClass: UInt8(truncatingIfNeeded: word >> 20), flowLabel: word & 0xf_ffff)
        return (outer, packet[40..<totalLength], 0)
    }

    /// Reads ports and checksum into `outer` and gives the datagram's payload.
    private static func parseUDP(
        _ datagram: ArraySlice<UInt8>, into outer: inout OuterHeader
    ) throws(DecapsulationError) -> ArraySlice<UInt8> {
        guard datagram.count >= 8 else { throw .udpLength(0, have: datagram.count) }
        let length = Int(datagram.word16(at: 4))
        guard (8...datagram.count).contains(length) else { throw .udpLength(length, have: datagram.count) }
        let datagram = datagram.prefix(length)
        outer.sourcePort = datagram.word16(at: 0)
        outer.destinationPort = datagram.word16(at: 2)
        if datagram.word16(at: 6) == 0 {
            outer.udpChecksum = .zero
        } else {
            let value = udpChecksum(source: outer.source, destination: outer.destination, datagram: datagram)
            guard value == 0 else { throw .udpChecksum }
            outer.udpChecksum = .full
        }
        return datagram.dropFirst(8)
    }
}

/// Why a packet holds no frame for us: one case per reason.
public enum DecapsulationError: Error, Hashable, Sendable {
    /// The octets end within the IP header.
    case truncated(needed: Int, have: Int)
    /// The first four bits are neither 4 nor 6.
    case version(UInt8)
    /// IPv4's header claims fewer octets than the 20 it always has.
    case headerLength(Int)
    /// IPv4's header checksum is wrong.
    case headerChecksum
    /// The IP header claims a length that it cannot have, or more octets than there are.
    case totalLength(Int, have: Int)
    /// A fragment: reassembly is the kernel's work.
    case fragment
    /// Neither UDP nor L2TP follows the IP header.
    case nextProtocol(UInt8)
    /// The UDP header claims fewer octets than itself, or more than the packet has; 0 when it is cut short.
    case udpLength(Int, have: Int)
    /// The UDP checksum is there and wrong.
    case udpChecksum
    /// The L2TP header is no data header.
    case header(DataHeaderError)
    /// What remains is shorter than an Ethernet header.
    case frameTooShort(Int)
}

extension DecapsulationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let needed, let have): "the IP header needs \(needed) octets, there are \(have)"
        case .version(let version): "IP version \(version) is neither 4 nor 6"
        case .headerLength(let count): "an IPv4 header of \(count) octets is too short"
        case .headerChecksum: "the IPv4 header checksum is wrong"
        case .totalLength(let length, let have): "the IP packet claims \(length) octets, there are \(have)"
        case .fragment: "the outer packet is a fragment"
        case .nextProtocol(let number): "protocol \(number) is neither UDP (17) nor L2TP (115)"
        case .udpLength(let length, let have): "the UDP datagram claims \(length) octets, there are \(have)"
        case .udpChecksum: "the UDP checksum is wrong"
        case .header(let error): error.description
        case .frameTooShort(let count): "\(count) octets are no Ethernet frame: its header alone takes 14"
        }
    }
}
