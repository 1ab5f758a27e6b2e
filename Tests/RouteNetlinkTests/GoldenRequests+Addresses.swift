import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Addresses of interfaces, and of neighbours.
extension GoldenRequestTests {
    static let addresses: [Golden] = [
        Golden(
            command: "ip addr add 10.0.0.1/24 dev br0",
            theirs: """
                28000000 1400 0506 00000000 00000000
                02 18 00 00 03000000                                    # ifaddrmsg
                0800 0200 0a000001  0800 0100 0a000001                  # IFA_LOCAL, IFA_ADDRESS
                """
        ) { address("10.0.0.1/24", []) },
        Golden(
            command: "ip addr add fd00::1/64 dev br0 nodad",
            theirs: """
                40000000 1400 0506 00000000 00000000
                0a 40 02 00 03000000
                1400 0200 fd000000000000000000000000000001
                1400 0100 fd000000000000000000000000000001
                """
        ) { address("fd00::1/64", .noDuplicateDetection) },
        Golden(
            command: "ip addr add fd00::9/64 dev br0 nodad noprefixroute",
            theirs: """
                48000000 1400 0506 00000000 00000000
                0a 40 00 00 03000000                                    # flags exceed the header's byte
                1400 0200 fd000000000000000000000000000009
                0800 0800 02020000                                      # IFA_FLAGS
                1400 0100 fd000000000000000000000000000009
                """,
            isAnyOrder: true
        ) { address("fd00::9/64", [.noDuplicateDetection, .noPrefixRoute]) },
    ]

    static func address(_ prefix: IPPrefix, _ flags: AddressFlags) -> Request {
        AddressRequest.change(
            Int(RTM_NEWADDR), createNew, prefix, index3, flags: flags, peer: nil, scope: .universe)
    }

    static let neighbors: [Golden] = [
        Golden(
            command: "ip neigh add 10.0.0.50 lladdr 02:00:00:00:00:50 dev br0 nud permanent",
            theirs: """
                30000000 1c00 0506 00000000 00000000
                02 00 0000 03000000 8000 00 00                          # ndmsg
                0800 0100 0a000032
                0a00 0200 020000000050 0000
                """
        ) {
            NeighborRequest.change(
                createNew, Neighbor(address: "10.0.0.50", link: index3, macAddress: "02:00:00:00:00:50"))
        },
        Golden(
            command: "ip neigh replace fd00::50 lladdr 02:00:00:00:00:50 dev br0 nud permanent",
            theirs: """
                3c000000 1c00 0505 00000000 00000000
                0a 00 0000 03000000 8000 00 00
                1400 0100 fd000000000000000000000000000050
                0a00 0200 020000000050 0000
                """
        ) {
            NeighborRequest.change(
                createOrReplace, Neighbor(address: "fd00::50", link: index3, macAddress: "02:00:00:00:00:50"))
        },
        // iproute2 states its default state, permanent, in a deletion too, where we state none.
        Golden(
            command: "ip neigh del 10.0.0.50 dev br0",
            theirs: """
                24000000 1d00 0500 00000000 00000000
                02 00 0000 03000000 8000 00 00
                0800 0100 0a000032
                """,
            exceptAt: [24: 0]
        ) { NeighborRequest.name(Int(RTM_DELNEIGH), "10.0.0.50", index3) },
    ]

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
}
