import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Next hops and groups of them.
extension GoldenRequestTests {
    static let nextHops: [Golden] = [
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

    static let nextHopGroups: [Golden] = [
        Golden(
            command: "ip nexthop add id 9 group 7,2/8",
            theirs: """
                34000000 6800 0506 00000000 00000000
                00000000 00000000                                       # nhmsg: a group is of no family
                0800 0100 09000000
                1400 0200 07000000 01000000 08000000 00000000           # struct nexthop_grp: weights less one
                """
        ) { NextHopRequest.change(createNew, unsigned(.group(9, [.init(7, weight: 2), .init(8)]))) },
        Golden(
            command: "ip nexthop add id 10 group 7/8 type resilient buckets 32",
            theirs: """
                48000000 6800 0506 00000000 00000000
                00000000 00000000
                0800 0100 0a000000
                1400 0200 07000000 00000000 08000000 00000000
                0c00 0c80  0600 0100 20000000                           # NHA_RES_GROUP { NHA_RES_GROUP_BUCKETS }
                0600 0300 01000000                                      # NHA_GROUP_TYPE: resilient
                """
        ) { NextHopRequest.change(createNew, unsigned(.group(10, [.init(7), .init(8)], buckets: 32))) },
    ]

    /// `ip nexthop` does not sign what it makes.
    static func unsigned(_ hop: NextHopObject) -> NextHopObject {
        var hop = hop
        hop.origin = .unspecified
        return hop
    }
}
