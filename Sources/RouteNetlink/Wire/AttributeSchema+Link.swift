import CPseudowireMNL

/// The attributes of links, and of what is particular to their kinds.
extension AttributeSchema {
    static let link = AttributeSchema(
        headerLength: 16, prefix: "IFLA_", linkNames,
        contents: [
            Int(IFLA_LINKINFO): .nest(
                AttributeSchema(
                    prefix: "IFLA_INFO_", ["KIND", "DATA", "XSTATS", "SLAVE_KIND", "SLAVE_DATA"],
                    contents: [
                        2: .byKind([
                            "veth": veth, "vxlan": vxlan, "bridge": bridgeSettings, "vlan": vlan, "macvlan": macvlan,
                            "netkit": netkit,
                        ]),
                        // Of what we send, only a bridge's port has any.
                        5: .nest(bridgePort),
                    ])),
            Int(IFLA_AF_SPEC): .nest(families),
            Int(IFLA_PROP_LIST): .nest(AttributeSchema(prefix: "IFLA_", linkNames)),
        ])

    /// Links in messages of `AF_BRIDGE`.
    static let bridge = AttributeSchema(
        headerLength: 16, prefix: "IFLA_", linkNames,
        contents: [
            Int(IFLA_AF_SPEC): .nest(
                AttributeSchema(
                    prefix: "IFLA_BRIDGE_", ["MODE", "VLAN_INFO", "VLAN_TUNNEL_INFO", "MRP", "CFM", "MST"],
                    zero: "FLAGS"))
        ])

    private static let linkNames: [String?] = [
        "ADDRESS", "BROADCAST", "IFNAME", "MTU", "LINK", "QDISC", "STATS", "COST", "PRIORITY", "MASTER", "WIRELESS",
        "PROTINFO", "TXQLEN", "MAP", "WEIGHT", "OPERSTATE", "LINKMODE", "LINKINFO", "NET_NS_PID", "IFALIAS", "NUM_VF",
        "VFINFO_LIST", "STATS64", "VF_PORTS", "PORT_SELF", "AF_SPEC", "GROUP", "NET_NS_FD", "EXT_MASK", "PROMISCUITY",
        "NUM_TX_QUEUES", "NUM_RX_QUEUES", "CARRIER", "PHYS_PORT_ID", "CARRIER_CHANGES", "PHYS_SWITCH_ID",
        "LINK_NETNSID", "PHYS_PORT_NAME", "PROTO_DOWN", "GSO_MAX_SEGS", "GSO_MAX_SIZE", "PAD", "XDP", "EVENT",
        "NEW_NETNSID", "TARGET_NETNSID", "CARRIER_UP_COUNT", "CARRIER_DOWN_COUNT", "NEW_IFINDEX", "MIN_MTU", "MAX_MTU",
        "PROP_LIST", "ALT_IFNAME", "PERM_ADDRESS", "PROTO_DOWN_REASON", "PARENT_DEV_NAME", "PARENT_DEV_BUS_NAME",
        "GRO_MAX_SIZE",
    ]

    /// The other end in a pair: links' attributes behind a struct of their own.
    private static let peer = AttributeSchema(headerLength: 16, prefix: "IFLA_", linkNames)

    private static let veth = AttributeSchema(prefix: "VETH_INFO_", ["PEER"], contents: [1: .nest(peer)])

    private static let netkit = AttributeSchema(
        prefix: "IFLA_NETKIT_",
        [
            "PEER_INFO", "PRIMARY", "POLICY", "PEER_POLICY", "MODE", "SCRUB", "PEER_SCRUB", "HEADROOM", "TAILROOM",
        ], contents: [1: .nest(peer)])

    private static let vxlan = AttributeSchema(
        prefix: "IFLA_VXLAN_",
        [
            "ID", "GROUP", "LINK", "LOCAL", "TTL", "TOS", "LEARNING", "AGEING", "LIMIT", "PORT_RANGE", "PROXY", "RSC",
            "L2MISS", "L3MISS", "PORT", "GROUP6", "LOCAL6", "UDP_CSUM", "UDP_ZERO_CSUM6_TX", "UDP_ZERO_CSUM6_RX",
        ])

    private static let vlan = AttributeSchema(
        prefix: "IFLA_VLAN_", ["ID", "FLAGS", "EGRESS_QOS", "INGRESS_QOS", "PROTOCOL"])

    private static let macvlan = AttributeSchema(
        prefix: "IFLA_MACVLAN_",
        [
            "MODE", "FLAGS", "MACADDR_MODE", "MACADDR", "MACADDR_DATA", "MACADDR_COUNT", "BC_QUEUE_LEN",
            "BC_QUEUE_LEN_USED", "BC_CUTOFF",
        ])

    private static let bridgeSettings = AttributeSchema(
        prefix: "IFLA_BR_",
        [
            "FORWARD_DELAY", "HELLO_TIME", "MAX_AGE", "AGEING_TIME", "STP_STATE", "PRIORITY", "VLAN_FILTERING",
            "VLAN_PROTOCOL", "GROUP_FWD_MASK", "ROOT_ID", "BRIDGE_ID", "ROOT_PORT", "ROOT_PATH_COST",
            "TOPOLOGY_CHANGE", "TOPOLOGY_CHANGE_DETECTED", "HELLO_TIMER", "TCN_TIMER", "TOPOLOGY_CHANGE_TIMER",
            "GC_TIMER", "GROUP_ADDR", "FDB_FLUSH", "MCAST_ROUTER", "MCAST_SNOOPING", "MCAST_QUERY_USE_IFADDR",
            "MCAST_QUERIER", "MCAST_HASH_ELASTICITY", "MCAST_HASH_MAX", "MCAST_LAST_MEMBER_CNT",
            "MCAST_STARTUP_QUERY_CNT", "MCAST_LAST_MEMBER_INTVL", "MCAST_MEMBERSHIP_INTVL", "MCAST_QUERIER_INTVL",
            "MCAST_QUERY_INTVL", "MCAST_QUERY_RESPONSE_INTVL", "MCAST_STARTUP_QUERY_INTVL", "NF_CALL_IPTABLES",
            "NF_CALL_IP6TABLES", "NF_CALL_ARPTABLES", "VLAN_DEFAULT_PVID", "PAD", "VLAN_STATS_ENABLED",
            "MCAST_STATS_ENABLED", "MCAST_IGMP_VERSION", "MCAST_MLD_VERSION", "VLAN_STATS_PER_PORT", "MULTI_BOOLOPT",
            "MCAST_QUERIER_STATE", "FDB_N_LEARNED", "FDB_MAX_LEARNED",
        ])

    private static let bridgePort = AttributeSchema(
        prefix: "IFLA_BRPORT_",
        [
            "STATE", "PRIORITY", "COST", "MODE", "GUARD", "PROTECT", "FAST_LEAVE", "LEARNING", "UNICAST_FLOOD",
            "PROXYARP", "LEARNING_SYNC", "PROXYARP_WIFI", "ROOT_ID", "BRIDGE_ID", "DESIGNATED_PORT",
            "DESIGNATED_COST", "ID", "NO", "TOPOLOGY_CHANGE_ACK", "CONFIG_PENDING", "MESSAGE_AGE_TIMER",
            "FORWARD_DELAY_TIMER", "HOLD_TIMER", "FLUSH", "MULTICAST_ROUTER", "PAD", "MCAST_FLOOD", "MCAST_TO_UCAST",
            "VLAN_TUNNEL", "BCAST_FLOOD", "GROUP_FWD_MASK", "NEIGH_SUPPRESS", "ISOLATED", "BACKUP_PORT",
            "MRP_RING_OPEN", "MRP_IN_OPEN", "MCAST_EHT_HOSTS_LIMIT", "MCAST_EHT_HOSTS_CNT", "LOCKED",
        ])

    private static let inet = AttributeSchema(prefix: "IFLA_INET_", ["CONF"])
    private static let inet6 = AttributeSchema(
        prefix: "IFLA_INET6_", ["FLAGS", "CONF", "STATS", "MCAST", "CACHEINFO", "ICMP6STATS", "TOKEN", "ADDR_GEN_MODE"])

    private static let families: AttributeSchema = {
        var schema = AttributeSchema(prefix: "", [], contents: [2: .nest(inet), 10: .nest(inet6)])
        schema.names = [2: "AF_INET", 10: "AF_INET6"]
        return schema
    }()
}
