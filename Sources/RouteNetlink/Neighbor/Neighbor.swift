public import InternetAddress

/// Who has an address on a link: an entry of the ARP or neighbour discovery table.
public struct Neighbor: Hashable, Sendable {
    public var address: IPAddress
    public var link: LinkIndex
    /// Nil while it is being asked for.
    public var macAddress: MACAddress?
    public var state: NeighborState
    /// The corresponding C constants are `NTF_*`.
    public var flags: UInt8

    public init(
        _ address: IPAddress, on link: LinkIndex, macAddress: MACAddress?, state: NeighborState = .permanent,
        flags: UInt8 = 0
    ) {
        self.address = address
        self.link = link
        self.macAddress = macAddress
        self.state = state
        self.flags = flags
    }
}

/// How far an entry can be trusted. The corresponding C constants are `NUD_*` (`linux/neighbour.h`).
public struct NeighborState: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public static let incomplete = NeighborState(rawValue: 0x01)
    public static let reachable = NeighborState(rawValue: 0x02)
    public static let stale = NeighborState(rawValue: 0x04)
    public static let delay = NeighborState(rawValue: 0x08)
    public static let probe = NeighborState(rawValue: 0x10)
    public static let failed = NeighborState(rawValue: 0x20)
    public static let noARP = NeighborState(rawValue: 0x40)
    /// Set by an administrator, never forgotten.
    public static let permanent = NeighborState(rawValue: 0x80)
}
