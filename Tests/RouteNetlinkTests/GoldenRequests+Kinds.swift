import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Requests beyond those of the first recording, recorded with `strace` of iproute2 6.1 in the same way.
extension GoldenRequestTests {
    static let kinds: [Golden] = [
        Golden(
            command: "ip link add link w0 name v5 type vlan id 5 protocol 802.1ad",
            theirs: """
                50000000 1000 0506 00000000 00000000
                00000000 00000000 00000000 00000000 08000500 03000000 07000300 76350000
                20001200 08000100 766c616e 14000200 06000100 05000000 06000500 88a80000
                """,
            moreFlags: echo
        ) {
            LinkRequest.create(LinkSpecification(name: "v5", kind: .vlan(VLAN(id: 5, etherType: 0x88a8), on: index3)))
        },
        Golden(
            command: "ip link add link w0 name mv0 type macvlan mode bridge",
            theirs: """
                4c000000 1000 0506 00000000 00000000
                00000000 00000000 00000000 00000000 08000500 03000000 08000300 6d763000
                1c001200 0b000100 6d616376 6c616e00 0c000200 08000100 04000000
                """,
            moreFlags: echo
        ) { LinkRequest.create(LinkSpecification(name: "mv0", kind: .macvlan(.bridge, on: index3))) },
        Golden(
            command: "ip link add index 500 name ifb5 type ifb",
            theirs: """
                38000000 1000 0506 00000000 00000000
                00000000 f4010000 00000000 00000000 09000300 69666235 00000000 0c001200
                07000100 69666200
                """,
            moreFlags: echo
        ) { ifb500 },
        Golden(
            command: "ip link add br1 type bridge ageing_time 3000 stp_state 1 priority 4096 vlan_filtering 1",
            theirs: """
                5c000000 1000 0506 00000000 00000000
                00000000 00000000 00000000 00000000 08000300 62723100 34001200 0a000100
                62726964 67650000 24000200 08000400 b80b0000 08000500 01000000 06000600
                00100000 05000700 01000000
                """,
            moreFlags: echo
        ) {
            LinkRequest.create(
                .bridge(
                    "br1",
                    settings: BridgeSettings(ageingTime: 3000, spanningTree: true, priority: 4096, vlanFiltering: true))
            )
        },
        Golden(
            command: "ip link set w0 group 5 txqueuelen 100",
            theirs: """
                30000000 1000 0500 00000000 00000000
                00000000 03000000 00000000 00000000 08001b00 05000000 08000d00 64000000
                """
        ) { LinkRequest.update(index3, LinkUpdate(group: 5, transmitQueueLength: 100)) },
        Golden(
            command: "ip link set w0 gso_max_size 32768 gso_max_segs 100 gro_max_size 16384",
            theirs: """
                38000000 1000 0500 00000000 00000000
                00000000 03000000 00000000 00000000 08002900 00800000 08002800 64000000
                08003a00 00400000
                """
        ) { LinkRequest.update(index3, LinkUpdate(gsoMaxSize: 32768, gsoMaxSegments: 100, groMaxSize: 16384)) },
    ]

    static var ifb500: Request {
        var spec = LinkSpecification(name: "ifb5", kind: .ifb)
        spec.index = LinkIndex(rawValue: 500)
        return LinkRequest.create(spec)
    }

    static let named: [Golden] = [
        Golden(
            command: "ip link property add dev w0 altname other",
            theirs: """
                30000000 6c00 050e 00000000 00000000
                00000000 03000000 00000000 00000000 10003480 0a003500 6f746865 72000000
                """
        ) { LinkRequest.alternativeName(Int(RTM_NEWLINKPROP), index3, "other") },
        Golden(
            command: "ip link property del dev w0 altname other",
            theirs: """
                30000000 6d00 0500 00000000 00000000
                00000000 03000000 00000000 00000000 10003480 0a003500 6f746865 72000000
                """
        ) { LinkRequest.alternativeName(Int(RTM_DELLINKPROP), index3, "other") },
    ]

    static let forwarding: [Golden] = [
        Golden(
            command: "bridge fdb add 02:00:00:00:00:99 dev w0 master static",
            theirs: """
                28000000 1c00 0506 00000000 00000000
                07000000 03000000 42000400 0a000200 02000000 00990000
                """
        ) { row.request(Int(RTM_NEWNEIGH), createNew) },
        Golden(
            command: "bridge fdb replace 02:00:00:00:00:99 dev w0 master static vlan 7",
            theirs: """
                30000000 1c00 0505 00000000 00000000
                07000000 03000000 42000400 0a000200 02000000 00990000 06000500 07000000
                """
        ) { ForwardingEntry("02:00:00:00:00:99", port: index3, vlan: 7).request(Int(RTM_NEWNEIGH), createOrReplace) },
        // It states its default state in a deletion too, where we state none.
        Golden(
            command: "bridge fdb del 02:00:00:00:00:99 dev w0 master",
            theirs: """
                28000000 1d00 0500 00000000 00000000
                07000000 03000000 c0000400 0a000200 02000000 00990000
                """,
            exceptAt: [24: 0]
        ) { row.request(Int(RTM_DELNEIGH), 0) },
        // It adds NUD_NOARP to the state.
        Golden(
            command: "bridge fdb append 00:00:00:00:00:00 dev w0 dst 192.0.2.9 self permanent",
            theirs: """
                30000000 1c00 050c 00000000 00000000
                07000000 03000000 c0000200 0a000200 00000000 00000000 08000100 c0000209
                """,
            exceptAt: [24: 0x80]
        ) { flooded.request(Int(RTM_NEWNEIGH), NLM_F_CREATE | NLM_F_APPEND) },
    ]

    static let row = ForwardingEntry("02:00:00:00:00:99", port: index3)
    static let flooded = ForwardingEntry(.zero, port: index3, in: .own, state: .permanent, remote: "192.0.2.9")

    static let proxies: [Golden] = [
        Golden(
            command: "ip neigh add proxy 10.0.0.77 dev w0",
            theirs: """
                24000000 1c00 0506 00000000 00000000
                02000000 02000000 80000800 08000100 0a00004d
                """
        ) { NeighborRequest.change(createNew, Neighbors.proxy("10.0.0.77", index2)) },
        Golden(
            command: "ip neigh del proxy 10.0.0.77 dev w0",
            theirs: """
                24000000 1d00 0500 00000000 00000000
                02000000 02000000 80000800 08000100 0a00004d
                """,
            exceptAt: [24: 0]
        ) { NeighborRequest.name(Int(RTM_DELNEIGH), "10.0.0.77", index2, .proxy) },
    ]

    static let queries: [Golden] = [
        // It writes the metrics in the order of its arguments.
        Golden(
            command: "ip route add 192.0.2.0/24 dev w0 mtu lock 1400 advmss 1300 window 5 initcwnd 10 …",
            theirs: """
                b4000000 1800 0506 00000000 00000000
                02180000 fe03fd01 00000000 08000100 c0000200 08000400 02000000 88000800
                08000200 78050000 08000800 14050000 08000300 05000000 08000b00 0a000000
                08000e00 0b000000 08000a00 40000000 08000f00 01000000 08000d00 c8000000
                08000700 0c000000 08000600 0d000000 08000900 04000000 09001000 63756269
                63000000 08000400 08000000 08000500 04000000 08000c00 01000000 08000100
                04200000
                """,
            isAnyOrder: true
        ) { newRoute(measured) },
        Golden(
            command: "ip route get 10.0.0.9 oif w0",
            theirs: """
                2c000000 1a00 0100 00000000 00000000
                02200000 00000000 00100000 08000100 0a000009 08000400 02000000
                """
        ) { RouteRequest.lookup(RouteQuery(to: "10.0.0.9", outputInterface: index2)) },
        Golden(
            command: "ip route get 10.0.0.9 mark 5 uid 1000",
            theirs: """
                34000000 1a00 0100 00000000 00000000
                02200000 00000000 00100000 08000100 0a000009 08001900 e8030000 08001000
                05000000
                """
        ) { RouteRequest.lookup(RouteQuery(to: "10.0.0.9", mark: 5, userID: 1000)) },
        Golden(
            command: "ip route get fibmatch 10.0.0.9",
            theirs: """
                24000000 1a00 0100 00000000 00000000
                02200000 00000000 00300000 08000100 0a000009
                """
        ) { RouteRequest.lookup(RouteQuery(to: "10.0.0.9", wantsRoute: true)) },
    ]

    /// Every metric but that of Fast Open.
    static var measured: Route {
        var route = Route(to: "192.0.2.0/24", link: index2)
        route.metrics.mtu = 1400
        route.metrics.advertisedSegmentSize = 1300
        route.metrics.window = 5
        route.metrics.initialWindow = 10
        route.metrics.initialReceiveWindow = 11
        route.metrics.hopLimit = 64
        route.metrics.quickAcknowledgement = true
        route.metrics.minimumTimeout = 200
        route.metrics.congestionWindow = 12
        route.metrics.slowStartThreshold = 13
        route.metrics.reordering = 4
        route.metrics.congestionControl = "cubic"
        route.metrics.roundTripTime = 8
        route.metrics.roundTripVariance = 4
        route.metrics.features = 1
        route.metrics.locks = 1 << 2 | 1 << 13
        return route
    }
}
