import CPseudowireMNL
import Glibc
public import InternetAddress

/// An IP address of an interface.
public struct InterfaceAddress: Hashable, Sendable {
    public var link: LinkIndex
    /// The address with the length of its network.
    public var prefix: IPPrefix
    /// The far end of a point-to-point address; nil for an ordinary one.
    public var peer: IPAddress?
    public var broadcast: IPAddress?
    public var flags: AddressFlags = []
    public var scope: Scope = .universe
    /// IPv4 only: the interface's name, perhaps with a suffix.
    public var label: String?
}

/// Properties of an address, `IFA_F_*` of `linux/if_addr.h`.
public struct AddressFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IPv4: not the first of its network. IPv6: temporary. The corresponding C constant is `IFA_F_SECONDARY`.
    public static let secondary = AddressFlags(rawValue: 0x01)
    /// IPv6: usable at once. The corresponding C constant is `IFA_F_NODAD`.
    public static let noDuplicateDetection = AddressFlags(rawValue: 0x02)
    /// The corresponding C constant is `IFA_F_OPTIMISTIC`.
    public static let optimistic = AddressFlags(rawValue: 0x04)
    /// Somebody else has the address. The corresponding C constant is `IFA_F_DADFAILED`.
    public static let duplicate = AddressFlags(rawValue: 0x08)
    /// The corresponding C constant is `IFA_F_DEPRECATED`.
    public static let deprecated = AddressFlags(rawValue: 0x20)
    /// Duplicate detection is still running. The corresponding C constant is `IFA_F_TENTATIVE`.
    public static let tentative = AddressFlags(rawValue: 0x40)
    /// The corresponding C constant is `IFA_F_PERMANENT`.
    public static let permanent = AddressFlags(rawValue: 0x80)
    /// The corresponding C constant is `IFA_F_MANAGETEMPADDR`.
    public static let manageTemporary = AddressFlags(rawValue: 0x100)
    /// The kernel makes no route to its network. The corresponding C constant is `IFA_F_NOPREFIXROUTE`.
    public static let noPrefixRoute = AddressFlags(rawValue: 0x200)
}

/// How far an address or a route reaches, `enum rt_scope_t`.
public struct Scope: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Everywhere. The corresponding C constant is `RT_SCOPE_UNIVERSE`.
    public static let universe = Scope(rawValue: 0)
    /// The corresponding C constant is `RT_SCOPE_SITE`.
    public static let site = Scope(rawValue: 200)
    /// Neighbours on the link. The corresponding C constant is `RT_SCOPE_LINK`.
    public static let link = Scope(rawValue: 253)
    /// This host. The corresponding C constant is `RT_SCOPE_HOST`.
    public static let host = Scope(rawValue: 254)
    /// In a deletion: any. The corresponding C constant is `RT_SCOPE_NOWHERE`.
    public static let nowhere = Scope(rawValue: 255)
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
        guard let own = local ?? address, own.family == family,
            let prefix = IPPrefix(own, length: message.field(1))
        else { throw MalformedMessage(what: "an interface address without an address") }
        self.init(
            link: link, prefix: prefix, peer: address == own ? nil : address, broadcast: broadcast, flags: flags,
            scope: Scope(rawValue: message.field(3)), label: label)
    }
}
