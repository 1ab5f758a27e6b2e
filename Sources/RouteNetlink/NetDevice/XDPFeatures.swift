/// What an interface's driver can do for XDP programs (Linux 6.3).
///
/// ```swift
/// if let features = try client.links.xdpFeatures(index), features.contains([.native, .transmit]) {
///     print("programs run in the driver, and it sends what is redirected to it")
/// }
/// ```
///
/// Not constant: a veth takes redirected frames only while its other end has GRO on or an XDP program. The
/// corresponding C constants are `NETDEV_XDP_ACT_*`.
public struct XDPFeatures: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Programs run in the driver, and may drop, pass and send back (`BASIC`).
    public static let native = XDPFeatures(rawValue: 1 << 0)
    /// Its programs may redirect frames to other interfaces.
    public static let redirect = XDPFeatures(rawValue: 1 << 1)
    /// It sends what the programs of other interfaces redirect to it (`NDO_XMIT`); without, that is lost.
    public static let transmit = XDPFeatures(rawValue: 1 << 2)
    /// It shares memory with sockets of `AF_XDP`.
    public static let zeroCopy = XDPFeatures(rawValue: 1 << 3)
    /// The network card can run them itself.
    public static let hardware = XDPFeatures(rawValue: 1 << 4)
    /// Its programs may be given frames in several buffers.
    public static let receiveScattered = XDPFeatures(rawValue: 1 << 5)
    /// It sends redirected frames in several buffers.
    public static let transmitScattered = XDPFeatures(rawValue: 1 << 6)
}
