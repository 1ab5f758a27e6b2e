/// What an interface has counted since it was made, `struct rtnl_link_stats64`.
///
/// The struct has grown over time; a counter that the kernel does not have reads zero.
public struct LinkStatistics: Hashable, Sendable {
    public var receivedPackets: UInt64 = 0
    public var transmittedPackets: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    public var transmittedBytes: UInt64 = 0
    public var receiveErrors: UInt64 = 0
    public var transmitErrors: UInt64 = 0
    public var receiveDropped: UInt64 = 0
    public var transmitDropped: UInt64 = 0
    public var multicast: UInt64 = 0
    public var collisions: UInt64 = 0
    public var receiveLengthErrors: UInt64 = 0
    public var receiveOverErrors: UInt64 = 0
    public var receiveCRCErrors: UInt64 = 0
    public var receiveFrameErrors: UInt64 = 0
    public var receiveFIFOErrors: UInt64 = 0
    public var receiveMissedErrors: UInt64 = 0
    public var transmitAbortedErrors: UInt64 = 0
    public var transmitCarrierErrors: UInt64 = 0
    public var transmitFIFOErrors: UInt64 = 0
    public var transmitHeartbeatErrors: UInt64 = 0
    public var transmitWindowErrors: UInt64 = 0
    public var receiveCompressed: UInt64 = 0
    public var transmitCompressed: UInt64 = 0
    /// Frames that no protocol and no classifier wanted.
    public var receiveNoHandler: UInt64 = 0
    /// Frames for another host's hardware address (Linux 5.19).
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
