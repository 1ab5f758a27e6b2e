/// Properties of an address, `IFA_F_*` of `linux/if_addr.h`.
public struct AddressFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IPv4: not the first of its network.
    ///
    /// IPv6: temporary. The corresponding C constant is `IFA_F_SECONDARY`.
    public static let secondary = AddressFlags(rawValue: 0x01)
    /// IPv6: usable at once.
    ///
    /// The corresponding C constant is `IFA_F_NODAD`.
    public static let noDuplicateDetection = AddressFlags(rawValue: 0x02)
    /// IPv6: usable, if there is no other, while duplicate detection is still running (RFC 4429).
    ///
    /// The corresponding C constant is `IFA_F_OPTIMISTIC`.
    public static let optimistic = AddressFlags(rawValue: 0x04)
    /// Somebody else has the address.
    ///
    /// The corresponding C constant is `IFA_F_DADFAILED`.
    public static let duplicate = AddressFlags(rawValue: 0x08)
    /// Not chosen for new connections any more.
    ///
    /// The corresponding C constant is `IFA_F_DEPRECATED`.
    public static let deprecated = AddressFlags(rawValue: 0x20)
    /// Duplicate detection is still running.
    ///
    /// The corresponding C constant is `IFA_F_TENTATIVE`.
    public static let tentative = AddressFlags(rawValue: 0x40)
    /// It does not expire.
    ///
    /// The corresponding C constant is `IFA_F_PERMANENT`.
    public static let permanent = AddressFlags(rawValue: 0x80)
    /// IPv6: the kernel makes temporary addresses from its prefix (RFC 8981).
    ///
    /// The corresponding C constant is `IFA_F_MANAGETEMPADDR`.
    public static let manageTemporary = AddressFlags(rawValue: 0x100)
    /// The kernel makes no route to its network.
    ///
    /// The corresponding C constant is `IFA_F_NOPREFIXROUTE`.
    public static let noPrefixRoute = AddressFlags(rawValue: 0x200)
}
