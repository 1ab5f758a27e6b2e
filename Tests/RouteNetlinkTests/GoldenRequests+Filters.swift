import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Queueing disciplines and filters, of a second recording, for another interface.
extension GoldenRequestTests {
    static let ingress2 = TrafficHook(link: index2, direction: .ingress)
    static let egress2 = TrafficHook(link: index2, direction: .egress)

    static let qdiscs: [Golden] = [
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

    static let filters: [Golden] = [
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
        Golden(
            command: "tc filter del dev w0 ingress chain 5",
            theirs: """
                2c000000 2d00 0500 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00000000 08000b00 05000000
                """
        ) { FilterRequest.deleteAll(priority: nil, chain: 5, at: ingress) },
        Golden(
            command: "tc filter del dev w0 ingress prio 3 chain 5",
            theirs: """
                2c000000 2d00 0500 00000000 00000000
                00000000 03000000 00000000 f2ffffff 00000300 08000b00 05000000
                """
        ) { FilterRequest.deleteAll(priority: 3, chain: 5, at: ingress) },
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
}
