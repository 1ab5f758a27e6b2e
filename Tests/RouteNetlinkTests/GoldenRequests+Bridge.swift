import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// VLANs of a bridge's ports, and rows of forwarding databases.
extension GoldenRequestTests {
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

    static let bridgeVLANs: [Golden] = [
        Golden(
            command: "bridge vlan add dev p0 vid 10 pvid untagged",
            theirs: """
                2c000000 1300 0500 00000000 00000000                    # RTM_SETLINK
                07000000 03000000 00000000 00000000                     # AF_BRIDGE
                0c00 1a00  0800 0200 0600 0a00                          # IFLA_AF_SPEC { IFLA_BRIDGE_VLAN_INFO }
                """
        ) {
            BridgeVLANRequest.change(
                Int(RTM_SETLINK), BridgeVLAN(10, isDefault: true, isUntagged: true), index3, isBridge: false)
        },
        Golden(
            command: "bridge vlan add dev br0 vid 20-29 self",
            theirs: """
                3c000000 1300 0500 00000000 00000000
                07000000 02000000 00000000 00000000
                1c00 1a00
                  0600 0000 0200 0000                                   # IFLA_BRIDGE_FLAGS: BRIDGE_FLAGS_SELF
                  0800 0200 0800 1400                                   # the first of a row
                  0800 0200 1000 1d00                                   # and the last
                """
        ) { BridgeVLANRequest.change(Int(RTM_SETLINK), BridgeVLAN(20...29), index2, isBridge: true) },
        Golden(
            command: "bridge vlan del dev p0 vid 10",
            theirs: """
                2c000000 1100 0500 00000000 00000000
                07000000 03000000 00000000 00000000
                0c00 1a00  0800 0200 0000 0a00
                """
        ) { BridgeVLANRequest.change(Int(RTM_DELLINK), BridgeVLAN(10), index3, isBridge: false) },
        // Without -compressvlans it asks for each VLAN by itself: mask 2 instead of 4.
        Golden(
            command: "bridge vlan show",
            theirs: """
                28000000 1200 0103 00000000 00000000
                07000000 00000000 00000000 00000000 08001d00 02000000
                """,
            moreFlags: UInt16(NLM_F_ACK), exceptAt: [36: 4]
        ) { BridgeVLANRequest.list() },
    ]
}
