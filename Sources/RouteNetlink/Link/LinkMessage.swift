internal import CPseudowireMNL
internal import InternetAddress

/// Link requests and replies as bytes. Source: `net/core/rtnetlink.c`.
enum LinkMessage {
    static let headerLength = 16

    static func create(_ specification: LinkSpecification) -> Request {
        // An echo would be sent to where the link is, and be an unexpected message for somebody there.
        let echo = specification.namespace == nil ? NLM_F_ECHO : 0
        var request = Request(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL | echo)
        appendHeader(&request, flags: specification.isUp ? LinkFlags.up : [], change: specification.isUp ? LinkFlags.up : [])
        appendName(&request, specification.name)
        appendCommon(&request, specification.mtu, specification.address, specification.namespace)
        if let alias = specification.alias { appendAlias(&request, alias) }
        request.nest(Int(IFLA_LINKINFO)) { info in
            info.attribute(Int(IFLA_INFO_KIND), specification.kind.name)
            switch specification.kind {
            case .veth(let peer):
                info.nest(Int(IFLA_INFO_DATA)) { data in
                    // This one begins with a struct, so it is no nest in the strict sense.
                    data.nest(Int(VETH_INFO_PEER), isMarked: false) { end in
                        appendHeader(&end)
                        appendName(&end, peer.name)
                        appendCommon(&end, peer.mtu, peer.address, peer.namespace)
                    }
                }
            case .vxlan(let id, let local, let remote, let port):
                info.nest(Int(IFLA_INFO_DATA)) { data in
                    data.attribute(Int(IFLA_VXLAN_ID), id)
                    if let remote {
                        data.attribute(Int(remote.family == .v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6), remote)
                    }
                    if let local {
                        data.attribute(Int(local.family == .v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6), local)
                    }
                    data.attribute(Int(IFLA_VXLAN_PORT), port.bigEndian)
                }
            case .bridge, .other: break
            }
        }
        return request
    }

    static func update(_ index: LinkIndex, _ update: LinkUpdate) -> Request {
        var flags: LinkFlags = []
        var change: LinkFlags = []
        for (value, flag) in [(update.isUp, LinkFlags.up), (update.isPromiscuous, .promiscuous)] {
            guard let value else { continue }
            change.insert(flag)
            if value { flags.insert(flag) }
        }
        var request = Request(RTM_NEWLINK)
        appendHeader(&request, index: index, flags: flags, change: change)
        if let name = update.name { appendName(&request, name) }
        appendCommon(&request, update.mtu, update.address, update.namespace)
        if let alias = update.alias { appendAlias(&request, alias) }
        switch update.master {
        case .link(let master)?: request.attribute(Int(IFLA_MASTER), master.rawValue)
        case .some(.none): request.attribute(Int(IFLA_MASTER), UInt32(0))
        case nil: break
        }
        if update.addressGenerationMode != nil || update.ipv4Forwarding != nil {
            request.nest(Int(IFLA_AF_SPEC)) { families in
                if let forwarding = update.ipv4Forwarding {
                    families.nest(Int(AF_INET)) { family in
                        family.nest(Int(IFLA_INET_CONF)) {
                            $0.attribute(Int(IPV4_DEVCONF_FORWARDING), UInt32(forwarding ? 1 : 0))
                        }
                    }
                }
                if let mode = update.addressGenerationMode {
                    families.nest(Int(AF_INET6)) { $0.attribute(Int(IFLA_INET6_ADDR_GEN_MODE), mode.rawValue) }
                }
            }
        }
        return request
    }

    static func delete(_ index: LinkIndex) -> Request {
        var request = Request(RTM_DELLINK)
        appendHeader(&request, index: index)
        return request
    }

    static func get(_ index: LinkIndex) -> Request {
        var request = Request(RTM_GETLINK)
        appendHeader(&request, index: index)
        return request
    }

    static func get(named name: String) -> Request {
        var request = Request(RTM_GETLINK)
        appendHeader(&request)
        // Alternative names are longer; sent beside a plain name they would be overlooked.
        if name.utf8.count < Int(IFNAMSIZ) {
            request.attribute(Int(IFLA_IFNAME), name)
        } else {
            request.attribute(Int(IFLA_ALT_IFNAME), name)
        }
        return request
    }

    static func list() -> Request {
        var request = Request(RTM_GETLINK, flags: NLM_F_DUMP)
        appendHeader(&request)
        return request
    }

    static func parse(_ message: borrowing Message) throws(MalformedMessage) -> Link? {
        guard message.type == Int(RTM_NEWLINK) else { return nil }
        try message.require(headerLength, "struct ifinfomsg")
        var link = Link(
            index: LinkIndex(rawValue: message.field(4)), name: "", mtu: 0,
            flags: LinkFlags(rawValue: message.field(8)), hardwareType: message.field(2), operationalState: 0,
            promiscuity: 0)
        var attributes = message.attributes(after: headerLength)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Int(IFLA_IFNAME): link.name = attribute.text
            case Int(IFLA_MTU): link.mtu = try attribute.integer()
            case Int(IFLA_MIN_MTU): link.minMTU = try attribute.integer()
            case Int(IFLA_MAX_MTU): link.maxMTU = try attribute.integer()
            case Int(IFLA_ADDRESS): link.address = attribute.macAddress
            case Int(IFLA_PERM_ADDRESS): link.permanentAddress = attribute.macAddress
            case Int(IFLA_IFALIAS): link.alias = attribute.text
            case Int(IFLA_MASTER): link.master = LinkIndex(rawValue: try attribute.integer())
            case Int(IFLA_LINK): link.peer = LinkIndex(rawValue: try attribute.integer())
            case Int(IFLA_LINK_NETNSID): link.linkNamespaceID = try attribute.integer()
            case Int(IFLA_OPERSTATE): link.operationalState = try attribute.integer()
            case Int(IFLA_PROMISCUITY): link.promiscuity = try attribute.integer()
            case Int(IFLA_GSO_MAX_SIZE): link.gsoMaxSize = try attribute.integer()
            case Int(IFLA_STATS64): link.statistics = statistics(attribute)
            case Int(IFLA_LINKINFO):
                var info = attribute.attributes
                while let part = info.next() {
                    if part.type == Int(IFLA_INFO_KIND) { link.kind = part.text }
                }
            default: continue
            }
        }
        return link
    }

    private static func statistics(_ attribute: borrowing Attribute) -> LinkStatistics {
        let payload = attribute.payload
        func counter(_ position: Int) -> UInt64 { payload.integer(at: position * 8) ?? 0 }
        return LinkStatistics(
            receivedPackets: counter(0), transmittedPackets: counter(1), receivedOctets: counter(2),
            transmittedOctets: counter(3), receiveErrors: counter(4), transmitErrors: counter(5),
            receiveDropped: counter(6), transmitDropped: counter(7), multicast: counter(8))
    }

    /// `struct ifinfomsg`. `change` has exactly the flags that are meant: all ones would clear those that are not.
    private static func appendHeader(
        _ request: inout Request, index: LinkIndex? = nil, flags: LinkFlags = [], change: LinkFlags = []
    ) {
        request.header { header in
            header.append(UInt8(AF_UNSPEC))
            header.append(UInt8(0))
            header.append(UInt16(0))
            header.append(index?.rawValue ?? 0)
            header.append(flags.rawValue)
            header.append(change.rawValue)
        }
    }

    private static func appendName(_ request: inout Request, _ name: String) {
        if name.isEmpty { request.refuse(.invalid("an interface's name is empty")) }
        request.attribute(Int(IFLA_IFNAME), name)
    }

    /// Without a NUL, as iproute2 sends it: the text's length is the attribute's.
    private static func appendAlias(_ request: inout Request, _ alias: String) {
        request.attribute(Int(IFLA_IFALIAS), bytes: Array(alias.utf8))
    }

    private static func appendCommon(_ request: inout Request, _ mtu: UInt32?, _ address: MACAddress?, _ namespace: Int32?) {
        if let mtu { request.attribute(Int(IFLA_MTU), mtu) }
        if let address { request.attribute(Int(IFLA_ADDRESS), address) }
        if let namespace { request.attribute(Int(IFLA_NET_NS_FD), namespace) }
    }
}
