import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// The recorded requests of the less common commands, and of the common ones for another interface.
extension GoldenRequestTests {
    static let ingress2 = TrafficHook(link: index2, direction: .ingress)
    static let egress2 = TrafficHook(link: index2, direction: .egress)

    static let moreLinks: [Golden] = [
        Golden(
            command: "ip link set br0 up",
            theirs: """
                20000000 1000 0500 00000000 00000000
                00000000 03000000 01000000 01000000
                """
        ) { LinkRequest.update(index3, LinkUpdate(isUp: true)) },
        // It puts the mask before the name, and asks for an acknowledgement of neither this nor the next.
        Golden(
            command: "ip -s link show dev w0",
            theirs: """
                30000000 1200 0100 00000000 00000000
                00000000 00000000 00000000 00000000 08001d00 09000000 07000300 77300000
                """,
            isAnyOrder: true
        ) { LinkRequest.find("w0", mask: 9) },
        // What it tries next: the same of family AF_PACKET, which the kernel passes over.
        Golden(
            command: "ip -s link show dev w0, again",
            theirs: """
                30000000 1200 0100 00000000 00000000
                11000000 00000000 00000000 00000000 07000300 77300000 08001d00 01000000
                """,
            exceptAt: [16: 0]
        ) { LinkRequest.find("w0", mask: 1) },
        Golden(
            command: "ip link add x type veth peer name x",
            theirs: """
                54000000 1000 0506 00000000 00000000
                00000000 00000000 00000000 00000000 06000300 78000000 2c001200 08000100
                76657468 20000200 1c000100 00000000 00000000 00000000 00000000 06000300
                78000000
                """,
            moreFlags: echo
        ) { LinkRequest.create(.veth("x", peer: .init(name: "x"))) },
    ]

    static let moreRoutes: [Golden] = [
        Golden(
            command: "ip route add 192.0.2.0/24 via 10.77.9.9 dev br0",
            theirs: """
                34000000 1800 0506 00000000 00000000
                02180000 fe030001 00000000 08000100 c0000200 08000500 0a4d0909 08000400
                03000000
                """
        ) { newRoute(Route(to: "192.0.2.0/24", via: "10.77.9.9", link: index3)) },
        Golden(
            command: "ip nexthop add id 7 via 10.0.0.9 dev br0",
            theirs: """
                30000000 6800 0506 00000000 00000000
                02000000 00000000 08000100 07000000 08000600 0a000009 08000500 03000000
                """
        ) {
            NextHopRequest.change(createNew, NextHopObject(7, gateway: "10.0.0.9", link: index3, origin: .unspecified))
        },
        Golden(
            command: "ip route add 198.51.100.0/24 nhid 7",
            theirs: """
                2c000000 1800 0506 00000000 00000000
                02180000 fe030001 00000000 08000100 c6336400 08001e00 07000000
                """
        ) { newRoute(withNextHop(7)) },
    ]

    static func withNextHop(_ id: UInt32) -> Route {
        var route = Route(to: "198.51.100.0/24")
        route.nextHopID = id
        return route
    }

    static let moreQdiscs: [Golden] = [
        Golden(
            command: "tc qdisc add dev w0 clsact",
            theirs: """
                30000000 2400 0506 00000000 00000000
                00000000 02000000 0000ffff f1ffffff 00000000 0b000100 636c7361 63740000
                """
        ) { QdiscRequest.clsact(Int(RTM_NEWQDISC), createNew, index2) },
        Golden(
            command: "tc qdisc replace dev w0 clsact",
            theirs: """
                30000000 2400 0505 00000000 00000000
                00000000 02000000 0000ffff f1ffffff 00000000 0b000100 636c7361 63740000
                """
        ) { QdiscRequest.clsact(Int(RTM_NEWQDISC), createOrReplace, index2) },
        Golden(
            command: "tc qdisc replace dev w0 clsact",
            theirs: """
                30000000 2400 0505 00000000 00000000
                00000000 03000000 0000ffff f1ffffff 00000000 0b000100 636c7361 63740000
                """
        ) { QdiscRequest.clsact(Int(RTM_NEWQDISC), createOrReplace, index3) },
        Golden(
            command: "tc qdisc show dev w0",
            theirs: """
                24000000 2600 0103 00000000 00000000
                00000000 02000000 00000000 00000000 00000000
                """,
            moreFlags: UInt16(NLM_F_ACK)
        ) { QdiscRequest.list(index2) },
        Golden(
            command: "tc qdisc del dev w0 clsact",
            theirs: """
                30000000 2500 0500 00000000 00000000
                00000000 02000000 0000ffff f1ffffff 00000000 0b000100 636c7361 63740000
                """
        ) { QdiscRequest.clsact(Int(RTM_DELQDISC), 0, index2) },
        Golden(
            command: "tc qdisc add dev w0 ingress",
            theirs: """
                30000000 2400 0506 00000000 00000000
                00000000 03000000 0000ffff f1ffffff 00000000 0c000100 696e6772 65737300
                """
        ) {
            QdiscRequest.change(
                Int(RTM_NEWQDISC), createNew,
                Qdisc(kind: "ingress", handle: Qdisc.clsactHandle, parent: Qdisc.clsactParent, link: index3))
        },
    ]

    static let moreFilters: [Golden] = [
        Golden(
            command: "tc filter show dev w0 ingress",
            theirs: """
                24000000 2e00 0103 00000000 00000000
                00000000 02000000 00000000 f2ffffff 00000000
                """,
            moreFlags: UInt16(NLM_F_ACK)
        ) { FilterRequest.list(index2, parent: ingress2.direction.parent) },
        Golden(
            command: "tc filter show dev w0 ingress",
            theirs: """
                24000000 2e00 0103 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00000000
                """,
            moreFlags: UInt16(NLM_F_ACK)
        ) { FilterRequest.list(index3, parent: ingress.direction.parent) },
        Golden(
            command: "tc -s filter show dev w0 egress",
            theirs: """
                24000000 2e00 0103 00000000 00000000
                00000000 02000000 00000000 f3ffffff 00000000
                """,
            moreFlags: UInt16(NLM_F_ACK)
        ) { FilterRequest.list(index2, parent: egress2.direction.parent) },
        Golden(
            command: "tc filter show dev w0",
            theirs: """
                24000000 2e00 0103 00000000 00000000
                00000000 03000000 00000000 00000000 00000000
                """,
            moreFlags: UInt16(NLM_F_ACK)
        ) { FilterRequest.list(index3, parent: 0) },
        Golden(
            command: "tc filter get dev w0 ingress prio 1 handle 1 protocol all bpf",
            theirs: """
                2c000000 2e00 0900 00000000 00000000
                00000000 02000000 01000000 f2ffffff 00030100 08000100 62706600
                """,
            exceptAt: [6: 5]
        ) { FilterRequest.name(Int(RTM_GETTFILTER), priority: 1, handle: 1, chain: 0, at: ingress2) },
        Golden(
            command: "tc filter del dev w0 ingress prio 1 handle 1 bpf",
            theirs: """
                2c000000 2d00 0500 00000000 00000000
                00000000 02000000 01000000 f2ffffff 00000100 08000100 62706600
                """,
            exceptAt: [33: 3]
        ) { FilterRequest.name(Int(RTM_DELTFILTER), priority: 1, handle: 1, chain: 0, at: ingress2) },
        Golden(
            command: "tc filter del dev w0 ingress",
            theirs: """
                24000000 2d00 0500 00000000 00000000
                00000000 02000000 00000000 f2ffffff 00000000
                """
        ) { FilterRequest.deleteAll(priority: nil, at: ingress2) },
        Golden(
            command: "tc filter del dev w0 ingress",
            theirs: """
                24000000 2d00 0500 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00000000
                """
        ) { FilterRequest.deleteAll(priority: nil, at: ingress) },
        Golden(
            command: "tc filter del dev w0 ingress prio 1",
            theirs: """
                24000000 2d00 0500 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00000100
                """
        ) { FilterRequest.deleteAll(priority: 1, at: ingress) },
        // Without a handle a replacement adds a second filter.
        Golden(
            command: "tc filter replace dev w0 ingress prio 1 bpf da pinned $P",
            theirs: """
                58000000 2c00 0504 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00030100 08000100 62706600 2c000200
                08000600 04000000 15000700 6c616270 6173733a 5b2a6673 6f626a5d 00000000
                08000800 01000000
                """,
            moreFlags: echo, isRefused: true
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 1, handle: 0), NLM_F_CREATE, at: ingress)
        },
        Golden(
            command: "tc filter replace dev w0 ingress bpf da pinned $P",
            theirs: """
                58000000 2c00 0504 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00030000 08000100 62706600 2c000200
                08000600 04000000 15000700 6c616270 6173733a 5b2a6673 6f626a5d 00000000
                08000800 01000000
                """,
            moreFlags: echo, isRefused: true
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 0, handle: 0), NLM_F_CREATE, at: ingress)
        },
    ]

    static let ethtool: [Golden] = [
        Golden(
            command: "ethtool, finding its family",
            theirs: """
                20000000 1000 0500 00000000 00000000
                03010000 0c000200 65746874 6f6f6c00
                """
        ) { EthtoolRequest.family("ethtool") },
        Golden(
            command: "ethtool, asking for the names of features",
            theirs: """
                28000000 1500 0500 00000000 00000000
                01010000 04000180 10000280 0c000180 08000100 04000000
                """
        ) { EthtoolRequest.strings(21, 4) },
        Golden(
            command: "ethtool -K w0 tso off gso off gro on tx off",
            theirs: """
                a0010000 1500 0500 00000000 00000000
                0c010000 14000180 07000200 77300000 08000300 01000000 78010380 74010380
                1c000180 18000200 74782d74 63702d73 65676d65 6e746174 696f6e00 20000180
                1c000200 74782d74 63702d65 636e2d73 65676d65 6e746174 696f6e00 28000180
                21000200 74782d74 63702d6d 616e676c 6569642d 7365676d 656e7461 74696f6e
                00000100 20000180 19000200 74782d74 6370362d 7365676d 656e7461 74696f6e
                00630000 24000180 1f000200 74782d74 63702d61 63636563 6e2d7365 676d656e
                74617469 6f6e0000 20000180 1c000200 74782d67 656e6572 69632d73 65676d65
                6e746174 696f6e00 14000180 0b000200 72782d67 726f0074 04000300 1c000180
                15000200 74782d63 6865636b 73756d2d 69707634 00000000 20000180 1b000200
                74782d63 6865636b 73756d2d 69702d67 656e6572 69630000 1c000180 15000200
                74782d63 6865636b 73756d2d 69707636 00000000 20000180 19000200 74782d63
                6865636b 73756d2d 66636f65 2d637263 00720000 1c000180 15000200 74782d63
                6865636b 73756d2d 73637470 006c656e
                """
        ) {
            EthtoolRequest.set(
                21, compactly, segmentation.map { ($0, false) } + [("rx-gro", true)] + checksums.map { ($0, false) })
        },
        Golden(
            command: "ethtool -k w0",
            theirs: """
                28000000 1500 0500 00000000 00000000
                0b010000 14000180 07000200 77300000 08000300 01000000
                """
        ) { EthtoolRequest.features(21, compactly) },
        Golden(
            command: "ethtool -K w0 tx on",
            theirs: """
                d8000000 1500 0500 00000000 00000000
                0c010000 14000180 07000200 77300000 08000300 01000000 b0000380 ac000380
                20000180 15000200 74782d63 6865636b 73756d2d 69707634 00722d67 04000300
                24000180 1b000200 74782d63 6865636b 73756d2d 69702d67 656e6572 6963002d
                04000300 20000180 15000200 74782d63 6865636b 73756d2d 69707636 00000180
                04000300 24000180 19000200 74782d63 6865636b 73756d2d 66636f65 2d637263
                00630000 04000300 20000180 15000200 74782d63 6865636b 73756d2d 73637470
                00707636 04000300
                """
        ) { EthtoolRequest.set(21, compactly, checksums.map { ($0, true) }) },
    ]

    static let compactly = EthtoolRequest.Device.name("w0", isCompact: true)
    static let segmentation = [
        "tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation", "tx-tcp6-segmentation",
        "tx-tcp-accecn-segmentation", "tx-generic-segmentation",
    ]
    static let checksums = [
        "tx-checksum-ipv4", "tx-checksum-ip-generic", "tx-checksum-ipv6", "tx-checksum-fcoe-crc", "tx-checksum-sctp",
    ]
}
