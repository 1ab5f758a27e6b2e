import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Interfaces, their names and kinds, as iproute2 writes them.
extension GoldenRequestTests {
    static let links: [Golden] = [
        Golden(
            command: "ip link add v0 type veth peer name v1 netns t2",
            theirs: """
                5c000000 1000 0506 00000000 00000000                    # RTM_NEWLINK, CREATE|EXCL|ACK|REQUEST
                0000 0000 00000000 00000000 00000000                    # ifinfomsg
                0700 0300 763000 00                                     # IFLA_IFNAME v0
                3400 1200                                               # IFLA_LINKINFO
                  0800 0100 76657468                                    #   IFLA_INFO_KIND veth, without NUL
                  2800 0200  2400 0100                                  #   IFLA_INFO_DATA, VETH_INFO_PEER
                    0000 0000 00000000 00000000 00000000                #     ifinfomsg of the peer
                    0800 1c00 04000000                                  #     IFLA_NET_NS_FD
                    0700 0300 763100 00                                 #     IFLA_IFNAME v1
                """,
            moreFlags: echo
        ) { LinkRequest.create(.veth("v0", peer: .init(name: "v1", namespace: 4))) },
        Golden(
            command: "ip link add br0 type bridge",
            theirs: """
                38000000 1000 0506 00000000 00000000
                0000 0000 00000000 00000000 00000000
                0800 0300 62723000
                1000 1200  0a00 0100 627269646765 0000
                """,
            moreFlags: echo
        ) { LinkRequest.create(.bridge("br0")) },
        Golden(
            command: "ip link set v0 up mtu 1400 address 02:00:00:00:00:01 alias hello",
            theirs: """
                40000000 1000 0500 00000000 00000000
                0000 0000 02000000 01000000 01000000                    # IFF_UP, and only it in the change mask
                0800 0400 78050000
                0a00 0100 020000000001 0000
                0900 1400 68656c6c6f 000000
                """
        ) {
            LinkRequest.update(
                index2, LinkUpdate(isUp: true, mtu: 1400, address: "02:00:00:00:00:01", alias: "hello"))
        },
        Golden(
            command: "ip link set v0 name w0",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0700 0300 773000 00
                """
        ) { LinkRequest.update(index2, LinkUpdate(name: "w0")) },
        Golden(
            command: "ip link set w0 master br0",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0800 0a00 03000000
                """
        ) { LinkRequest.update(index2, LinkUpdate(master: index3)) },
        Golden(
            command: "ip link set w0 nomaster",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0800 0a00 00000000
                """
        ) { LinkRequest.update(index2, LinkUpdate(master: .some(nil))) },
        Golden(
            command: "ip link set br0 mtu 70000",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 03000000 00000000 00000000
                0800 0400 70110100
                """
        ) { LinkRequest.update(index3, LinkUpdate(mtu: 70000)) },
        Golden(
            command: "ip link set v0 mode dormant",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0500 1100 01 000000                                     # IFLA_LINKMODE
                """
        ) { LinkRequest.update(index2, LinkUpdate(linkMode: .dormant)) },
        Golden(
            command: "ip link set v0 state up mode default",
            theirs: """
                30000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0500 1000 06 000000                                     # IFLA_OPERSTATE
                0500 1100 00 000000                                     # IFLA_LINKMODE
                """
        ) { LinkRequest.update(index2, LinkUpdate(linkMode: .default, operationalState: .up)) },
        Golden(
            command: "ip link del w0",
            theirs: """
                20000000 1100 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                """
        ) { LinkRequest.delete(index2) },
    ]

    static let linkQueries: [Golden] = [
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

    static let alternativeNames: [Golden] = [
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
}
