import CPseudowireMNL

/// The names of the attributes of one nest, and what is nested in which: for error messages only.
struct AttributeSchema: Sendable {
    /// What an attribute contains.
    enum Content: Sendable {
        case nest(AttributeSchema)
        /// The contents depend on the text of the sibling attribute of type 1: `IFLA_INFO_KIND`, `TCA_KIND`.
        case byKind([String: AttributeSchema])
    }

    /// Bytes of the struct that precedes the attributes.
    var headerLength = 0
    /// The C names by type; a type without one is printed as a number.
    var names: [Int: String]
    var contents: [Int: Content] = [:]

    init(headerLength: Int = 0, prefix: String, _ names: [String?], contents: [Int: Content] = [:]) {
        self.headerLength = headerLength
        self.names = [:]
        for (index, name) in names.enumerated() {
            if let name { self.names[index + 1] = prefix + name }
        }
        self.contents = contents
    }

    func name(_ type: Int) -> String { names[type] ?? "attribute \(type)" }
}

extension AttributeSchema {
    /// The schema of the request of a message type, as `RTM_NEWLINK`; nil for those without.
    static func ofRequest(_ type: Int) -> AttributeSchema? {
        switch type {
        case RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK: link
        case RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR: address
        case RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE: route
        case RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH: neighbor
        case RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE: rule
        case RTM_NEWNSID, RTM_DELNSID, RTM_GETNSID: namespaceID
        case RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC: trafficControl
        case RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER: trafficControl
        default: nil
        }
    }

    private static let linkNames: [String?] = [
        "ADDRESS", "BROADCAST", "IFNAME", "MTU", "LINK", "QDISC", "STATS", "COST", "PRIORITY", "MASTER", "WIRELESS",
        "PROTINFO", "TXQLEN", "MAP", "WEIGHT", "OPERSTATE", "LINKMODE", "LINKINFO", "NET_NS_PID", "IFALIAS", "NUM_VF",
        "VFINFO_LIST", "STATS64", "VF_PORTS", "PORT_SELF", "AF_SPEC", "GROUP", "NET_NS_FD", "EXT_MASK", "PROMISCUITY",
        "NUM_TX_QUEUES", "NUM_RX_QUEUES", "CARRIER", "PHYS_PORT_ID", "CARRIER_CHANGES", "PHYS_SWITCH_ID",
        "LINK_NETNSID", "PHYS_PORT_NAME", "PROTO_DOWN", "GSO_MAX_SEGS", "GSO_MAX_SIZE", "PAD", "XDP", "EVENT",
        "NEW_NETNSID",
        "TARGET_NETNSID", "CARRIER_UP_COUNT", "CARRIER_DOWN_COUNT", "NEW_IFINDEX", "MIN_MTU", "MAX_MTU", "PROP_LIST",
        "ALT_IFNAME", "PERM_ADDRESS",
    ]

    private static let veth = AttributeSchema(
        prefix: "VETH_INFO_", ["PEER"],
        contents: [1: .nest(AttributeSchema(headerLength: 16, prefix: "IFLA_", linkNames))])

    private static let vxlan = AttributeSchema(
        prefix: "IFLA_VXLAN_",
        [
            "ID", "GROUP", "LINK", "LOCAL", "TTL", "TOS", "LEARNING", "AGEING", "LIMIT", "PORT_RANGE", "PROXY", "RSC",
            "L2MISS", "L3MISS", "PORT", "GROUP6", "LOCAL6", "UDP_CSUM", "UDP_ZERO_CSUM6_TX", "UDP_ZERO_CSUM6_RX",
        ])

    private static let inet = AttributeSchema(prefix: "IFLA_INET_", ["CONF"])
    private static let inet6 = AttributeSchema(
        prefix: "IFLA_INET6_", ["FLAGS", "CONF", "STATS", "MCAST", "CACHEINFO", "ICMP6STATS", "TOKEN", "ADDR_GEN_MODE"])

    static let link = AttributeSchema(
        headerLength: 16, prefix: "IFLA_", linkNames,
        contents: [
            Int(IFLA_LINKINFO): .nest(
                AttributeSchema(
                    prefix: "IFLA_INFO_", ["KIND", "DATA", "XSTATS", "SLAVE_KIND", "SLAVE_DATA"],
                    contents: [2: .byKind(["veth": veth, "vxlan": vxlan])])),
            Int(IFLA_AF_SPEC): .nest(families),
        ])

    private static let families: AttributeSchema = {
        var schema = AttributeSchema(prefix: "", [], contents: [2: .nest(inet), 10: .nest(inet6)])
        schema.names = [2: "AF_INET", 10: "AF_INET6"]
        return schema
    }()

    static let address = AttributeSchema(
        headerLength: 8, prefix: "IFA_",
        [
            "ADDRESS", "LOCAL", "LABEL", "BROADCAST", "ANYCAST", "CACHEINFO", "MULTICAST", "FLAGS", "RT_PRIORITY",
            "TARGET_NETNSID", "PROTO",
        ])

    static let route = AttributeSchema(
        headerLength: 12, prefix: "RTA_",
        [
            "DST", "SRC", "IIF", "OIF", "GATEWAY", "PRIORITY", "PREFSRC", "METRICS", "MULTIPATH", "PROTOINFO", "FLOW",
            "CACHEINFO", "SESSION", "MP_ALGO", "TABLE", "MARK", "MFC_STATS", "VIA", "NEWDST", "PREF", "ENCAP_TYPE",
            "ENCAP", "EXPIRES", "PAD", "UID", "TTL_PROPAGATE", "IP_PROTO", "SPORT", "DPORT", "NH_ID",
        ],
        contents: [
            8: .nest(
                AttributeSchema(
                    prefix: "RTAX_",
                    [
                        "LOCK", "MTU", "WINDOW", "RTT", "RTTVAR", "SSTHRESH", "CWND", "ADVMSS", "REORDERING",
                        "HOPLIMIT",
                        "INITCWND", "FEATURES", "RTO_MIN", "INITRWND", "QUICKACK", "CC_ALGO", "FASTOPEN_NO_COOKIE",
                    ]))
        ])

    static let neighbor = AttributeSchema(
        headerLength: 12, prefix: "NDA_",
        ["DST", "LLADDR", "CACHEINFO", "PROBES", "VLAN", "PORT", "VNI", "IFINDEX", "MASTER", "LINK_NETNSID"])

    static let rule = AttributeSchema(
        headerLength: 12, prefix: "FRA_",
        [
            "DST", "SRC", "IIFNAME", "GOTO", nil, "PRIORITY", nil, nil, nil, "FWMARK", "FLOW", "TUN_ID",
            "SUPPRESS_IFGROUP", "SUPPRESS_PREFIXLEN", "TABLE", "FWMASK", "OIFNAME", "PAD", "L3MDEV", "UID_RANGE",
            "PROTOCOL", "IP_PROTO", "SPORT_RANGE", "DPORT_RANGE", "DSCP", "FLOWLABEL", "FLOWLABEL_MASK", "SPORT_MASK",
            "DPORT_MASK", "DSCP_MASK",
        ])

    /// Behind a struct rtgenmsg, padded to four bytes.
    static let namespaceID = AttributeSchema(
        headerLength: 4, prefix: "NETNSA_", ["NSID", "PID", "FD", "TARGET_NSID", "CURRENT_NSID"])

    static let trafficControl = AttributeSchema(
        headerLength: 20, prefix: "TCA_",
        [
            "KIND", "OPTIONS", "STATS", "XSTATS", "RATE", "FCNT", "STATS2", "STAB", "PAD", "DUMP_INVISIBLE", "CHAIN",
            "HW_OFFLOAD", "INGRESS_BLOCK", "EGRESS_BLOCK", "DUMP_FLAGS",
        ],
        contents: [
            2: .byKind([
                "bpf": AttributeSchema(
                    prefix: "TCA_BPF_",
                    [
                        "ACT", "POLICE", "CLASSID", "OPS_LEN", "OPS", "FD", "NAME", "FLAGS", "FLAGS_GEN", "TAG", "ID",
                    ])
            ])
        ])
}
