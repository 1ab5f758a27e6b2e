import CPseudowireMNL
import Glibc
import InternetAddress

/// The requests about neighbours, as bytes.
enum NeighborRequest {
    static func change(_ flags: Int32, _ neighbor: Neighbor) -> Request {
        var request = Request(Int(RTM_NEWNEIGH), flags: flags)
        request.neighborHeader(
            neighbor.address.family.socketFamily, neighbor.link, neighbor.state, neighbor.flags)
        request.attribute(NDA_DST, neighbor.address)
        if let mac = neighbor.macAddress { request.attribute(NDA_LLADDR, mac) }
        return request
    }

    /// A deletion or a query.
    static func name(_ type: Int, _ address: IPAddress, _ link: LinkIndex, _ flags: NeighborFlags = []) -> Request {
        var request = Request(type)
        request.neighborHeader(address.family.socketFamily, link, [], flags)
        request.attribute(NDA_DST, address)
        return request
    }

    static func list(_ family: UInt8, on link: LinkIndex?, _ flags: NeighborFlags = []) -> Request {
        var request = Request(Int(RTM_GETNEIGH), flags: NLM_F_DUMP_FLAGS)
        // Strict checking wants the header empty but for the proxies' flag: the interface is named by an attribute.
        request.neighborHeader(family, nil, [], flags)
        if let link { request.attribute(NDA_IFINDEX, link.rawValue) }
        return request
    }
}

extension Request {
    /// Appends `struct ndmsg`.
    mutating func neighborHeader(
        _ family: UInt8, _ link: LinkIndex?, _ state: NeighborState, _ flags: NeighborFlags
    ) {
        header {
            $0.append(family)
            $0.append(UInt8(0))
            $0.append(UInt16(0))
            $0.append(link?.header ?? 0)
            $0.append(state.rawValue)
            $0.append(flags.rawValue)
            $0.append(UInt8(0))
        }
    }
}
