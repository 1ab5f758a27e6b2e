public import InternetAddress

/// An Ethernet frame to be sent, without its FCS.
///
/// ```swift
/// let frame = EthernetFrame(
///     destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", tags: [.service(100), .customer(5)],
///     payload: .ip(IPPacket(
///         source: "10.0.0.1", destination: "10.0.0.2",
///         transport: .udp(UDPDatagram(sourcePort: 4000, destinationPort: 4001, payload: [1, 2, 3])))))
/// frame.bytes
/// ```
///
/// The builders write what they are told, including what no stack would send; ``PacketInspector`` judges it.
public struct EthernetFrame: Hashable, Sendable {
    public var destination: MACAddress
    public var source: MACAddress
    /// Outermost first.
    public var tags: [VLANTag]
    public var payload: Payload
    /// Fill up with zeros to 60 octets, the shortest frame on a wire (64 with its FCS).
    public var isPadded: Bool

    public init(
        destination: MACAddress, source: MACAddress, tags: [VLANTag] = [], payload: Payload, isPadded: Bool = false
    ) {
        self.destination = destination
        self.source = source
        self.tags = tags
        self.payload = payload
        self.isPadded = isPadded
    }

    /// What follows addresses and tags.
    public enum Payload: Hashable, Sendable {
        /// An IP packet; its addresses say which type the frame gets.
        case ip(IPPacket)
        /// An ARP message, of type 0x0806.
        case arp(ARPMessage)
        /// An LLDP advertisement, of type 0x88cc.
        case lldp(LLDPAdvertisement)
        /// Any type and any octets.
        case raw(etherType: UInt16, [UInt8])

        /// The two octets in front of the payload.
        public var etherType: UInt16 {
            switch self {
            case .ip(let packet): packet.source.family == .v4 ? 0x0800 : 0x86dd
            case .arp: 0x0806
            case .lldp: 0x88cc
            case .raw(let etherType, _): etherType
            }
        }

        /// The payload's octets.
        public var bytes: [UInt8] {
            switch self {
            case .ip(let packet): packet.bytes
            case .arp(let message): message.bytes
            case .lldp(let advertisement): advertisement.bytes
            case .raw(_, let bytes): bytes
            }
        }
    }

    /// The frame as it is sent.
    public var bytes: [UInt8] {
        var bytes = destination.bytes + source.bytes
        for tag in tags { bytes += tag.bytes }
        bytes += octets(payload.etherType) + payload.bytes
        if isPadded, bytes.count < 60 { bytes += Array(repeating: 0, count: 60 - bytes.count) }
        return bytes
    }
}

/// One VLAN tag: IEEE 802.1Q (0x8100) or 802.1ad (0x88a8).
///
/// ```swift
/// VLANTag.customer(5, priority: 7).bytes   // 81 00 e0 05
/// ```
public struct VLANTag: Hashable, Sendable {
    /// The tag protocol identifier.
    public var protocolID: UInt16
    /// 0…7; higher bits are cut off.
    public var priority: UInt8
    /// Whether a bridge may drop the frame before others: DEI, bit 12 of the tag.
    public var isDropEligible: Bool
    /// 0…4095; higher bits are cut off.
    public var identifier: UInt16

    public init(protocolID: UInt16, identifier: UInt16, priority: UInt8 = 0, isDropEligible: Bool = false) {
        self.protocolID = protocolID
        self.priority = priority
        self.isDropEligible = isDropEligible
        self.identifier = identifier
    }

    /// An 802.1Q tag.
    public static func customer(_ identifier: UInt16, priority: UInt8 = 0) -> VLANTag {
        VLANTag(protocolID: 0x8100, identifier: identifier, priority: priority)
    }

    /// An 802.1ad tag.
    public static func service(_ identifier: UInt16, priority: UInt8 = 0) -> VLANTag {
        VLANTag(protocolID: 0x88a8, identifier: identifier, priority: priority)
    }

    /// Four octets.
    public var bytes: [UInt8] {
        octets(protocolID)
            + octets(UInt16(priority & 7) << 13 | (isDropEligible ? 0x1000 : 0) | identifier & 0xfff)
    }
}

/// An integer's octets, most significant first.
func octets(_ value: some FixedWidthInteger) -> [UInt8] {
    stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
}
