import CPseudowireLinux

/// A frame that a `FrameTap` has seen.
public struct CapturedFrame: Hashable, Sendable {
    /// Ethernet header to payload, without FCS; a VLAN tag that the kernel kept beside the frame is back in its place.
    public let bytes: [UInt8]
    /// Nanoseconds since 1970.
    public let timestamp: UInt64
    /// The interface sent it, rather than received it.
    public let isOutgoing: Bool
    /// The outermost VLAN tag was not among the octets, as hardware acceleration leaves it (`TP_STATUS_VLAN_VALID`).
    public let hadTagBeside: Bool
    /// What is still to be done before the frame is what a wire would carry; nil: nothing is.
    public let offload: Offload?

    /// How many frames a wire would carry in its place.
    public var segmentCount: Int {
        guard let offload, offload.segmentation != .none, offload.segmentSize > 0 else { return 1 }
        let payload = max(1, bytes.count - Int(offload.headerLength))
        return (payload + Int(offload.segmentSize) - 1) / Int(offload.segmentSize)
    }

    init(_ received: ArraySlice<UInt8>, _ notes: pseudowire_frame_notes) {
        var bytes = Array(received)
        var shift: UInt16 = 0
        if notes.tag_protocol != 0, bytes.count >= 12 {
            bytes.insert(contentsOf: octets(notes.tag_protocol) + octets(notes.tag_control), at: 12)
            shift = 4
        }
        self.bytes = bytes
        timestamp = notes.nanoseconds
        isOutgoing = notes.is_outgoing != 0
        hadTagBeside = shift != 0
        if notes.needs_checksum != 0 || notes.segmentation != 0 {
            let segmentation = Offload.Segmentation(rawValue: notes.segmentation)
            let start = notes.checksum_start &+ shift
            // The kernel tells how many octets lie in one piece, which is more than the headers, often all of it.
            let told = notes.header_length &+ shift
            offload = Offload(
                checksumStart: start, checksumOffset: notes.checksum_offset, segmentation: segmentation,
                segmentSize: notes.segment_size,
                headerLength: Self.headerLength(bytes, transport: Int(start), segmentation) ?? told)
        } else {
            offload = nil
        }
    }

    /// Where the payload of a frame begins that is to be cut, from the transport header's own word for it.
    private static func headerLength(
        _ bytes: [UInt8], transport: Int, _ segmentation: Offload.Segmentation
    ) -> UInt16? {
        switch segmentation {
        case .tcp4, .tcp6:
            bytes.count > transport + 12 ? UInt16(exactly: transport + Int(bytes[transport + 12] >> 4) * 4) : nil
        case .udp: UInt16(exactly: transport + 8)
        default: nil
        }
    }
}

/// Work on a frame that a sender has left to whoever puts it on a wire.
///
/// ```swift
/// frame.offload == nil                            // complete as it is
/// frame.offload?.segmentation == .tcp4            // one large frame in place of many
/// ```
///
/// The corresponding C type is `struct virtio_net_hdr`. Offsets are octets from the start of the Ethernet header.
public struct Offload: Hashable, Sendable {
    /// Where the transport header begins, from which on the checksum is summed.
    public var checksumStart: UInt16
    /// Where the checksum goes, from there on: 16 in TCP, 6 in UDP.
    public var checksumOffset: UInt16
    /// How it is to be cut; `none` of a frame that lacks its checksum only.
    public var segmentation: Segmentation
    /// Octets of payload in each segment but the last; 0 without segmentation.
    public var segmentSize: UInt16
    /// Octets from the Ethernet header to the payload.
    public var headerLength: UInt16

    public init(
        checksumStart: UInt16, checksumOffset: UInt16, segmentation: Segmentation = .none, segmentSize: UInt16 = 0,
        headerLength: UInt16 = 0
    ) {
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
        self.segmentation = segmentation
        self.segmentSize = segmentSize
        self.headerLength = headerLength
    }

    /// How a large frame is to be cut.
    public struct Segmentation: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Not at all.
        ///
        /// The corresponding C constant is `VIRTIO_NET_HDR_GSO_NONE`.
        public static let none = Segmentation(rawValue: 0)
        /// TCP over IPv4.
        ///
        /// The corresponding C constant is `VIRTIO_NET_HDR_GSO_TCPV4`.
        public static let tcp4 = Segmentation(rawValue: 1)
        /// TCP over IPv6.
        ///
        /// The corresponding C constant is `VIRTIO_NET_HDR_GSO_TCPV6`.
        public static let tcp6 = Segmentation(rawValue: 4)
        /// UDP into datagrams.
        ///
        /// The corresponding C constant is `VIRTIO_NET_HDR_GSO_UDP_L4`.
        public static let udp = Segmentation(rawValue: 5)
    }
}
