internal import CPseudowireMNL
internal import InternetAddress

/// Neighbour requests and replies as bytes. Source: `net/core/neighbour.c`.
enum NeighborMessage {
    static let headerLength = 12

    static func change(_ type: Int, flags: Int32, _ neighbor: Neighbor) -> Request {
        var request = Request(type, flags: flags)
        appendHeader(
            &request, neighbor.address.family, neighbor.link, state: neighbor.state.rawValue, flags: neighbor.flags)
        request.attribute(Int(NDA_DST), neighbor.address)
        if type == RTM_NEWNEIGH, let mac = neighbor.macAddress { request.attribute(Int(NDA_LLADDR), mac) }
        return request
    }

    static func list(on link: LinkIndex?) -> Request {
        var request = Request(RTM_GETNEIGH, flags: NLM_F_DUMP)
        // A strict dump takes the interface as an attribute and refuses it in the header.
        appendHeader(&request, nil, LinkIndex(rawValue: 0), state: 0, flags: 0)
        if let link { request.attribute(Int(NDA_IFINDEX), link.rawValue) }
        return request
    }

    static func parse(_ message: borrowing Message) throws(MalformedMessage) -> Neighbor? {
        guard message.type == Int(RTM_NEWNEIGH) else { return nil }
        try message.require(headerLength, "struct ndmsg")
        // Other families: bridges' forwarding entries, which have no IP address.
        guard [AF_INET, AF_INET6].contains(Int32(message.field(0, UInt8.self))) else { return nil }
        var address: IPAddress?
        var mac: MACAddress?
        var attributes = message.attributes(after: headerLength)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Int(NDA_DST): address = attribute.ipAddress
            case Int(NDA_LLADDR): mac = attribute.macAddress
            default: continue
            }
        }
        guard let address else { return nil }
        return Neighbor(
            address, on: LinkIndex(rawValue: message.field(4)), macAddress: mac,
            state: NeighborState(rawValue: message.field(8)), flags: message.field(10))
    }

    private static func appendHeader(
        _ request: inout Request, _ family: IPAddress.Family?, _ link: LinkIndex, state: UInt16, flags: UInt8
    ) {
        request.header { header in
            header.append(UInt8(family.map { $0 == .v4 ? AF_INET : AF_INET6 } ?? AF_UNSPEC))
            header.append(UInt8(0))
            header.append(UInt16(0))
            header.append(link.rawValue)
            header.append(state)
            header.append(flags)
            header.append(UInt8(0))
        }
    }
}
