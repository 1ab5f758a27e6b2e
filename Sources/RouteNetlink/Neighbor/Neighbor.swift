import CPseudowireMNL
import Glibc
public import InternetAddress

/// Which hardware address an IP address has on a link: an ARP or neighbour discovery entry.
public struct Neighbor: Hashable, Sendable {
    public var address: IPAddress
    public var link: LinkIndex
    /// Nil while it is not known.
    public var macAddress: MACAddress?
    public var state: NeighborState
    public var flags: NeighborFlags

    public init(
        address: IPAddress, link: LinkIndex, macAddress: MACAddress?, state: NeighborState = .permanent,
        flags: NeighborFlags = []
    ) {
        self.address = address
        self.link = link
        self.macAddress = macAddress
        self.state = state
        self.flags = flags
    }
}

/// How sure the kernel is of a neighbour, `NUD_*` of `linux/neighbour.h`.
public struct NeighborState: OptionSet, Hashable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Asked for, not answered yet. The corresponding C constant is `NUD_INCOMPLETE`.
    public static let incomplete = NeighborState(rawValue: 0x01)
    /// Confirmed lately. The corresponding C constant is `NUD_REACHABLE`.
    public static let reachable = NeighborState(rawValue: 0x02)
    /// Usable, to be confirmed at the next use. The corresponding C constant is `NUD_STALE`.
    public static let stale = NeighborState(rawValue: 0x04)
    /// The corresponding C constant is `NUD_DELAY`.
    public static let delay = NeighborState(rawValue: 0x08)
    /// The corresponding C constant is `NUD_PROBE`.
    public static let probe = NeighborState(rawValue: 0x10)
    /// Nobody answered. The corresponding C constant is `NUD_FAILED`.
    public static let failed = NeighborState(rawValue: 0x20)
    /// Needs no resolution. The corresponding C constant is `NUD_NOARP`.
    public static let noARP = NeighborState(rawValue: 0x40)
    /// Set by the administrator, never expires. The corresponding C constant is `NUD_PERMANENT`.
    public static let permanent = NeighborState(rawValue: 0x80)

    /// Every state in which frames can be sent. The corresponding C constant is `NUD_VALID`.
    public static let valid: NeighborState = [.permanent, .noARP, .reachable, .probe, .stale, .delay]
}

/// Properties of a neighbour, `NTF_*`.
public struct NeighborFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The corresponding C constant is `NTF_USE`: resolve now.
    public static let use = NeighborFlags(rawValue: 0x01)
    /// The corresponding C constant is `NTF_PROXY`.
    public static let proxy = NeighborFlags(rawValue: 0x08)
    /// The corresponding C constant is `NTF_EXT_LEARNED`.
    public static let externallyLearned = NeighborFlags(rawValue: 0x10)
    /// The corresponding C constant is `NTF_ROUTER`.
    public static let router = NeighborFlags(rawValue: 0x80)
}

extension Neighbor {
    /// Reads an `RTM_NEWNEIGH` of IPv4 or IPv6; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWNEIGH else { return nil }
        try message.require(12, "ndmsg")
        guard IPAddress.Family(socketFamily: message.field(0)) != nil,
            let link = LinkIndex(message.field(4, Int32.self))
        else { return nil }
        var address: IPAddress?
        var macAddress: MACAddress?
        var cursor = message.attributes(after: 12)
        while let attribute = cursor.next() {
            switch attribute.type {
            case NDA_DST: address = attribute.ipAddress
            case NDA_LLADDR: macAddress = attribute.macAddress
            default: continue
            }
        }
        guard let address else { throw MalformedMessage(what: "a neighbour without an address") }
        self.init(
            address: address, link: link, macAddress: macAddress, state: NeighborState(rawValue: message.field(8)),
            flags: NeighborFlags(rawValue: message.field(10)))
    }
}
