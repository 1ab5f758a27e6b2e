import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Ethtool's requests, and numbers of namespaces.
extension GoldenRequestTests {
    static let ethtool: [Golden] = [
        Golden(
            command: "ethtool, finding its family",
            theirs: """
                20000000 1000 0500 00000000 00000000
                03010000 0c000200 65746874 6f6f6c00
                """
        ) { Request.genericFamily("ethtool") },
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

    static let namespaceIDs: [Golden] = [
        Golden(
            command: "ip netns set t2 77",
            theirs: """
                24000000 5800 0500 00000000 00000000
                00 000000                                               # rtgenmsg
                0800 0300 06000000                                      # NETNSA_FD
                0800 0100 4d000000                                      # NETNSA_NSID
                """
        ) { NamespaceIDRequest.assign(NamespaceID(rawValue: 77), 6) },
        Golden(
            command: "ip netns list-id, of one namespace",
            theirs: "1c000000 5a00 0100 00000000 00000000 00 000000 0800 0300 06000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { NamespaceIDRequest.get(6) },
        Golden(
            command: "ip netns list-id",
            theirs: "14000000 5a00 0103 00000000 00000000 00 000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { NamespaceIDRequest.list() },
    ]
}
