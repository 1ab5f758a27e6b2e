import Foundation
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct RuleTests {
        @Test(arguments: IPAddress.Family.allCases)
        func `adds, lists and deletes`(_ family: IPAddress.Family) throws {
            let client = try RouteClient(in: .anonymous())
            let rules = client.rules
            let before = try rules.list(family)
            #expect(before.map(\.table).contains(Route.mainTable))
            #expect(before.first?.priority == 0)
            let from: IPPrefix = family == .v4 ? "192.0.2.0/24" : "2001:db8:1::/48"
            let to: IPPrefix = family == .v4 ? "198.51.100.0/24" : "2001:db8:2::/48"
            let rule = Rule(
                family, from: from, to: to, inputInterface: "eth7", outputInterface: "eth8", mark: 0x10,
                markMask: 0xff, table: 1000, priority: 700, suppressPrefixLength: 0, isInverted: true)
            try rules.add(rule)
            #expect(try failure { () throws(NetlinkError) in try rules.add(rule) }.isAlreadyPresent)
            #expect(try rules.list(family).filter { $0.priority == 700 } == [rule])
            try rules.add(Rule(family, table: 0, priority: 701, action: .prohibit))
            #expect(try rules.list(family).first { $0.priority == 701 }?.action == .prohibit)

            let option = family == .v4 ? "-4" : "-6"
            let rows = try table(witness("ip", "-j", option, "rule", "show", in: client.namespace))
            let row = try #require(rows.first { $0["priority"] as? Int == 700 })
            #expect(row["src"] as? String == "\(from.address)")
            #expect(row["dstlen"] as? Int == Int(to.length))
            #expect(row["fwmark"] as? String == "0x10")
            #expect(row["fwmask"] as? String == "0xff")
            #expect(row["iif"] as? String == "eth7")
            #expect(row["oif"] as? String == "eth8")
            #expect(row["table"] as? String == "1000")
            #expect(row["suppress_prefixlen"] as? Int == 0)
            #expect(row.keys.contains("not"))

            try rules.delete(rule)
            let gone = try failure { () throws(NetlinkError) in try rules.delete(rule) }
            #expect(gone.isNotFound, "\(gone)")
            try rules.delete(Rule(family, table: 0, priority: 701, action: .prohibit))
            #expect(try rules.list(family) == before)
        }

        @Test func `a rule decides which table answers`() throws {
            let cable = try Cable()
            try cable.client.addresses.add("10.0.0.1/24", to: cable.left.index)
            try cable.client.routes.add(Route(to: "192.0.2.0/24", via: "10.0.0.2", table: 77))
            #expect(try cable.client.routes.lookup(to: "192.0.2.1") == nil)
            try cable.client.rules.add(Rule(.v4, to: "192.0.2.0/24", table: 77))
            #expect(try cable.client.routes.lookup(to: "192.0.2.1")?.table == 77)
        }

        @Test func `refuses prefixes of two families`() throws {
            let client = try RouteClient(in: .anonymous())
            let error = try failure { () throws(NetlinkError) in
                try client.rules.add(Rule(.v4, from: "2001:db8::/32"))
            }
            #expect(error.errno == .invalidArgument)
        }
    }

    @Suite struct NamespaceIDTests {
        @Test func `assigns, gets and lists`() throws {
            let client = try RouteClient(in: .anonymous())
            let blue = try NetworkNamespace.anonymous()
            let red = try NetworkNamespace.anonymous()
            let ids = client.namespaces
            #expect(try ids.id(of: blue) == nil)
            #expect(try ids.list().isEmpty)
            let chosen = NamespaceID(rawValue: 77)
            #expect(try ids.assign(chosen, to: blue) == chosen)
            #expect(try ids.id(of: blue) == chosen)
            let twice = try failure { () throws(NetlinkError) in try ids.assign(chosen, to: blue) }
            #expect(twice.isAlreadyPresent, "\(twice)")
            let automatic = try ids.assign(to: red)
            #expect(automatic != chosen)
            #expect(try ids.list() == [automatic, chosen].sorted { $0.rawValue < $1.rawValue })
            let far = try client.links.create(
                .veth("near", peer: .init(name: "far", namespace: blue.fileDescriptor)))
            #expect(far.linkNamespaceID == chosen.rawValue)
            let rows = try table(witness("ip", "-j", "netns", "list-id", in: client.namespace))
            #expect(rows.compactMap { $0["nsid"] as? Int32 }.contains(77))
            #expect(
                try failure { () throws(NetlinkError) in
                    try ids.assign(NamespaceID(rawValue: -1), to: blue)
                }.errno == .invalidArgument)
        }
    }

    @Suite struct AlternativeNameTests {
        @Test func `adds, finds and deletes`() throws {
            let cable = try Cable()
            let links = cable.client.links
            let long = "a-name-that-is-longer-than-fifteen-bytes"
            try links.addAlternativeName(long, to: cable.left.index)
            try links.addAlternativeName("short", to: cable.left.index)
            #expect(try links.find(named: long)?.index == cable.left.index)
            #expect(try links.find(named: "short")?.index == cable.left.index)
            #expect(try links.get(cable.left.index)?.alternativeNames.sorted() == [long, "short"])
            let rows = try table(witness("ip", "-j", "link", "show", "dev", "left", in: cable.namespace))
            #expect((rows.first?["altnames"] as? [String])?.sorted() == [long, "short"])
            let taken = try failure { () throws(NetlinkError) in
                try links.addAlternativeName("short", to: cable.right.index)
            }
            #expect(taken.isAlreadyPresent, "\(taken)")
            try links.deleteAlternativeName(long, from: cable.left.index)
            #expect(try links.find(named: long) == nil)
            _ = try failure { () throws(NetlinkError) in
                try links.deleteAlternativeName(long, from: cable.left.index)
            }
            #expect(try links.get(cable.left.index)?.alternativeNames == ["short"])
        }

        @Test func `creates kinds that it has no words for`() throws {
            let client = try RouteClient(in: .anonymous())
            let ifb = try client.links.create(LinkSpecification(name: "ifb7", kind: .other("ifb")))
            #expect(ifb.kind == "ifb")
            // IFLA_VXLAN_ID 42, IFLA_VXLAN_PORT 4789 in network order.
            let data = bytes("0800 0100 2a000000 0600 0f00 12b5 0000")
            let raw = try client.links.create(LinkSpecification(name: "vx0", kind: .other("vxlan", data: data)))
            #expect(raw.kind == "vxlan")
            let described = hex(try #require(raw.kindData))
            #expect(described.contains("080001002a000000") && described.contains("06000f0012b5"))
            let rows = try table(witness("ip", "-j", "-d", "link", "show", "dev", "vx0", in: client.namespace))
            let info = (rows.first?["linkinfo"] as? [String: Any])?["info_data"] as? [String: Any]
            #expect(info?["id"] as? Int == 42)
            #expect(info?["port"] as? Int == 4789)
        }
    }
}
