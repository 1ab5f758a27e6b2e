import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Queueing disciplines and filters, of a first recording.
extension GoldenRequestTests {
    static let trafficControl: [Golden] = [
        Golden(
            command: "tc qdisc add dev w0 clsact",
            theirs: """
                30000000 2400 0506 00000000 00000000
                00000000 03000000 0000ffff f1ffffff 00000000            # tcmsg
                0b00 0100 636c7361637400 00
                """
        ) { QdiscRequest.clsact(Int(RTM_NEWQDISC), createNew, index3) },
        Golden(
            command: "tc qdisc del dev w0 clsact",
            theirs: """
                30000000 2500 0500 00000000 00000000
                00000000 03000000 0000ffff f1ffffff 00000000
                0b00 0100 636c7361637400 00
                """
        ) { QdiscRequest.clsact(Int(RTM_DELQDISC), 0, index3) },
        // It does not ask for an acknowledgement of a dump (0301); the kernel sends none for either.
        Golden(
            command: "tc qdisc show dev w0",
            theirs: "24000000 2600 0103 00000000 00000000 00000000 03000000 00000000 00000000 00000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { QdiscRequest.list(index3) },
        Golden(
            command: "tc filter add dev w0 ingress prio 1 handle 1 bpf da pinned $P",
            theirs: """
                58000000 2c00 0506 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0003 0100           # protocol all, priority 1
                0800 0100 62706600
                2c00 0200
                  0800 0600 04000000                                    # TCA_BPF_FD
                  1500 0700 6c6162706173733a5b2a66736f626a5d00 000000   # TCA_BPF_NAME labpass:[*fsobj]
                  0800 0800 01000000                                    # TCA_BPF_FLAGS
                """,
            moreFlags: echo
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 1, handle: 1), createNew, at: ingress)
        },
        Golden(
            command: "tc filter replace dev w0 ingress prio 1 handle 1 bpf da pinned $P",
            theirs: """
                58000000 2c00 0504 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0003 0100
                0800 0100 62706600
                2c00 0200
                  0800 0600 04000000
                  1500 0700 6c6162706173733a5b2a66736f626a5d00 000000
                  0800 0800 01000000
                """,
            moreFlags: echo
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 1, handle: 1), NLM_F_CREATE, at: ingress)
        },
        Golden(
            command: "tc filter add dev w0 egress chain 5 prio 3 handle 9 bpf da pinned $P",
            theirs: """
                60000000 2c00 0506 00000000 00000000
                00000000 03000000 09000000 f3ffffff 0003 0300
                0800 0b00 05000000
                0800 0100 62706600
                2c00 0200
                  0800 0600 04000000
                  1500 0700 6c6162706173733a5b2a66736f626a5d00 000000
                  0800 0800 01000000
                """,
            moreFlags: echo
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 3, handle: 9, chain: 5), createNew,
                at: egress)
        },
        // It asks with an echo (0x8) instead of an acknowledgement (0x4).
        Golden(
            command: "tc filter get dev w0 ingress prio 1 handle 1 protocol all bpf",
            theirs: """
                2c000000 2e00 0900 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0003 0100
                0800 0100 62706600
                """,
            exceptAt: [6: 5]
        ) { FilterRequest.name(Int(RTM_GETTFILTER), priority: 1, handle: 1, chain: 0, at: ingress) },
        // It leaves the protocol open (0000) where we say that ours is for all (0003).
        Golden(
            command: "tc filter del dev w0 ingress prio 1 handle 1 bpf",
            theirs: """
                2c000000 2d00 0500 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0000 0100
                0800 0100 62706600
                """,
            exceptAt: [33: 3]
        ) { FilterRequest.name(Int(RTM_DELTFILTER), priority: 1, handle: 1, chain: 0, at: ingress) },
        Golden(
            command: "tc filter show dev w0 egress",
            theirs: "24000000 2e00 0103 00000000 00000000 00000000 03000000 00000000 f3ffffff 00000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { FilterRequest.list(index3, parent: egress.direction.parent) },
    ]
}
