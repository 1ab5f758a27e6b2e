public import InternetAddress

/// An LLDP advertisement with its three mandatory parts (IEEE 802.1AB).
///
/// ```swift
/// let frame = EthernetFrame.lldp(from: "02:00:00:00:00:01", port: "eth1")
/// ```
///
/// A pseudowire that is a plain wire carries it, unlike a bridge, which keeps it to itself.
public struct LLDPAdvertisement: Hashable, Sendable {
    /// The sender, by a hardware address of its own.
    public var chassis: MACAddress
    /// The interface's name; at most 255 octets of it are sent.
    public var port: String
    /// Seconds for which the receiver may believe this.
    public var lifetime: UInt16

    public init(chassis: MACAddress, port: String, lifetime: UInt16 = 120) {
        self.chassis = chassis
        self.port = port
        self.lifetime = lifetime
    }

    /// The nearest-bridge group address.
    public static let destination = MACAddress(0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e)

    /// The advertisement as it is sent.
    public var bytes: [UInt8] {
        func field(_ type: UInt16, _ value: [UInt8]) -> [UInt8] { octets(type << 9 | UInt16(value.count)) + value }
        // Subtypes: 4 of the chassis is a MAC address, 5 of the port an interface name.
        return field(1, [4] + chassis.bytes) + field(2, [5] + port.utf8.prefix(255)) + field(3, octets(lifetime))
            + field(0, [])
    }
}

extension EthernetFrame {
    /// An advertisement to the nearest neighbour.
    public static func lldp(from source: MACAddress, port: String, tags: [VLANTag] = []) -> EthernetFrame {
        EthernetFrame(
            destination: LLDPAdvertisement.destination, source: source, tags: tags,
            payload: .lldp(LLDPAdvertisement(chassis: source, port: port)))
    }
}
