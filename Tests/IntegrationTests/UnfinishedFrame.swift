import InternetAddress
import L2TP
import PseudowireTestbed

/// A packet as a stack hands it over whose card fills in checksums.
struct UnfinishedFrame {
    private(set) var bytes: [UInt8]
    /// Where the transport header begins.
    let transport: Int

    /// Between two stations that are nobody's.
    ///
    /// - Parameter field: where in the transport header its checksum is: there stands the sum of the pseudo header alone.
    init(_ family: IPAddress.Family, _ content: Transport, tags: [VLANTag] = [], field: Int = 16) {
        let (packet, frame) = Self.whole(family, content, tags: tags)
        bytes = frame
        transport = 14 + tags.count * 4 + (family == .v4 ? 20 : 40)
        var pseudo = InternetChecksum()
        pseudo.add(packet.source.bytes)
        pseudo.add(packet.destination.bytes)
        pseudo.add(UInt16(content.protocolNumber(family: family)))
        pseudo.add(UInt16(bytes.count - transport))
        bytes[transport + field] = UInt8(~pseudo.value >> 8)
        bytes[transport + field + 1] = UInt8(~pseudo.value & 0xff)
    }

    /// The same with its checksum.
    static func whole(
        _ family: IPAddress.Family, _ content: Transport, tags: [VLANTag] = []
    ) -> (packet: IPPacket, bytes: [UInt8]) {
        let packet =
            family == .v4
            ? IPPacket(source: "198.51.100.1", destination: "198.51.100.2", transport: content)
            : IPPacket(source: "2001:db8:1::1", destination: "2001:db8:1::2", transport: content)
        let frame = EthernetFrame(
            destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", tags: tags, payload: .ip(packet))
        return (packet, frame.bytes)
    }
}
