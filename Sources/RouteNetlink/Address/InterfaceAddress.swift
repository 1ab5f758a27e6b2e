import CPseudowireMNL
import Glibc
public import InternetAddress

/// An IP address of an interface.
public struct InterfaceAddress: Hashable, Sendable {
    /// The interface that has it.
    public var link: LinkIndex
    /// The address with the length of its network.
    public var prefix: IPPrefix
    /// The far end of a point-to-point address; nil for an ordinary one.
    public var peer: IPAddress?
    /// IPv4 only; nil of an address that was added without, as `Addresses.add` does.
    public var broadcast: IPAddress?
    /// What is special about it, and how far IPv6's duplicate detection has come.
    public var flags: AddressFlags = []
    /// How far it reaches; of an IPv6 address the kernel derives it from the address.
    public var scope: Scope = .universe
    /// IPv4 only: the interface's name, perhaps with a suffix.
    public var label: String?
}

extension InterfaceAddress {
    /// Reads an `RTM_NEWADDR` of IPv4 or IPv6; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWADDR else { return nil }
        try message.require(8, "ifaddrmsg")
        guard let family = IPAddress.Family(socketFamily: message.field(0)) else { return nil }
        guard let link = LinkIndex(message.field(4, Int32.self)) else {
            throw MalformedMessage(what: "an address without an interface")
        }
        var local: IPAddress?
        var address: IPAddress?
        var broadcast: IPAddress?
        var label: String?
        var flags = AddressFlags(rawValue: UInt32(message.field(2, UInt8.self)))
        var cursor = message.attributes(after: 8)
        while let attribute = cursor.next() {
            switch attribute.type {
            case IFA_LOCAL: local = attribute.ipAddress
            case IFA_ADDRESS: address = attribute.ipAddress
            case IFA_BROADCAST: broadcast = attribute.ipAddress
            case IFA_LABEL: label = attribute.text
            // The header has room for the lower eight of them only.
            case IFA_FLAGS: flags = AddressFlags(rawValue: try attribute.integer())
            default: continue
            }
        }
        // IFA_LOCAL is ours; IFA_ADDRESS is the far end, or ours too.
        let ours: IPAddress? = if let local { local } else { address }
        guard let own = ours, own.family == family,
            let prefix = IPPrefix(own, length: message.field(1))
        else { throw MalformedMessage(what: "an interface address without an address") }
        var peer: IPAddress?
        if let address, address != own { peer = address }
        self.init(
            link: link, prefix: prefix, peer: peer, broadcast: broadcast, flags: flags,
            scope: Scope(rawValue: message.field(3)), label: label)
    }
}
