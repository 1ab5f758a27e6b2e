import CPseudowireMNL
import Glibc
public import InternetAddress

/// Behind which port a hardware address is: a row of a forwarding database, `bridge fdb`.
///
/// ```swift
/// try client.neighbors.addForwarding(ForwardingEntry("02:00:00:00:00:09", port: port.index))
/// ```
public struct ForwardingEntry: Hashable, Sendable {
    /// Whose database a row is in.
    public enum Database: Hashable, Sendable {
        /// That of the bridge that the port belongs to, `NTF_MASTER`.
        case master
        /// That of the interface itself, as a VXLAN has one, `NTF_SELF`.
        case own
    }

    /// The hardware address; of a VXLAN's row all zeros stand for every address that it does not know.
    public var macAddress: MACAddress
    /// The interface that frames for the address leave by.
    public var port: LinkIndex
    /// Whose database the row is in: the bridge's unless stated.
    public var database: Database
    /// `noARP` is iproute2's *static*; `permanent` is the port's own address, delivered here.
    public var state: NeighborState
    /// Nil for every VLAN.
    public var vlan: UInt16?
    /// The tunnel's far end, of a VXLAN's row.
    public var remote: IPAddress?

    public init(
        _ macAddress: MACAddress, port: LinkIndex, in database: Database = .master,
        state: NeighborState = [.noARP, .reachable], vlan: UInt16? = nil, remote: IPAddress? = nil
    ) {
        self.macAddress = macAddress
        self.port = port
        self.database = database
        self.state = state
        self.vlan = vlan
        self.remote = remote
    }
}

extension ForwardingEntry {
    /// `NTF_SELF` and `NTF_MASTER`.
    private static let ownFlag: UInt8 = 0x02
    private static let masterFlag: UInt8 = 0x04

    func request(_ type: Int, _ flags: Int32) -> Request {
        var request = Request(type, flags: flags)
        request.neighborHeader(
            UInt8(AF_BRIDGE), port, type == Int(RTM_DELNEIGH) ? [] : state,
            NeighborFlags(rawValue: database == .own ? Self.ownFlag : Self.masterFlag))
        request.attribute(NDA_LLADDR, macAddress)
        if let remote { request.attribute(NDA_DST, remote) }
        if let vlan { request.attribute(NDA_VLAN, vlan) }
        return request
    }

    /// Reads an `RTM_NEWNEIGH` of a forwarding database; nil for anything else.
    init?(_ message: borrowing Message) throws(MalformedMessage) {
        guard message.type == RTM_NEWNEIGH else { return nil }
        try message.require(12, "ndmsg")
        guard message.field(0, UInt8.self) == UInt8(AF_BRIDGE), let port = LinkIndex(message.field(4, Int32.self))
        else { return nil }
        var address: MACAddress?
        var vlan: UInt16?
        var remote: IPAddress?
        var cursor = message.attributes(after: 12)
        while let attribute = cursor.next() {
            switch attribute.type {
            case NDA_LLADDR: address = attribute.macAddress
            case NDA_DST: remote = attribute.ipAddress
            case NDA_VLAN: vlan = try attribute.integer()
            default: continue
            }
        }
        guard let address else { return nil }
        self.init(
            address, port: port, in: message.field(10, UInt8.self) & Self.ownFlag != 0 ? .own : .master,
            state: NeighborState(rawValue: message.field(8)), vlan: vlan, remote: remote)
    }
}

extension Neighbors {
    /// Adds a row to a forwarding database.
    ///
    /// - Throws: `isAlreadyPresent` when the database has the address.
    public func addForwarding(_ entry: ForwardingEntry) throws(NetlinkError) {
        try perform(entry, Int(RTM_NEWNEIGH), createNew, "add")
    }

    /// Adds a row, or moves the address to another port.
    public func replaceForwarding(_ entry: ForwardingEntry) throws(NetlinkError) {
        try perform(entry, Int(RTM_NEWNEIGH), createOrReplace, "replace")
    }

    /// Adds one more far end to an address that a VXLAN knows, as the all-zero one for flooding.
    public func appendForwarding(_ entry: ForwardingEntry) throws(NetlinkError) {
        try perform(entry, Int(RTM_NEWNEIGH), NLM_F_CREATE | NLM_F_APPEND, "append")
    }

    /// Deletes a row.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func deleteForwarding(_ entry: ForwardingEntry) throws(NetlinkError) {
        try perform(entry, Int(RTM_DELNEIGH), 0, "delete")
    }

    /// The rows of all forwarding databases, or those of one port.
    public func listForwarding(on port: LinkIndex? = nil) throws(NetlinkError) -> [ForwardingEntry] {
        let request = NeighborRequest.list(UInt8(AF_BRIDGE), on: nil)
        let found = try client.socket.dump(request, .neighbor, "list forwarding entries") {
            message throws(MalformedMessage) in try ForwardingEntry(message)
        }
        guard let port else { return found }
        return found.filter { $0.port == port }
    }

    private func perform(
        _ entry: ForwardingEntry, _ type: Int, _ flags: Int32, _ verb: StaticString
    ) throws(NetlinkError) {
        try client.socket.perform(
            entry.request(type, flags), .neighbor,
            "\(verb) forwarding entry \(entry.macAddress) on link \(entry.port)")
    }
}
