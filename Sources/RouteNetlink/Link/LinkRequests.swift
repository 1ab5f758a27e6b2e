import CPseudowireMNL
import Glibc
import InternetAddress

/// The requests about interfaces, as bytes: no socket is needed to make them.
enum LinkRequest {
    static func create(_ link: LinkSpecification) -> Request {
        // An echo of a link that is born elsewhere would land in the queue of a stranger who has our port there.
        let echo = link.namespace == nil ? NLM_F_ECHO : 0
        var request = Request(Int(RTM_NEWLINK), flags: NLM_F_CREATE | NLM_F_EXCL | echo)
        request.linkHeader(index: link.index, flags: link.isUp ? .up : [], change: link.isUp ? .up : [])
        switch link.kind {
        case .vlan(_, let lower), .macvlan(_, let lower): request.attribute(IFLA_LINK, lower.rawValue)
        default: break
        }
        request.linkName(link.name)
        if let namespace = link.namespace { request.attribute(IFLA_NET_NS_FD, namespace) }
        if let mtu = link.mtu { request.attribute(IFLA_MTU, mtu) }
        if let address = link.address { request.attribute(IFLA_ADDRESS, address) }
        request.queues(link.queues)
        request.nest(IFLA_LINKINFO) { info in
            info.attribute(IFLA_INFO_KIND, link.kind.name)
            switch link.kind {
            case .dummy, .ifb: break
            case .bridge(let settings):
                if settings != BridgeSettings() { info.nest(IFLA_INFO_DATA) { settings.write(to: &$0) } }
            case .vlan(let vlan, _):
                info.nest(IFLA_INFO_DATA) { VLANFields(id: vlan.id, etherType: vlan.etherType).write(to: &$0) }
            case .macvlan(let mode, _):
                info.nest(IFLA_INFO_DATA) { MACVLANFields(mode: mode.rawValue).write(to: &$0) }
            case .other(_, let data):
                if !data.isEmpty { info.attribute(IFLA_INFO_DATA | Int(NLA_F_NESTED), bytes: data) }
            case .veth(let peer): info.nest(IFLA_INFO_DATA) { $0.peer(peer) }
            case .netkit(var netkit, let peer):
                // The kernel says which end is the primary one, and refuses to be told.
                netkit.isPrimary = nil
                info.nest(IFLA_INFO_DATA) {
                    netkit.write(to: &$0)
                    $0.peer(peer, Netkit.Attribute.peerInfo)
                }
            case .vxlan(let tunnel): info.nest(IFLA_INFO_DATA) { $0.vxlan(tunnel) }
            }
        }
        return request
    }

    static func update(_ index: LinkIndex, _ update: LinkUpdate) -> Request {
        var request = Request(Int(RTM_NEWLINK))
        // Only the bits that are meant: a change mask of all ones would clear IFF_MULTICAST and others.
        var flags: LinkFlags = []
        var change: LinkFlags = []
        if let isUp = update.isUp {
            change.insert(.up)
            if isUp { flags.insert(.up) }
        }
        if let isPromiscuous = update.isPromiscuous {
            change.insert(.promiscuous)
            if isPromiscuous { flags.insert(.promiscuous) }
        }
        request.linkHeader(index: index, flags: flags, change: change)
        if let mtu = update.mtu { request.attribute(IFLA_MTU, mtu) }
        if let address = update.address { request.attribute(IFLA_ADDRESS, address) }
        if let alias = update.alias {
            // The kernel's text has no terminating NUL: an empty one is how an alias is removed.
            request.attribute(IFLA_IFALIAS, bytes: alias.utf8)
        }
        if let name = update.name { request.linkName(name) }
        if let master = update.master { request.attribute(IFLA_MASTER, master?.rawValue ?? 0) }
        if let namespace = update.namespace { request.attribute(IFLA_NET_NS_FD, namespace) }
        if let group = update.group { request.attribute(IFLA_GROUP, group) }
        if let length = update.transmitQueueLength { request.attribute(IFLA_TXQLEN, length) }
        if let size = update.gsoMaxSize { request.attribute(IFLA_GSO_MAX_SIZE, size) }
        if let count = update.gsoMaxSegments { request.attribute(IFLA_GSO_MAX_SEGS, count) }
        if let size = update.groMaxSize { request.attribute(Int(IFLA_GRO_MAX_SIZE), size) }
        if let state = update.operationalState { request.attribute(IFLA_OPERSTATE, state.rawValue) }
        if let mode = update.linkMode { request.attribute(IFLA_LINKMODE, mode.rawValue) }
        if update.ipv4Forwarding != nil || update.addressGenerationMode != nil {
            request.nest(IFLA_AF_SPEC) { families in
                if let forwarding = update.ipv4Forwarding {
                    families.nest(Int(AF_INET)) { inet in
                        inet.nest(Int(IFLA_INET_CONF)) {
                            $0.attribute(Int(IPV4_DEVCONF_FORWARDING), UInt32(forwarding ? 1 : 0))
                        }
                    }
                }
                if let mode = update.addressGenerationMode {
                    families.nest(Int(AF_INET6)) { $0.attribute(IFLA_INET6_ADDR_GEN_MODE, mode.rawValue) }
                }
            }
        }
        if let bridge = update.bridge {
            request.nest(IFLA_LINKINFO) { info in
                info.attribute(IFLA_INFO_KIND, "bridge")
                info.nest(IFLA_INFO_DATA) { bridge.write(to: &$0) }
            }
        }
        if let port = update.bridgePort {
            // No kind: that of the master decides, and for "bridge_slave" some kernels look for a module.
            request.nest(IFLA_LINKINFO) { info in info.nest(IFLA_INFO_SLAVE_DATA) { port.write(to: &$0) } }
            if update.bridge != nil { request.refuse(.invalid("a bridge is no port of a bridge")) }
        }
        return request
    }

    static func delete(_ index: LinkIndex) -> Request {
        var request = Request(Int(RTM_DELLINK))
        request.linkHeader(index: index)
        return request
    }

    /// Gives a link an alternative name, or takes it away.
    static func alternativeName(_ type: Int, _ index: LinkIndex, _ name: String) -> Request {
        let creation = createNew | NLM_F_APPEND
        var request = Request(type, flags: type == Int(RTM_NEWLINKPROP) ? creation : 0)
        request.linkHeader(index: index)
        request.nest(Int(IFLA_PROP_LIST)) { $0.attribute(Int(IFLA_ALT_IFNAME), name) }
        return request
    }

    static func get(_ index: LinkIndex, in namespace: NamespaceID? = nil) -> Request {
        var request = Request(Int(RTM_GETLINK), ending: .object)
        request.linkHeader(index: index)
        request.attribute(IFLA_EXT_MASK, whatWeRead)
        if let namespace { request.attribute(IFLA_TARGET_NETNSID, namespace.rawValue) }
        return request
    }

    static func find(_ name: String, in namespace: NamespaceID? = nil, mask: UInt32 = whatWeRead) -> Request {
        var request = Request(Int(RTM_GETLINK), ending: .object)
        request.linkHeader()
        // The short attribute finds alternative names too, as long as they fit in it.
        request.attribute(name.utf8.count < Int(IFNAMSIZ) ? IFLA_IFNAME : IFLA_ALT_IFNAME, name)
        request.attribute(IFLA_EXT_MASK, mask)
        if let namespace { request.attribute(IFLA_TARGET_NETNSID, namespace.rawValue) }
        return request
    }

    static func list(in namespace: NamespaceID? = nil, mask: UInt32 = whatWeRead) -> Request {
        var request = Request(Int(RTM_GETLINK), flags: NLM_F_DUMP_FLAGS)
        request.linkHeader()
        request.attribute(IFLA_EXT_MASK, mask)
        if let namespace { request.attribute(IFLA_TARGET_NETNSID, namespace.rawValue) }
        return request
    }

    /// IPv6's own counters, which are a third of an answer, are not among what `Link` has: `RTEXT_FILTER_SKIP_STATS`.
    ///
    /// Those of `LinkStatistics` come all the same.
    static let whatWeRead: UInt32 = 8
}

extension Request {
    /// Appends `struct ifinfomsg`.
    mutating func linkHeader(
        family: UInt8 = 0, index: LinkIndex? = nil, flags: LinkFlags = [], change: LinkFlags = []
    ) {
        header {
            $0.append(family)
            $0.append(UInt8(0))
            $0.append(UInt16(0))
            $0.append(index?.header ?? 0)
            $0.append(flags.rawValue)
            $0.append(change.rawValue)
        }
    }

    /// Appends a name; an empty one is left out, and the kernel chooses.
    fileprivate mutating func linkName(_ name: String) {
        guard !name.isEmpty else { return }
        attribute(IFLA_IFNAME, name)
    }

    fileprivate mutating func queues(_ count: UInt32?) {
        guard let count else { return }
        attribute(IFLA_NUM_TX_QUEUES, count)
        attribute(IFLA_NUM_RX_QUEUES, count)
    }

    fileprivate mutating func peer(_ peer: LinkSpecification.Peer, _ type: Int = Int(VETH_INFO_PEER)) {
        nest(type, isMarked: false) {
            // Not up yet: at this moment the kernel has not connected the two ends, and answers ENOTCONN.
            $0.linkHeader()
            if let namespace = peer.namespace { $0.attribute(IFLA_NET_NS_FD, namespace) }
            $0.linkName(peer.name)
            if let mtu = peer.mtu { $0.attribute(IFLA_MTU, mtu) }
            if let address = peer.address { $0.attribute(IFLA_ADDRESS, address) }
            $0.queues(peer.queues)
        }
    }

    fileprivate mutating func vxlan(_ tunnel: LinkSpecification.VXLAN) {
        attribute(Int(IFLA_VXLAN_ID), tunnel.id)
        if let remote = tunnel.remote {
            attribute(Int(remote.family == .v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6), remote)
        }
        if let local = tunnel.local {
            attribute(Int(local.family == .v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6), local)
        }
        if let link = tunnel.link { attribute(Int(IFLA_VXLAN_LINK), link.rawValue) }
        if let port = tunnel.port { attribute(Int(IFLA_VXLAN_PORT), port.bigEndian) }
        if let ttl = tunnel.timeToLive { attribute(Int(IFLA_VXLAN_TTL), ttl) }
        if let learning = tunnel.isLearning { attribute(Int(IFLA_VXLAN_LEARNING), UInt8(learning ? 1 : 0)) }
        if let checksum = tunnel.hasChecksum { attribute(Int(IFLA_VXLAN_UDP_CSUM), UInt8(checksum ? 1 : 0)) }
    }
}
