import Foundation
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct NextHopTests {
        @Test(arguments: IPAddress.Family.allCases)
        func `adds, replaces, lists and deletes next hops, and routes follow`(_ family: IPAddress.Family) throws {
            let cable = try Cable()
            let isV4 = family == .v4
            let link = cable.left.index
            try cable.client.addresses.add(isV4 ? "10.0.0.1/24" : "fd00::1/64", to: link, flags: .noDuplicateDetection)
            let hops = cable.client.nextHops
            let first = NextHopObject(7, gateway: isV4 ? "10.0.0.9" : "fd00::9", link: link)
            try hops.add(first)
            #expect(try failure { () throws(NetlinkError) in try hops.add(first) }.isAlreadyPresent)
            #expect(try hops.get(7) == first)

            let network: IPPrefix = isV4 ? "198.51.100.0/24" : "2001:db8:1::/48"
            var route = Route(to: network)
            route.nextHopID = 7
            try cable.client.routes.add(route)
            let listed = try #require(try cable.client.routes.list(family).first { $0.destination == network })
            #expect(listed.nextHopID == 7)
            #expect(listed.gateway == first.gateway)

            var second = first
            second.gateway = isV4 ? "10.0.0.10" : "fd00::10"
            try hops.replace(second)
            #expect(try cable.client.routes.lookup(to: network.address)?.gateway == second.gateway)
            try cable.client.links.update(LinkIndex(rawValue: 1), LinkUpdate(isUp: true))
            try hops.add(.blackhole(8, family))
            try hops.add(NextHopObject(9, family, link: link))
            #expect(try hops.list().map(\.id) == [7, 8, 9])
            #expect(try hops.get(8)?.isBlackhole == true)
            let rows = try table(witness("ip", "-j", "nexthop", "show", in: cable.namespace))
            #expect(rows.map { $0["id"] as? UInt32 } == [7, 8, 9])
            #expect(rows.map { $0["gateway"] as? String } == ["\(try #require(second.gateway))", nil, nil])
            #expect(rows.map { $0["dev"] as? String }.last == "left")

            try cable.client.routes.delete(listed)
            try cable.client.routes.add(route)
            try hops.delete(7)
            #expect(try cable.client.routes.list(family).allSatisfy { $0.destination != network }, "it went along")
            #expect(try hops.get(7) == nil)
            let gone = try failure { () throws(NetlinkError) in try hops.delete(7) }
            #expect(gone.isNotFound, "\(gone)")
        }

        @Test func `shares traffic among a group, with others among the list`() throws {
            let cable = try Cable()
            let link = cable.left.index
            try cable.client.addresses.add("10.0.0.1/24", to: link)
            let hops = cable.client.nextHops
            for id: UInt32 in 7...8 {
                try hops.add(NextHopObject(id, gateway: IPAddress(10, 0, 0, UInt8(id)), link: link))
            }
            let group = NextHopObject.group(9, [NextHopMember(7, weight: 2), NextHopMember(8)])
            let resilient = NextHopObject.group(10, [NextHopMember(7), NextHopMember(8)], buckets: 32)
            try hops.add(group)
            try hops.add(resilient)
            #expect(try hops.list().map(\.id) == [7, 8, 9, 10])
            #expect(try hops.get(9) == group && hops.get(10) == resilient)
            let rows = try table(witness("ip", "-j", "nexthop", "show", "id", "9", in: cable.namespace))
            let members = try #require(rows.first?["group"] as? [[String: Any]])
            #expect(members.map { $0["id"] as? Int } == [7, 8])
            #expect(members.map { $0["weight"] as? Int } == [2, nil])

            var route = Route(to: "198.51.100.0/24")
            route.nextHopID = 9
            try cable.client.routes.add(route)
            let listed = try #require(try cable.client.routes.list(.v4).first { $0.destination == "198.51.100.0/24" })
            #expect(listed.nextHopID == 9 && listed.nextHops.map(\.weight) == [2, 1])

            let empty = try failure { () throws(NetlinkError) in try hops.add(.group(11, [])) }
            #expect(empty.errno == .invalidArgument && empty.message == "a group of next hops has members")
            let unknown = try failure { () throws(NetlinkError) in try hops.add(.group(11, [NextHopMember(99)])) }
            #expect(unknown.errno == .invalidArgument && unknown.message == "Invalid nexthop id", "\(unknown)")
        }

        @Test func `refuses number zero, which the kernel would choose`() throws {
            let client = try RouteClient(in: .anonymous())
            let zero = try failure { () throws(NetlinkError) in try client.nextHops.add(.blackhole(0, .v4)) }
            #expect(zero.errno == .invalidArgument)
            #expect(try client.nextHops.list().isEmpty)
        }
    }
}
