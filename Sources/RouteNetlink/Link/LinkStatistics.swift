/// What an interface has counted since it was made, `struct rtnl_link_stats64`.
///
/// Each driver counts for itself: what does not happen to it, as a collision to a veth, stays zero. The struct has
/// grown over time; a counter that the kernel does not have reads zero. Source: `linux/if_link.h`.
public struct LinkStatistics: Hashable, Sendable {
    /// Good packets, those included that the host dropped later; of a card what it handed to the host.
    ///
    /// The corresponding C field is `rx_packets`.
    public var receivedPackets: UInt64 = 0
    /// Packets that the device took; whether a card has put them on the wire by then it does not say.
    ///
    /// The corresponding C field is `tx_packets`.
    public var transmittedPackets: UInt64 = 0
    /// Octets of `receivedPackets`: of Ethernet frames header and payload, without the FCS.
    ///
    /// The corresponding C field is `rx_bytes`.
    public var receivedBytes: UInt64 = 0
    /// Octets of `transmittedPackets`, counted like `receivedBytes`.
    ///
    /// The corresponding C field is `tx_bytes`.
    public var transmittedBytes: UInt64 = 0
    /// Bad packets: wrong lengths, checksums and alignments, and whatever has no counter of its own.
    ///
    /// The corresponding C field is `rx_errors`.
    public var receiveErrors: UInt64 = 0
    /// Packets that could not be sent: the sum of the transmit errors below, and whatever has no counter of its own.
    ///
    /// The corresponding C field is `tx_errors`.
    public var transmitErrors: UInt64 = 0
    /// Packets that arrived and were not processed, for lack of memory or of a protocol that wanted them.
    ///
    /// What a card drops because the host is too slow is in `receiveMissedErrors`. The corresponding C field is
    /// `rx_dropped`.
    public var receiveDropped: UInt64 = 0
    /// Packets dropped on their way to the device, as for lack of memory.
    ///
    /// The corresponding C field is `tx_dropped`.
    public var transmitDropped: UInt64 = 0
    /// Multicast packets received; a card may count those too that never reached the host.
    ///
    /// The corresponding C field is `multicast`.
    public var multicast: UInt64 = 0
    /// Collisions during transmission, of half-duplex Ethernet.
    ///
    /// The corresponding C field is `collisions`.
    public var collisions: UInt64 = 0
    /// Packets of a wrong length, as too short or too long; part of `receiveErrors`.
    ///
    /// The corresponding C field is `rx_length_errors`.
    public var receiveLengthErrors: UInt64 = 0
    /// Packets that did not fit into the buffers which the host had provided; of a card only.
    ///
    /// Some old drivers count in `receiveFIFOErrors` instead. The corresponding C field is `rx_over_errors`.
    public var receiveOverErrors: UInt64 = 0
    /// Packets with a wrong CRC, of Ethernet the FCS; part of `receiveErrors`.
    ///
    /// The corresponding C field is `rx_crc_errors`.
    public var receiveCRCErrors: UInt64 = 0
    /// Frames that do not end at an octet's boundary; part of `receiveErrors`.
    ///
    /// The corresponding C field is `rx_frame_errors`.
    public var receiveFrameErrors: UInt64 = 0
    /// Overflows of the receiver's queue; some virtual devices count sequence errors here, as GRE.
    ///
    /// The corresponding C field is `rx_fifo_errors`.
    public var receiveFIFOErrors: UInt64 = 0
    /// Packets that the card had no room for, since the host did not keep up; `/proc/net/dev` counts them as dropped.
    ///
    /// The corresponding C field is `rx_missed_errors`.
    public var receiveMissedErrors: UInt64 = 0
    /// Frames given up after too many collisions; fast cards may count whatever they discard.
    ///
    /// The corresponding C field is `tx_aborted_errors`.
    public var transmitAbortedErrors: UInt64 = 0
    /// Frames lost because the carrier went while they were sent.
    ///
    /// The corresponding C field is `tx_carrier_errors`.
    public var transmitCarrierErrors: UInt64 = 0
    /// Frames begun that the device did not get in time from the host: underruns.
    ///
    /// The corresponding C field is `tx_fifo_errors`.
    public var transmitFIFOErrors: UInt64 = 0
    /// Failed SQE tests, of old half-duplex Ethernet.
    ///
    /// The corresponding C field is `tx_heartbeat_errors`.
    public var transmitHeartbeatErrors: UInt64 = 0
    /// Frames lost by a collision after their first 64 octets, of half-duplex Ethernet.
    ///
    /// The corresponding C field is `tx_window_errors`.
    public var transmitWindowErrors: UInt64 = 0
    /// Compressed packets received, where the link compresses, as PPP can.
    ///
    /// The corresponding C field is `rx_compressed`.
    public var receiveCompressed: UInt64 = 0
    /// Compressed packets sent, where the link compresses, as PPP can.
    ///
    /// The corresponding C field is `tx_compressed`.
    public var transmitCompressed: UInt64 = 0
    /// Packets that came to an interface which is not to receive, as the backup of a bond, and that nobody wanted
    /// there.
    ///
    /// Those that nobody wanted at any other interface are in `receiveDropped`. The corresponding C field is
    /// `rx_nohandler`.
    public var receiveNoHandler: UInt64 = 0
    /// Packets for another host's hardware address (Linux 5.19).
    ///
    /// The corresponding C field is `rx_otherhost_dropped`.
    public var receiveOtherHost: UInt64 = 0

    public init() {}

    init(_ bytes: RawSpan) {
        func counter(_ index: Int) -> UInt64 { bytes.integer(at: 8 * index) ?? 0 }
        receivedPackets = counter(0)
        transmittedPackets = counter(1)
        receivedBytes = counter(2)
        transmittedBytes = counter(3)
        receiveErrors = counter(4)
        transmitErrors = counter(5)
        receiveDropped = counter(6)
        transmitDropped = counter(7)
        multicast = counter(8)
        collisions = counter(9)
        receiveLengthErrors = counter(10)
        receiveOverErrors = counter(11)
        receiveCRCErrors = counter(12)
        receiveFrameErrors = counter(13)
        receiveFIFOErrors = counter(14)
        receiveMissedErrors = counter(15)
        transmitAbortedErrors = counter(16)
        transmitCarrierErrors = counter(17)
        transmitFIFOErrors = counter(18)
        transmitHeartbeatErrors = counter(19)
        transmitWindowErrors = counter(20)
        receiveCompressed = counter(21)
        transmitCompressed = counter(22)
        receiveNoHandler = counter(23)
        receiveOtherHost = counter(24)
    }
}
