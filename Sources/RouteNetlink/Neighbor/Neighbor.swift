import CPseudowireMNL
import Glibc
public import InternetAddress

/// Which hardware address an IP address has on a link: an ARP or neighbour discovery entry.
public struct Neighbor: Hashable, Sendable {
    /// IPv4 or IPv6; an address has one entry on each link.
    public var address: IPAddress
    /// The interface behind which it is.
    public var link: LinkIndex
    /// Nil while it is not known.
    public var macAddress: MACAddress?
    /// How sure the kernel is; what is added is `permanent` unless stated.
    public var state: NeighborState
    /// Properties of the entry; as `proxy` it is one of those that `Neighbors.listProxies` lists.
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
