import InternetAddress

/// The whole datapath in plain Swift: the second implementation against which the first is compared.
///
/// ```swift
/// let codec = PacketCodec(
///     outer: OuterHeader(source: "192.0.2.21", destination: "192.0.2.22", encapsulation: .udp),
///     header: DataHeader(encapsulation: .udp, session: 1012, sublayer: SublayerWord()))
/// let packet = try codec.encapsulate(frame: frame)
/// let back = try PacketCodec.decapsulate(packet: packet, cookieLength: .zero, sublayer: .default)
/// back.frame == frame   // true
/// ```
///
/// Frames are Ethernet frames without their FCS, tags included; packets begin with the outer IP header, so there is
/// no outer Ethernet header. Sources: RFC 791, RFC 8200, RFC 768, RFC 3931.
public struct PacketCodec: Hashable, Sendable {
    /// The IP header, and the UDP header, of what is sent; lengths and checksums are filled in.
    public var outer: OuterHeader
    /// The L2TP header of what is sent; it must have the encapsulation of `outer`.
    public var header: DataHeader

    public init(outer: OuterHeader, header: DataHeader) {
        self.outer = outer
        self.header = header
    }

    /// The outer packet that carries a frame: right lengths, IPv4 header checksum, UDP checksum as `outer` asks.
    public func encapsulate(frame: [UInt8]) throws(EncapsulationError) -> [UInt8] {
        guard outer.source.family == outer.destination.family else { throw .familiesDiffer }
        guard outer.encapsulation == header.encapsulation else { throw .encapsulationsDiffer }
        guard outer.flowLabel < 1 << 20 else { throw .flowLabel(outer.flowLabel) }
        guard frame.count >= Self.ethernetHeaderByteCount else { throw .frameTooShort(frame.count) }

        let isIPv4 = outer.source.family == .v4
        let isUDP = outer.encapsulation == .udp
        let payloadLength = (isUDP ? 8 : 0) + header.byteCount + frame.count
        // IPv4's length counts its own header, IPv6's does not.
        guard let length = UInt16(exactly: payloadLength + (isIPv4 ? 20 : 0)),
            let udpLength = UInt16(exactly: payloadLength)
        else { throw .tooLong(frame.count) }

        var packet: [UInt8] = []
        packet.reserveCapacity((isIPv4 ? 20 : 40) + payloadLength)
        if isIPv4 {
            appendIPv4Header(to: &packet, totalLength: length)
        } else {
            appendIPv6Header(to: &packet, payloadLength: length)
        }
        let transport = packet.count
        if isUDP {
            packet.append(bigEndian: outer.sourcePort)
            packet.append(bigEndian: outer.destinationPort)
            packet.append(bigEndian: udpLength)
            packet.append(bigEndian: 0 as UInt16)
        }
        packet += header.bytes
        packet += frame
        if isUDP, outer.udpChecksum == .full {
            let value = Self.udpChecksum(
                source: outer.source, destination: outer.destination, datagram: packet[transport...])
            // A computed zero would read as "no checksum": its other ones' complement form is sent (RFC 768).
            packet.replace(at: transport + 6, with: value == 0 ? 0xffff : value)
        }
        return packet
    }

    private func appendIPv4Header(to packet: inout [UInt8], totalLength: UInt16) {
        packet += [0x45, outer.trafficClass]
        packet.append(bigEndian: totalLength)
        packet.append(bigEndian: outer.identification)
        packet.append(bigEndian: (outer.dontFragment ? 0x4000 : 0) as UInt16)
        packet += [outer.ttl, outer.encapsulation.protocolNumber, 0, 0]
        packet += outer.source.bytes
        packet += outer.destination.bytes
        packet.replace(at: 10, with: InternetChecksum(of: packet).value)
    }

    private func appendIPv6Header(to packet: inout [UInt8], payloadLength: UInt16) {
        packet.append(bigEndian: 6 << 28 | UInt32(outer.trafficClass) << 20 | outer.flowLabel)
        packet.append(bigEndian: payloadLength)
        packet += [outer.encapsulation.protocolNumber, outer.ttl]
        packet += outer.source.bytes
        packet += outer.destination.bytes
    }

    static let ethernetHeaderByteCount = 14

    /// The checksum over pseudo-header and datagram: 0 when the datagram contains its own right one.
    static func udpChecksum(source: IPAddress, destination: IPAddress, datagram: ArraySlice<UInt8>) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(source.bytes)
        checksum.add(destination.bytes)
        // IPv4's pseudo-header has 16 bits of length, IPv6's has 32: the upper ones are zero in all that we handle.
        checksum.add(UInt16(Encapsulation.udp.protocolNumber))
        checksum.add(UInt16(truncatingIfNeeded: datagram.count))
        checksum.add(datagram)
        return checksum.value
    }
}

/// Why a frame cannot be put into a packet.
public enum EncapsulationError: Error, Hashable, Sendable {
    /// The outer addresses are of different families.
    case familiesDiffer
    /// Outer header and L2TP header were made for different encapsulations.
    case encapsulationsDiffer
    /// The flow label exceeds 20 bits.
    case flowLabel(UInt32)
    /// Fewer octets than an Ethernet header has.
    case frameTooShort(Int)
    /// A frame of so many octets exceeds the 16 bits of the outer length.
    case tooLong(Int)
}

extension EncapsulationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .familiesDiffer: "source and destination are of different address families"
        case .encapsulationsDiffer: "the outer header and the L2TP header disagree on the encapsulation"
        case .flowLabel(let label): "flow label 0x\(String(label, radix: 16)) exceeds 20 bits"
        case .frameTooShort(let count): "\(count) octets are no Ethernet frame: its header alone takes 14"
        case .tooLong(let count): "a frame of \(count) octets does not fit into one IP packet"
        }
    }
}
