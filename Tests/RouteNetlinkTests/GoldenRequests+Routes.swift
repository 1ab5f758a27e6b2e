import CPseudowireMNL
import InternetAddress

@testable import RouteNetlink

/// Routes, look-ups and next hops.
extension GoldenRequestTests {
    /// `ip route` signs its routes as boot's.
    static func booted(_ route: Route) -> Route {
        var route = route
        route.origin = .boot
        return route
    }

    static func newRoute(_ route: Route, _ flags: Int32 = createNew) -> Request {
        RouteRequest.change(Int(RTM_NEWROUTE), flags, booted(route))
    }

    static let routes: [Golden] = [
        Golden(
            command: "ip route add default via 10.0.0.254",
            theirs: """
                24000000 1800 0506 00000000 00000000
                02 00 00 00 fe 03 00 01 00000000                        # rtmsg
                0800 0500 0a0000fe
                """
        ) { newRoute(.default(via: "10.0.0.254")) },
        Golden(
            command: "ip route add default via fd00::2 dev br0",
            theirs: """
                38000000 1800 0506 00000000 00000000
                0a 00 00 00 fe 03 00 01 00000000
                1400 0500 fd000000000000000000000000000002
                0800 0400 03000000
                """
        ) { newRoute(.default(via: "fd00::2", link: index3)) },
        Golden(
            command: "ip route add 192.0.2.0/24 via 10.9.9.9 dev br0 onlink",
            theirs: """
                34000000 1800 0506 00000000 00000000
                02 18 00 00 fe 03 00 01 04000000                        # RTNH_F_ONLINK
                0800 0100 c0000200
                0800 0500 0a090909
                0800 0400 03000000
                """
        ) { newRoute(Route(to: "192.0.2.0/24", via: "10.9.9.9", link: index3, isOnLink: true)) },
        Golden(
            command: "ip route add 203.0.113.0/24 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3",
            theirs: """
                48000000 1800 0506 00000000 00000000
                02 18 00 00 fe 03 00 01 00000000
                0800 0100 cb007100
                2400 0900
                  1000 00 01 00000000  0800 0500 0a000002               # rtnexthop, RTA_GATEWAY
                  1000 00 00 00000000  0800 0500 0a000003
                """
        ) {
            newRoute(
                Route(
                    to: "203.0.113.0/24",
                    nextHops: [.init(gateway: "10.0.0.2", weight: 2), .init(gateway: "10.0.0.3")]))
        },
        Golden(
            command: "ip route replace 203.0.113.128/25 dev br0 scope link src 10.0.0.1 metric 50",
            theirs: """
                3c000000 1800 0505 00000000 00000000
                02 19 00 00 fe 03 fd 01 00000000
                0800 0100 cb007180
                0800 0700 0a000001
                0800 0600 32000000
                0800 0400 03000000
                """
        ) {
            newRoute(
                Route(to: "203.0.113.128/25", link: index3, preferredSource: "10.0.0.1", priority: 50),
                createOrReplace)
        },
    ]

    static let routeQueries: [Golden] = [
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
