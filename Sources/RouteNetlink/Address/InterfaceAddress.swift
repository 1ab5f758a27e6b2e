public import InternetAddress

/// An address of an interface.
public struct InterfaceAddress: Hashable, Sendable {
    /// With the length of the network that it makes reachable.
    public var prefix: IPPrefix
    public var link: LinkIndex
    /// The other end's address on a point-to-point link.
    public var peer: IPAddress?
    public var flags: AddressFlags
    /// The corresponding C constants are `RT_SCOPE_*`; 0 is everywhere.
    public var scope: UInt8
    /// The interface's name at the time, or an alias of it; IPv4 only.
    public var label: String?
}

/// An address's flags. The corresponding C constants are `IFA_F_*` (`linux/if_addr.h`).
public struct AddressFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Usable at once, without asking whether somebody else has it: `IFA_F_NODAD`. IPv6.
    public static let noDuplicateDetection = AddressFlags(rawValue: 0x02)
    /// Somebody else has it: `IFA_F_DADFAILED`.
    public static let duplicate = AddressFlags(rawValue: 0x08)
    /// Not usable yet: `IFA_F_TENTATIVE`.
    public static let tentative = AddressFlags(rawValue: 0x40)
    /// `IFA_F_PERMANENT`.
    public static let permanent = AddressFlags(rawValue: 0x80)
    /// Does not make its network reachable: `IFA_F_NOPREFIXROUTE`.
    public static let noPrefixRoute = AddressFlags(rawValue: 0x200)
}
