/// Properties of a neighbour, `NTF_*`.
public struct NeighborFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The corresponding C constant is `NTF_USE`: resolve now.
    public static let use = NeighborFlags(rawValue: 0x01)
    /// This host answers for the address, which is elsewhere.
    ///
    /// The corresponding C constant is `NTF_PROXY`.
    public static let proxy = NeighborFlags(rawValue: 0x08)
    /// Learned by somebody else than the kernel, which does not throw it away for lack of room.
    ///
    /// The corresponding C constant is `NTF_EXT_LEARNED`.
    public static let externallyLearned = NeighborFlags(rawValue: 0x10)
    /// IPv6: it says that it is a router.
    ///
    /// The corresponding C constant is `NTF_ROUTER`.
    public static let router = NeighborFlags(rawValue: 0x80)
}
