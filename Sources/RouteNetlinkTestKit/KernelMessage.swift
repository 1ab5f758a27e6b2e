public import InternetAddress
public import RouteNetlink

/// A message of the kernel's about one object, for an answer or an event.
///
/// ```swift
/// KernelMessage.link(2, name: "eth0", mtu: 1500)
/// KernelMessage(.newLink, header: …, attributes: [(3, Array("eth0\0".utf8))])
/// ```
public struct KernelMessage: Hashable, Sendable {
    /// What it says: that an object is there (`new…`), or that it is gone (`delete…`).
    public var type: MessageType
    /// `NLM_F_*`; what an answer needs is added when it is sent.
    public var flags: UInt16 = 0
    /// What follows the message header, in the machine's byte order.
    public var payload: [UInt8]

    /// Any message at all, well-formed or not.
    public init(_ type: MessageType, payload: [UInt8]) {
        self.type = type
        self.payload = payload
    }

    /// A family header, as `struct ifinfomsg`, and attributes by type.
    public init(_ type: MessageType, header: [UInt8], attributes: [(type: Int, bytes: [UInt8])]) {
        self.init(type, payload: header)
        pad()
        for attribute in attributes { append(attribute.type, attribute.bytes) }
    }

    /// The same object, gone: what an event says of it.
    public var removed: KernelMessage {
        var message = self
        message.type = MessageType(rawValue: type.rawValue & ~3 | 1)
        return message
    }

    private mutating func append(_ type: Int, _ bytes: [UInt8]) {
        payload.append(native: UInt16(truncatingIfNeeded: 4 + bytes.count))
        payload.append(native: UInt16(truncatingIfNeeded: type))
        payload += bytes
        pad()
    }

    private mutating func append(_ type: Int, text: String) { append(type, Array(text.utf8) + [0]) }

    private mutating func append(_ type: Int, native value: UInt32) {
        append(type, withUnsafeBytes(of: value) { Array($0) })
    }

    private mutating func pad() {
        while payload.count % 4 != 0 { payload.append(0) }
    }

    /// The message in full.
    func bytes(sequence: UInt32, portID: UInt32, addingFlags added: UInt16 = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(native: UInt32(16 + payload.count))
        bytes.append(native: type.rawValue)
        bytes.append(native: flags | added)
        bytes.append(native: sequence)
        bytes.append(native: portID)
        return bytes + payload
    }
}

extension KernelMessage {
    /// An interface.
    public static func link(
        _ index: UInt32, name: String, kind: String? = nil, mtu: UInt32 = 1500, flags: LinkFlags = [.up, .running],
        address: MACAddress? = nil, master: UInt32? = nil, alias: String? = nil
    ) -> KernelMessage {
        // struct ifinfomsg: family, type (ARPHRD_ETHER), index, flags, change
        var header: [UInt8] = [0, 0]
        header.append(native: UInt16(1))
        header.append(native: index)
        header.append(native: flags.rawValue)
        header.append(native: UInt32(0))
        var message = KernelMessage(.newLink, payload: header)
        message.append(3, text: name)
        message.append(4, native: mtu)
        if let address { message.append(1, Array(address.bytes)) }
        if let master { message.append(10, native: master) }
        if let alias { message.append(20, text: alias) }
        if let kind {
            var info = KernelMessage(.newLink, payload: [])
            info.append(1, text: kind)
            message.append(18, info.payload)
        }
        return message
    }

    /// An IP address of an interface.
    public static func address(_ prefix: IPPrefix, on link: UInt32) -> KernelMessage {
        // struct ifaddrmsg: family, prefix length, flags (IFA_F_PERMANENT), scope, index
        var header: [UInt8] = [prefix.address.family == .v4 ? 2 : 10, prefix.length, 0x80, 0]
        header.append(native: link)
        var message = KernelMessage(.newAddress, payload: header)
        message.append(2, Array(prefix.address.bytes))
        message.append(1, Array(prefix.address.bytes))
        return message
    }

    /// A route with all that `Route` can say; like all of these, `removed` says that it is gone.
    public static func route(_ route: Route) -> KernelMessage {
        KernelMessage(.newRoute, payload: ObjectPayload.route(route))
    }

    /// A routing rule with all that `Rule` can say.
    public static func rule(_ rule: Rule) -> KernelMessage {
        KernelMessage(.newRule, payload: ObjectPayload.rule(rule))
    }

    /// An entry of ARP or neighbour discovery.
    public static func neighbor(_ neighbor: Neighbor) -> KernelMessage {
        KernelMessage(.newNeighbor, payload: ObjectPayload.neighbor(neighbor))
    }

    /// A row of a bridge's or a tunnel's forwarding database: `RTM_NEWNEIGH` of `AF_BRIDGE`.
    public static func forwarding(_ entry: ForwardingEntry) -> KernelMessage {
        KernelMessage(.newNeighbor, payload: ObjectPayload.forwarding(entry))
    }

    /// A queueing discipline.
    public static func qdisc(_ qdisc: Qdisc) -> KernelMessage {
        KernelMessage(.newQdisc, payload: ObjectPayload.qdisc(qdisc))
    }

    /// A filter of any kind.
    public static func filter(_ filter: FilterInfo, at hook: TrafficHook) -> KernelMessage {
        KernelMessage(.newFilter, payload: ObjectPayload.filter(filter, at: hook))
    }

    /// A BPF filter.
    public static func filter(_ filter: BPFFilterInfo) -> KernelMessage {
        KernelMessage(.newFilter, payload: ObjectPayload.filter(filter))
    }

    /// A next hop that the kernel keeps by number, or a group of them.
    public static func nextHop(_ hop: NextHopObject) -> KernelMessage {
        KernelMessage(.newNextHop, payload: ObjectPayload.nextHop(hop))
    }

    /// The number of another namespace.
    public static func namespaceID(_ id: NamespaceID) -> KernelMessage {
        var message = KernelMessage(.newNamespaceID, payload: [0, 0, 0, 0])
        message.append(1, native: UInt32(bitPattern: id.rawValue))
        return message
    }
}
