import CPseudowireMNL
import Glibc

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

    /// Names in the order of their types, from 1 on; the few that have one of type `zero` state it apart.
    init(
        headerLength: Int = 0, prefix: String, _ names: [String?], zero: String? = nil, contents: [Int: Content] = [:]
    ) {
        self.headerLength = headerLength
        self.names = zero.map { [0: prefix + $0] } ?? [:]
        for (index, name) in names.enumerated() {
            if let name { self.names[index + 1] = prefix + name }
        }
        self.contents = contents
    }

    func name(_ type: Int) -> String { names[type] ?? "attribute \(type)" }
}

extension AttributeSchema {
    /// The schema of a request in full, by its message type, as `RTM_NEWLINK`; nil for those without.
    static func of(_ request: [UInt8]) -> AttributeSchema? {
        switch Request.type(of: request) {
        case RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK, Int(RTM_NEWLINKPROP), Int(RTM_DELLINKPROP):
            request.count > Request.headerLength && request[Request.headerLength] == UInt8(AF_BRIDGE) ? bridge : link
        case RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR: address
        case RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE: route
        case Int(RTM_NEWNEXTHOP), Int(RTM_DELNEXTHOP), Int(RTM_GETNEXTHOP): nextHop
        case RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH: neighbor
        case RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE: rule
        case RTM_NEWNSID, RTM_DELNSID, RTM_GETNSID: namespaceID
        case RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC: trafficControl
        case RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER: trafficControl
        default: nil
        }
    }

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

    static let nextHop = AttributeSchema(
        headerLength: 8, prefix: "NHA_",
        [
            "ID", "GROUP", "GROUP_TYPE", "BLACKHOLE", "OIF", "GATEWAY", "ENCAP_TYPE", "ENCAP", "GROUPS", "MASTER",
            "FDB", "RES_GROUP", "RES_BUCKET", "OP_FLAGS", "GROUP_STATS", "HW_STATS_ENABLE", "HW_STATS_USED",
        ],
        contents: [
            12: .nest(
                AttributeSchema(
                    prefix: "NHA_RES_GROUP_", ["BUCKETS", "IDLE_TIMER", "UNBALANCED_TIMER", "UNBALANCED_TIME"]))
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
