/// What a message is about, `RTM_*` of `linux/rtnetlink.h`.
public struct MessageType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let newLink = MessageType(rawValue: 16)
    public static let deleteLink = MessageType(rawValue: 17)
    public static let getLink = MessageType(rawValue: 18)
    public static let setLink = MessageType(rawValue: 19)
    public static let newAddress = MessageType(rawValue: 20)
    public static let deleteAddress = MessageType(rawValue: 21)
    public static let getAddress = MessageType(rawValue: 22)
    public static let newRoute = MessageType(rawValue: 24)
    public static let deleteRoute = MessageType(rawValue: 25)
    public static let getRoute = MessageType(rawValue: 26)
    public static let newNeighbor = MessageType(rawValue: 28)
    public static let deleteNeighbor = MessageType(rawValue: 29)
    public static let getNeighbor = MessageType(rawValue: 30)
    public static let newRule = MessageType(rawValue: 32)
    public static let deleteRule = MessageType(rawValue: 33)
    public static let getRule = MessageType(rawValue: 34)
    public static let newQdisc = MessageType(rawValue: 36)
    public static let deleteQdisc = MessageType(rawValue: 37)
    public static let getQdisc = MessageType(rawValue: 38)
    public static let newFilter = MessageType(rawValue: 44)
    public static let deleteFilter = MessageType(rawValue: 45)
    public static let getFilter = MessageType(rawValue: 46)
    public static let newNamespaceID = MessageType(rawValue: 88)
    public static let deleteNamespaceID = MessageType(rawValue: 89)
    public static let getNamespaceID = MessageType(rawValue: 90)
    public static let newNextHop = MessageType(rawValue: 104)
    public static let deleteNextHop = MessageType(rawValue: 105)
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
