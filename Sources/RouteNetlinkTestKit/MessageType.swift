/// What a message is about, `RTM_*` of `linux/rtnetlink.h`.
public struct MessageType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The corresponding C constant is `RTM_NEWLINK`.
    public static let newLink = MessageType(rawValue: 16)
    /// The corresponding C constant is `RTM_DELLINK`.
    public static let deleteLink = MessageType(rawValue: 17)
    /// The corresponding C constant is `RTM_GETLINK`.
    public static let getLink = MessageType(rawValue: 18)
    /// The corresponding C constant is `RTM_SETLINK`.
    public static let setLink = MessageType(rawValue: 19)
    /// The corresponding C constant is `RTM_NEWADDR`.
    public static let newAddress = MessageType(rawValue: 20)
    /// The corresponding C constant is `RTM_DELADDR`.
    public static let deleteAddress = MessageType(rawValue: 21)
    /// The corresponding C constant is `RTM_GETADDR`.
    public static let getAddress = MessageType(rawValue: 22)
    /// The corresponding C constant is `RTM_NEWROUTE`.
    public static let newRoute = MessageType(rawValue: 24)
    /// The corresponding C constant is `RTM_DELROUTE`.
    public static let deleteRoute = MessageType(rawValue: 25)
    /// The corresponding C constant is `RTM_GETROUTE`.
    public static let getRoute = MessageType(rawValue: 26)
    /// The corresponding C constant is `RTM_NEWNEIGH`.
    public static let newNeighbor = MessageType(rawValue: 28)
    /// The corresponding C constant is `RTM_DELNEIGH`.
    public static let deleteNeighbor = MessageType(rawValue: 29)
    /// The corresponding C constant is `RTM_GETNEIGH`.
    public static let getNeighbor = MessageType(rawValue: 30)
    /// The corresponding C constant is `RTM_NEWRULE`.
    public static let newRule = MessageType(rawValue: 32)
    /// The corresponding C constant is `RTM_DELRULE`.
    public static let deleteRule = MessageType(rawValue: 33)
    /// The corresponding C constant is `RTM_GETRULE`.
    public static let getRule = MessageType(rawValue: 34)
    /// The corresponding C constant is `RTM_NEWQDISC`.
    public static let newQdisc = MessageType(rawValue: 36)
    /// The corresponding C constant is `RTM_DELQDISC`.
    public static let deleteQdisc = MessageType(rawValue: 37)
    /// The corresponding C constant is `RTM_GETQDISC`.
    public static let getQdisc = MessageType(rawValue: 38)
    /// The corresponding C constant is `RTM_NEWTFILTER`.
    public static let newFilter = MessageType(rawValue: 44)
    /// The corresponding C constant is `RTM_DELTFILTER`.
    public static let deleteFilter = MessageType(rawValue: 45)
    /// The corresponding C constant is `RTM_GETTFILTER`.
    public static let getFilter = MessageType(rawValue: 46)
    /// The corresponding C constant is `RTM_NEWNSID`.
    public static let newNamespaceID = MessageType(rawValue: 88)
    /// The corresponding C constant is `RTM_DELNSID`.
    public static let deleteNamespaceID = MessageType(rawValue: 89)
    /// The corresponding C constant is `RTM_GETNSID`.
    public static let getNamespaceID = MessageType(rawValue: 90)
    /// The corresponding C constant is `RTM_NEWNEXTHOP`.
    public static let newNextHop = MessageType(rawValue: 104)
    /// The corresponding C constant is `RTM_DELNEXTHOP`.
    public static let deleteNextHop = MessageType(rawValue: 105)
    /// The corresponding C constant is `RTM_GETNEXTHOP`.
    public static let getNextHop = MessageType(rawValue: 106)

    /// Verb and object; a number for what has no name here.
    public var description: String {
        let verbs = ["new", "delete", "get", "set"]
        let objects: [UInt16: String] = [
            16: "link", 20: "address", 24: "route", 28: "neighbor", 32: "rule", 36: "qdisc", 44: "filter",
            88: "namespace ID", 104: "next hop",
        ]
        guard let object = objects[rawValue & ~3] else { return "message of type \(rawValue)" }
        return "\(verbs[Int(rawValue & 3)]) \(object)"
    }

    /// Bytes of the struct between message header and attributes, padded to four.
    var headerLength: Int {
        switch rawValue & ~3 {
        case 16: 16
        case 20, 104: 8
        case 24, 28, 32: 12
        case 36, 40, 44: 20
        default: 4
        }
    }
}
