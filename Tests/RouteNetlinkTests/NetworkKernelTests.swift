import Foundation
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct AddressTests {
        @Test func `adds, replaces, lists and deletes`() throws {
            let cable = try Cable()
            let addresses = cable.client.addresses
            try addresses.add("192.0.2.1/24", to: cable.left.index)
            try addresses.add("fd00::1/64", to: cable.left.index, flags: [.noDuplicateDetection, .noPrefixRoute])
            try addresses.add("10.1.1.1/32", to: cable.left.index, peer: "10.1.1.2", scope: .link)
            let found = try addresses.list(on: cable.left.index)
            #expect(found.map(\.prefix.description).sorted() == ["10.1.1.1/32", "192.0.2.1/24", "fd00::1/64"])
            let v6 = try #require(found.first { $0.prefix == "fd00::1/64" })
            #expect(v6.flags.isSuperset(of: [.noDuplicateDetection, .noPrefixRoute, .permanent]))
            #expect(!v6.flags.contains(.tentative))
            let far = try #require(found.first { $0.peer != nil })
            #expect(far.peer == "10.1.1.2")
            #expect(far.scope == .link)
            #expect(try addresses.list(on: cable.right.index).isEmpty)
            #expect(try addresses.list().count == 3)

            let row = try table(witness("ip", "-j", "addr", "show", "dev", "left", in: cable.namespace)).first
            let info = row?["addr_info"] as? [[String: Any]] ?? []
            #expect(info.compactMap { $0["local"] as? String }.sorted() == ["10.1.1.1", "192.0.2.1", "fd00::1"])

            let again = try failure { () throws(NetlinkError) in
                try addresses.add("192.0.2.1/24", to: cable.left.index)
            }
            #expect(again.isAlreadyPresent)
            try addresses.replace("192.0.2.1/24", on: cable.left.index)
            try addresses.replace("fd00::1/64", on: cable.left.index, flags: .noDuplicateDetection)
            let replaced = try addresses.list(on: cable.left.index)
            #expect(replaced.count == 3)
            #expect(replaced.first { $0.prefix == "fd00::1/64" }?.flags.contains(.noPrefixRoute) == false)
            try addresses.delete("192.0.2.1/24", from: cable.left.index)
            try addresses.delete("fd00::1/64", from: cable.left.index)
            try addresses.delete("10.1.1.1/32", from: cable.left.index, peer: "10.1.1.2")
            #expect(try addresses.list(on: cable.left.index).isEmpty)
            for prefix in ["192.0.2.1/24", "fd00::1/64"] as [IPPrefix] {
                let gone = try failure { () throws(NetlinkError) in
                    try addresses.delete(prefix, from: cable.left.index)
                }
                #expect(gone.isNotFound, "\(gone)")
            }
            let nowhere = try failure { () throws(NetlinkError) in
                try addresses.add("192.0.2.1/24", to: LinkIndex(rawValue: 9999))
            }
            #expect(nowhere.isNotFound)
        }
    }

    @Suite struct RouteTests {
        @Test(arguments: IPAddress.Family.allCases)
        func `adds, replaces, lists, looks up and deletes`(_ family: IPAddress.Family) throws {
            let cable = try Cable()
            let isV4 = family == .v4
            let own: IPPrefix = isV4 ? "10.0.0.1/24" : "fd00::1/64"
            let router: IPAddress = isV4 ? "10.0.0.254" : "fd00::fe"
            let network: IPPrefix = isV4 ? "198.51.100.0/24" : "2001:db8:1::/48"
            let inside: IPAddress = isV4 ? "198.51.100.7" : "2001:db8:1::7"
            let outside: IPAddress = isV4 ? "203.0.113.1" : "2001:db8:2::1"
            try cable.client.addresses.add(own, to: cable.left.index, flags: .noDuplicateDetection)
            let routes = cable.client.routes

            #expect(try routes.lookup(to: inside) == nil)
            let route = Route(to: network, via: router, link: cable.left.index, priority: 50, mtu: 1400)
            try routes.add(route)
            #expect(try failure { () throws(NetlinkError) in try routes.add(route) }.isAlreadyPresent)
            let listed = try #require(try routes.list(family).first { $0.destination == network })
            #expect(listed.gateway == router)
            #expect(listed.outputInterface == cable.left.index)
            #expect(listed.priority == 50)
            #expect(listed.mtu == 1400)
            #expect(listed.origin == .administrator)
            #expect(listed.table == Route.mainTable)

            let way = try #require(try routes.lookup(to: inside))
            #expect(way.gateway == router)
            #expect(way.outputInterface == cable.left.index)
            #expect(way.preferredSource == own.address)
            #expect(way.table == Route.mainTable)
            #expect(try routes.lookup(to: inside, from: own.address)?.gateway == router)
            // IPv6's local route is made by a work queue.
            var here = try routes.lookup(to: own.address)
            for _ in 0..<200 where here?.type != .local {
                usleep(10_000)
                here = try routes.lookup(to: own.address)
            }
            #expect(here?.type == .local)
            let option = isV4 ? "-4" : "-6"
            let rows = try table(witness("ip", "-j", option, "route", "get", "\(inside)", in: cable.namespace))
            #expect(rows.first?["gateway"] as? String == "\(router)")
            #expect(rows.first?["prefsrc"] as? String == "\(own.address)")

            var other = route
            other.mtu = 1300
            try routes.replace(other)
            #expect(try routes.list(family).filter { $0.destination == network }.map(\.mtu) == [1300])
            try routes.add(.default(via: router, link: cable.left.index))
            #expect(try routes.lookup(to: outside)?.gateway == router)
            try routes.delete(.default(via: router, link: cable.left.index))
            #expect(try routes.lookup(to: outside) == nil)
            try routes.delete(other)
            #expect(try routes.lookup(to: inside) == nil)
            let gone = try failure { () throws(NetlinkError) in try routes.delete(other) }
            #expect(gone.isNotFound, "\(gone)")
        }

        @Test func `knows types, tables, gateways on link and of the other family`() throws {
            let cable = try Cable()
            let routes = cable.client.routes
            try cable.client.addresses.add("10.0.0.1/24", to: cable.left.index)
            try cable.client.addresses.add("fd00::1/64", to: cable.left.index, flags: .noDuplicateDetection)
            try routes.add(Route(to: "198.18.0.0/15", type: .blackhole))
            try routes.add(Route(to: "198.51.100.0/24", type: .unreachable))
            try routes.add(Route(to: "203.0.113.0/24", type: .prohibit))
            try routes.add(Route(to: "192.0.2.0/24", link: cable.left.index))
            try routes.add(Route(to: "192.88.0.0/24", via: "172.16.0.1", link: cable.left.index, isOnLink: true))
            try routes.add(Route(to: "192.88.1.0/24", via: "fd00::2", link: cable.left.index))
            try routes.add(Route(to: "192.88.2.0/24", via: "10.0.0.2", table: 1000))
            try routes.add(
                Route(
                    to: "192.88.3.0/24",
                    nextHops: [
                        .init(gateway: "10.0.0.2", weight: 3), .init(gateway: "fd00::2", link: cable.left.index),
                    ]))
            #expect(try routes.lookup(to: "198.51.100.1") == nil, "EHOSTUNREACH")
            #expect(
                try failure { () throws(NetlinkError) in _ = try routes.lookup(to: "203.0.113.1") }.errno
                    == .permissionDenied)
            #expect(
                try failure { () throws(NetlinkError) in _ = try routes.lookup(to: "198.18.0.1") }.errno
                    == .invalidArgument)
            let found = try routes.list(.v4)
            func route(_ destination: IPPrefix) throws -> Route {
                try #require(found.first { $0.destination == destination })
            }
            #expect(try route("198.18.0.0/15").type == .blackhole)
            #expect(try route("192.0.2.0/24").scope == .link)
            #expect(try route("192.88.0.0/24").isOnLink)
            #expect(try route("192.88.1.0/24").gateway == "fd00::2")
            #expect(try route("192.88.2.0/24").table == 1000)
            #expect(try route("192.88.3.0/24").nextHops.map(\.gateway) == ["10.0.0.2", "fd00::2"])
            #expect(try route("192.88.3.0/24").nextHops.map(\.weight) == [3, 1])
            #expect(try routes.list(.v4, table: 1000).count == 1)
            #expect(try routes.list(table: 4242).isEmpty, "a table that does not exist")
            let text = try witness("ip", "route", "show", "192.88.1.0/24", in: cable.namespace)
            #expect(text.contains("via inet6 fd00::2"))
            // What was listed can be deleted as it was listed.
            for each in found where each.origin == .administrator { try routes.delete(each) }
            #expect(try routes.list(.v4).filter { $0.origin == .administrator }.isEmpty)
        }

        @Test func `looks a marked packet up in its table`() throws {
            let cable = try Cable()
            try cable.client.addresses.add("10.0.0.1/24", to: cable.left.index)
            try cable.client.routes.add(Route(to: "192.0.2.0/24", via: "10.0.0.2", table: 77))
            _ = try witness("ip", "rule", "add", "fwmark", "5", "table", "77", in: cable.namespace)
            #expect(try cable.client.routes.lookup(to: "192.0.2.1") == nil)
            let way = try #require(try cable.client.routes.lookup(to: "192.0.2.1", mark: 5))
            #expect(way.gateway == "10.0.0.2")
            #expect(way.table == 77)
        }

        @Test func `lists ten thousand routes whole`() throws {
            let cable = try Cable()
            for index in 0..<10_000 {
                let address = IPAddress(10, UInt8(index >> 8), UInt8(index & 0xff), 0)
                let prefix = try #require(IPPrefix(address, length: 24))
                try cable.client.routes.add(Route(to: prefix, link: cable.left.index))
            }
            #expect(Set(try cable.client.routes.list(.v4, table: Route.mainTable)).count == 10_000)
        }
    }

    @Suite struct NeighborTests {
        @Test(arguments: ["10.0.0.9", "fd00::9"] as [IPAddress])
        func `adds, replaces, gets, lists and deletes`(_ address: IPAddress) throws {
            let cable = try Cable()
            let neighbors = cable.client.neighbors
            let link = cable.left.index
            let first = Neighbor(address: address, link: link, macAddress: "02:00:00:00:00:09")
            try neighbors.add(first)
            #expect(try failure { () throws(NetlinkError) in try neighbors.add(first) }.isAlreadyPresent)
            #expect(try neighbors.get(address, on: link) == first)
            var second = first
            second.macAddress = "02:00:00:00:00:0a"
            second.state = .stale
            try neighbors.replace(second)
            #expect(try neighbors.get(address, on: link) == second)
            #expect(try neighbors.list(on: link).filter { $0.address == address } == [second])
            #expect(try neighbors.list(family: address.family).contains(second))
            #expect(try neighbors.list(on: cable.right.index).filter { $0.address == address }.isEmpty)
            let rows = try table(witness("ip", "-j", "neigh", "show", "dev", "left", in: cable.namespace))
            let row = rows.first { $0["dst"] as? String == "\(address)" }
            #expect(row?["lladdr"] as? String == "02:00:00:00:00:0a")
            try neighbors.delete(address, on: link)
            let after = try neighbors.get(address, on: link)
            #expect(after == nil || after?.state == .failed)
            let never: IPAddress = address.family == .v4 ? "10.0.0.77" : "fd00::77"
            #expect(try neighbors.get(never, on: link) == nil)
            #expect(try failure { () throws(NetlinkError) in try neighbors.delete(never, on: link) }.isNotFound)
        }
    }
}
