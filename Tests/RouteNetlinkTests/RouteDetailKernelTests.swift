import Foundation
import InternetAddress
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct RouteDetailTests {
        @Test(arguments: IPAddress.Family.allCases)
        func `keeps every metric, and reads them as ip does`(_ family: IPAddress.Family) throws {
            let cable = try Cable()
            var route = GoldenRequestTests.measured
            route.outputInterface = cable.left.index
            route.metrics.fastOpenWithoutCookie = true
            // The kernel compiles in what it has.
            let algorithm = try witness("cat", "/proc/sys/net/ipv4/tcp_congestion_control", in: cable.namespace)
            route.metrics.congestionControl = algorithm.trimmingCharacters(in: .whitespacesAndNewlines)
            if family == .v6 {
                var other = Route(to: "2001:db8:1::/48", link: cable.left.index)
                other.metrics = route.metrics
                route = other
            }
            try cable.client.routes.add(route)
            let found = try #require(
                try cable.client.routes.list(family).first { $0.destination == route.destination })
            #expect(found.metrics == route.metrics)
            #expect(found.isMTULocked)
            let option = family == .v4 ? "-4" : "-6"
            let rows = try table(
                witness(
                    "ip", "-j", option, "route", "show", "\(try #require(route.destination))", in: cable.namespace))
            let all = rows.first?["metrics"] as? [[String: Any]]
            let metrics = try #require(all?.first)
            #expect(metrics["mtu"] as? Int == 1400)
            #expect(metrics["advmss"] as? Int == 1300)
            #expect(metrics["window"] as? Int == 5)
            #expect(metrics["initcwnd"] as? Int == 10)
            #expect(metrics["initrwnd"] as? Int == 11)
            #expect(metrics["hoplimit"] as? Int == 64)
            #expect(metrics["quickack"] as? Int == 1)
            #expect(metrics["cwnd"] as? Int == 12)
            #expect(metrics["ssthresh"] as? Int == 13)
            #expect(metrics["reordering"] as? Int == 4)
            #expect(metrics["congestion"] as? String == route.metrics.congestionControl)
            // What was listed can be deleted as it was listed, metrics and all.
            try cable.client.routes.delete(found)
        }

        @Test(arguments: IPAddress.Family.allCases)
        func `reads several ways as ip does`(_ family: IPAddress.Family) throws {
            let cable = try Cable()
            let isV4 = family == .v4
            try cable.client.addresses.add(
                isV4 ? "10.0.0.1/24" : "fd00::1/64", to: cable.left.index, flags: .noDuplicateDetection)
            try cable.client.addresses.add(
                isV4 ? "10.0.1.1/24" : "fd01::1/64", to: cable.right.index, flags: .noDuplicateDetection)
            let network: IPPrefix = isV4 ? "198.51.100.0/24" : "2001:db8:1::/48"
            let gateways: [IPAddress] = isV4 ? ["10.0.0.2", "10.0.1.2"] : ["fd00::2", "fd01::2"]
            let links = [cable.left.index, cable.right.index]
            let hops = zip(gateways, links).enumerated().map { index, hop in
                Route.NextHop(gateway: hop.0, link: hop.1, weight: UInt16(index) * 254 + 2)
            }
            try cable.client.routes.add(Route(to: network, nextHops: hops))
            let found = try #require(try cable.client.routes.list(family).first { $0.destination == network })
            #expect(found.nextHops == hops)
            #expect(found.gateway == nil)
            let rows = try table(
                witness("ip", "-j", isV4 ? "-4" : "-6", "route", "show", "\(network)", in: cable.namespace))
            let theirs = try #require(rows.first?["nexthops"] as? [[String: Any]])
            #expect(theirs.map { $0["gateway"] as? String } == gateways.map { "\($0)" })
            #expect(theirs.map { $0["dev"] as? String } == ["left", "right"])
            #expect(theirs.map { $0["weight"] as? UInt16 } == [2, 256])
            let way = try #require(try cable.client.routes.lookup(to: network.address))
            #expect(gateways.contains(try #require(way.gateway)))
            try cable.client.routes.delete(found)
            #expect(try cable.client.routes.lookup(to: network.address) == nil)
        }

        @Test(arguments: IPAddress.Family.allCases)
        func `looks up by interface, mark and user, and finds the route itself`(_ family: IPAddress.Family) throws {
            let cable = try Cable()
            let isV4 = family == .v4
            let client = cable.client
            let target: IPAddress = isV4 ? "198.51.100.7" : "2001:db8:1::7"
            let network: IPPrefix = isV4 ? "198.51.100.0/24" : "2001:db8:1::/48"
            try client.addresses.add(
                isV4 ? "10.0.0.1/24" : "fd00::1/64", to: cable.left.index, flags: .noDuplicateDetection)
            try client.addresses.add(
                isV4 ? "10.0.1.1/24" : "fd01::1/64", to: cable.right.index, flags: .noDuplicateDetection)
            var near = Route(to: network, link: cable.left.index, priority: 10)
            near.metrics.advertisedSegmentSize = 1300
            try client.routes.add(near)
            try client.routes.add(Route(to: network, link: cable.right.index, priority: 20))
            #expect(try client.routes.lookup(to: target)?.outputInterface == cable.left.index)
            let bound = try client.routes.lookup(RouteQuery(to: target, outputInterface: cable.right.index))
            #expect(bound?.outputInterface == cable.right.index)

            let match = try #require(try client.routes.lookup(RouteQuery(to: target, wantsRoute: true)))
            #expect(match.destination == network)
            #expect(match.priority == 10)
            #expect(match.metrics.advertisedSegmentSize == 1300)
            let option = isV4 ? "-4" : "-6"
            let rows = try table(
                witness("ip", "-j", option, "route", "get", "fibmatch", "\(target)", in: cable.namespace))
            #expect(rows.first?["dst"] as? String == "\(network)")
            #expect(try client.routes.lookup(to: target)?.destination?.length == (isV4 ? 32 : 128))

            var elsewhere = Route(to: network, link: cable.right.index)
            elsewhere.table = 77
            try client.routes.add(elsewhere)
            _ = try witness("ip", option, "rule", "add", "uidrange", "1000-1000", "table", "77", in: cable.namespace)
            let users = try client.routes.lookup(RouteQuery(to: target, userID: 1000))
            #expect(users?.table == 77)
            #expect(users?.outputInterface == cable.right.index)
            let others = try client.routes.lookup(RouteQuery(to: target, userID: 1001))
            #expect(others?.table == Route.mainTable)
        }
    }

    @Suite struct NeighborProxyTests {
        @Test(arguments: ["10.0.0.77", "fd00::77"] as [IPAddress])
        func `adds, lists and deletes a proxy, which is no neighbour`(_ address: IPAddress) throws {
            let cable = try Cable()
            let neighbors = cable.client.neighbors
            let link = cable.left.index
            try neighbors.addProxy(address, on: link)
            try neighbors.addProxy(address, on: link)
            try neighbors.addProxy(address, on: cable.right.index)
            let found = try neighbors.listProxies(on: link)
            #expect(found.map(\.address) == [address])
            #expect(found.allSatisfy { $0.flags.contains(.proxy) && $0.link == link })
            #expect(try neighbors.listProxies().count == 2)
            #expect(try neighbors.list(on: link).allSatisfy { $0.address != address })
            let text = try witness("ip", "neigh", "show", "proxy", "dev", "left", in: cable.namespace)
            #expect(text.hasPrefix("\(address) "), "\(text)")
            try neighbors.deleteProxy(address, on: link)
            #expect(try neighbors.listProxies(on: link).isEmpty)
            #expect(try neighbors.listProxies(on: cable.right.index).count == 1)
            let gone = try failure { () throws(NetlinkError) in try neighbors.deleteProxy(address, on: link) }
            #expect(gone.isNotFound, "\(gone)")
        }
    }
}
