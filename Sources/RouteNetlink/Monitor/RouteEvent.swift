import CPseudowireMNL
import Glibc

/// Something that happened in a namespace.
///
/// The kernel says what an object is like now, not whether it is new: `present` means "add it, or put it in the place
/// of the one you know".
public enum RouteEvent: Hashable, Sendable {
    /// An interface; one that moved to another namespace is removed here.
    case link(Change, Link)
    /// An address of an interface, also when only its flags changed, as at the end of duplicate detection.
    case address(Change, InterfaceAddress)
    /// A route; the kernel does not tell of IPv4 routes that go because their interface goes down.
    case route(Change, Route)
    case rule(Change, Rule)
    /// An entry of ARP or neighbour discovery, also when only its state changed.
    case neighbor(Change, Neighbor)
    /// A row of a bridge's or a tunnel's forwarding database.
    case forwarding(Change, ForwardingEntry)
    /// A queueing discipline.
    case qdisc(Change, Qdisc)
    /// A filter with where it hangs: the interface, and `tcm_parent`.
    case filter(Change, FilterInfo, on: LinkIndex, parent: UInt32)
    /// Our number of another namespace.
    case namespaceID(Change, NamespaceID)
    /// Events were lost: read again what you keep, or forget it when the monitor includes the present, which follows.
    ///
    /// Those that were still waiting are gone too, since they are older than what you will read.
    case resynchronise
    /// What was there has been told, and changes follow: only from a monitor that was asked to include the present.
    case synchronised
    /// Something happened in another namespace, the one that the monitor's own knows by this number.
    ///
    /// Only from a monitor that listens everywhere.
    indirect case elsewhere(NamespaceID, RouteEvent)
    /// A message of this type that could not be read.
    case unrecognized(type: Int)

    /// What became of the object.
    public enum Change: Hashable, Sendable {
        /// It is there, as the event describes it: new, or changed.
        case present
        /// It is gone; the event describes it as it was.
        case removed
    }
}

extension RouteEvent {
    /// Reads a notification; nil for what is no event about an object of ours.
    init?(_ message: borrowing Message) {
        do throws(MalformedMessage) {
            guard let event = try Self.read(message) else { return nil }
            self = event
        } catch { self = .unrecognized(type: message.type) }
    }

    private static func read(_ message: borrowing Message) throws(MalformedMessage) -> RouteEvent? {
        // Types come in fours: new, delete, get, set. The readers know the first.
        let kind = message.type & ~3
        guard kind >= Int(RTM_NEWLINK), message.type & 3 <= 1 else { return nil }
        let change: Change = message.type & 3 == 0 ? .present : .removed
        let object = Message(
            type: kind, flags: message.flags, sequence: message.sequence, portID: message.portID,
            payload: message.payload)
        switch kind {
        case Int(RTM_NEWLINK):
            // A bridge tells of its ports by messages of its own family: their end is not the link's.
            guard object.field(0, UInt8.self) == UInt8(AF_UNSPEC) else { return nil }
            return try Link(object).map { .link(change, $0) }
        case Int(RTM_NEWADDR): return try InterfaceAddress(object).map { .address(change, $0) }
        case Int(RTM_NEWROUTE): return try Route(object).map { .route(change, $0) }
        case Int(RTM_NEWRULE): return try Rule(object).map { .rule(change, $0) }
        case Int(RTM_NEWNEIGH):
            if let entry = try ForwardingEntry(object) { return .forwarding(change, entry) }
            return try Neighbor(object).map { .neighbor(change, $0) }
        case Int(RTM_NEWQDISC): return try Qdisc(object).map { .qdisc(change, $0) }
        case Int(RTM_NEWTFILTER):
            guard let filter = try FilterInfo(object), let link = LinkIndex(object.field(4, Int32.self)) else {
                return nil
            }
            return .filter(change, filter, on: link, parent: object.field(12))
        case Int(RTM_NEWNSID): return try NamespaceID(object).map { .namespaceID(change, $0) }
        default: return nil
        }
    }
}
