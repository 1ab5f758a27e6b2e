import Foundation
import InternetAddress
import Testing

@testable import RouteNetlink

extension KernelTests {
    /// Whole lists, ours and those of the system's own tools, of one quiet namespace.
    @Suite struct DifferentialTests {
        /// A cable whose ends have addresses, routes and neighbours, one of them a bridge's port.
        static func populated() throws -> Cable {
            let cable = try Cable()
            let client = cable.client
            try client.links.update(LinkIndex(rawValue: 1), LinkUpdate(isUp: true))
            let bridge = try client.links.create(.bridge("br0"))
            try client.links.update(
                bridge.index, LinkUpdate(addressGenerationMode: LinkUpdate.AddressGenerationMode.none))
            try client.links.update(bridge.index, LinkUpdate(isUp: true))
            try client.links.update(
                cable.right.index, LinkUpdate(master: bridge.index, gsoMaxSize: 40_000, group: 3))
            try client.links.update(cable.left.index, LinkUpdate(mtu: 1400, alias: "a link", isPromiscuous: true))
            try client.addresses.add("10.0.0.1/24", to: cable.left.index)
            try client.addresses.add("10.0.0.2/24", to: cable.left.index)
            try client.addresses.add("fd00::1/64", to: cable.left.index, flags: .noDuplicateDetection)
            _ = try witness(
                "ip", "addr", "add", "192.0.2.1/28", "brd", "+", "label", "left:x", "dev", "left", "scope", "link",
                in: cable.namespace)
            try client.routes.add(Route(to: "198.51.100.0/24", via: "10.0.0.9", priority: 5, mtu: 1300))
            try client.routes.add(Route(to: "203.0.113.0/24", table: 1000, type: .blackhole))
            try client.routes.add(Route(to: "2001:db8:1::/48", via: "fd00::9"))
            for (address, state) in [("10.0.0.7", .permanent), ("fd00::7", .noARP)] as [(IPAddress, NeighborState)] {
                try client.neighbors.add(
                    Neighbor(
                        address: address, link: cable.left.index, macAddress: "02:00:00:00:00:07", state: state))
            }
            // IPv6 makes its own addresses' local routes by a work queue, and a bridge tells of its state by another.
            for _ in 0..<200 {
                let local = try client.routes.list(.v6, table: Route.localTable)
                let hasState = try client.links.get(bridge.index)?.operationalState == .up
                if hasState, local.contains(where: { $0.destination == "fd00::1/128" }) { break }
                usleep(10_000)
            }
            return cable
        }

        static func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "-" }

        static func names(_ client: RouteClient) throws -> [LinkIndex: String] {
            Dictionary(uniqueKeysWithValues: try client.links.list().map { ($0.index, $0.name) })
        }

        @Test func `links, as ip says`() throws {
            let cable = try Self.populated()
            let links = try cable.client.links.list()
            let names = try Self.names(cable.client)
            let flags: [(LinkFlags, String)] = [
                (.up, "UP"), (.lowerUp, "LOWER_UP"), (.broadcast, "BROADCAST"), (.loopback, "LOOPBACK"),
                (.multicast, "MULTICAST"), (.promiscuous, "PROMISC"), (.noARP, "NOARP"),
            ]
            let ours = links.map { link in
                [
                    Self.text(link.index), link.name, Self.text(link.mtu),
                    flags.filter { link.flags.contains($0.0) }.map(\.1).sorted().joined(separator: ","),
                    "\(link.operationalState)".uppercased(), link.linkMode == .default ? "DEFAULT" : "DORMANT",
                    Self.text(link.address), Self.text(link.alias), Self.text(link.kind),
                    Self.text(link.master.flatMap { names[$0] }), Self.text(link.transmitQueueLength),
                    link.group == 0 ? "default" : "\(link.group)", Self.text(link.promiscuity),
                    Self.text(link.minMTU ?? 0), Self.text(link.maxMTU ?? 0), Self.text(link.gsoMaxSize),
                    Self.text(link.gsoMaxSegments), Self.text(link.groMaxSize), Self.text(link.portKind),
                ]
            }
            let theirs = try table(witness("ip", "-j", "-d", "link", "show", in: cable.namespace)).map { row in
                let info = row["linkinfo"] as? [String: Any]
                let shown = Set(row["flags"] as? [String] ?? []).intersection(flags.map(\.1))
                return [
                    Self.text(row["ifindex"]), Self.text(row["ifname"]), Self.text(row["mtu"]),
                    shown.sorted().joined(separator: ","), Self.text(row["operstate"]), Self.text(row["linkmode"]),
                    Self.text(row["address"]), Self.text(row["ifalias"]), Self.text(info?["info_kind"]),
                    Self.text(row["master"]), Self.text(row["txqlen"]), Self.text(row["group"]),
                    Self.text(row["promiscuity"]), Self.text(row["min_mtu"]), Self.text(row["max_mtu"]),
                    Self.text(row["gso_max_size"]), Self.text(row["gso_max_segs"]), Self.text(row["gro_max_size"]),
                    Self.text(info?["info_slave_kind"]),
                ]
            }
            #expect(ours.count == 4)
            #expect(ours.sorted { $0[1] < $1[1] } == theirs.sorted { $0[1] < $1[1] })
        }

        @Test func `addresses, as ip says`() throws {
            let cable = try Self.populated()
            let names = try Self.names(cable.client)
            let scopes: [Scope: String] = [.universe: "global", .link: "link", .host: "host"]
            let ours = try cable.client.addresses.list().map { address in
                [
                    Self.text(names[address.link]), "\(address.prefix)", Self.text(address.broadcast),
                    Self.text(scopes[address.scope]), Self.text(address.label),
                    "\(address.flags.contains(.secondary) && address.prefix.address.family == .v4)",
                ].joined(separator: " ")
            }
            let rows = try table(witness("ip", "-j", "addr", "show", in: cable.namespace))
            let theirs = rows.flatMap { row in
                (row["addr_info"] as? [[String: Any]] ?? []).map { info in
                    [
                        Self.text(row["ifname"]), "\(Self.text(info["local"]))/\(Self.text(info["prefixlen"]))",
                        Self.text(info["broadcast"]), Self.text(info["scope"]), Self.text(info["label"]),
                        "\(info["secondary"] as? Bool ?? false)",
                    ].joined(separator: " ")
                }
            }
            #expect(ours.count >= 6)
            #expect(ours.sorted() == theirs.sorted())
        }

        @Test(arguments: IPAddress.Family.allCases)
        func `routes of all tables, as ip says`(_ family: IPAddress.Family) throws {
            let cable = try Self.populated()
            let names = try Self.names(cable.client)
            let tables: [UInt32: String] = [Route.mainTable: "-", Route.localTable: "local"]
            let kinds: [Route.Kind: String] = [
                .local: "local", .broadcast: "broadcast", .anycast: "anycast", .multicast: "multicast",
                .blackhole: "blackhole",
            ]
            let ours = try cable.client.routes.list(family).map { route in
                // A host's length is left out.
                let prefix = route.destination.map { prefix in
                    Int(prefix.length) == family.byteCount * 8 ? "\(prefix.address)" : "\(prefix)"
                }
                return [
                    prefix ?? "default", Self.text(route.gateway),
                    route.type == .blackhole ? "any" : Self.text(route.outputInterface.flatMap { names[$0] }),
                    tables[route.table] ?? "\(route.table)", Self.text(kinds[route.type]),
                    Self.text(route.preferredSource), Self.text(route.priority), Self.text(route.mtu),
                ].joined(separator: " ")
            }
            let option = family == .v4 ? "-4" : "-6"
            let rows = try table(witness("ip", "-j", option, "route", "show", "table", "all", in: cable.namespace))
            let theirs = rows.map { row in
                let metrics = (row["metrics"] as? [[String: Any]])?.first
                return [
                    Self.text(row["dst"]), Self.text(row["gateway"]),
                    row["type"] as? String == "blackhole" ? "any" : Self.text(row["dev"]), Self.text(row["table"]),
                    Self.text(row["type"]), Self.text(row["prefsrc"]), Self.text(row["metric"]),
                    Self.text(metrics?["mtu"]),
                ].joined(separator: " ")
            }
            #expect(ours.count >= 4)
            #expect(ours.sorted() == theirs.sorted())
        }

        @Test func `neighbours, as ip says`() throws {
            let cable = try Self.populated()
            let names = try Self.names(cable.client)
            let states: [(NeighborState, String)] = [(.permanent, "PERMANENT"), (.noARP, "NOARP")]
            // Theirs leaves out what the kernel keeps for multicast and the loopback, unless it is asked for.
            let ours = try cable.client.neighbors.list(on: cable.left.index).filter {
                $0.macAddress == "02:00:00:00:00:07"
            }.map { neighbor in
                let state = states.filter { neighbor.state.contains($0.0) }.map(\.1).joined()
                return
                    "\(neighbor.address) \(Self.text(names[neighbor.link])) \(Self.text(neighbor.macAddress)) \(state)"
            }
            let rows = try table(witness("ip", "-j", "neigh", "show", "nud", "all", in: cable.namespace))
            let theirs = rows.filter { $0["lladdr"] as? String == "02:00:00:00:00:07" }.map { row in
                let state = (row["state"] as? [String] ?? []).joined()
                return "\(Self.text(row["dst"])) \(Self.text(row["dev"])) \(Self.text(row["lladdr"])) \(state)"
            }
            #expect(ours.count == 2)
            #expect(ours.sorted() == theirs.sorted())
        }

        @Test func `forwarding entries, as bridge says`() throws {
            let cable = try Self.populated()
            let names = try Self.names(cable.client)
            try cable.client.neighbors.addForwarding(
                ForwardingEntry("02:00:00:00:00:42", port: cable.right.index))
            // What is learned meanwhile is left out: the two do not look at the same moment.
            let ours = try cable.client.neighbors.listForwarding().compactMap { entry -> String? in
                guard !entry.state.isDisjoint(with: [.permanent, .noARP]) else { return nil }
                let state = entry.state.contains(.permanent) ? "permanent" : "static"
                return "\(entry.macAddress) \(Self.text(names[entry.port])) \(entry.database == .own) \(state)"
            }
            let rows = try table(witness("bridge", "-j", "fdb", "show", in: cable.namespace))
            let theirs = rows.compactMap { row -> String? in
                guard let state = row["state"] as? String, ["permanent", "static"].contains(state) else { return nil }
                let flags = row["flags"] as? [String] ?? []
                return "\(Self.text(row["mac"])) \(Self.text(row["ifname"])) \(flags.contains("self")) \(state)"
            }
            #expect(ours.count > 3)
            #expect(ours.sorted() == theirs.sorted())
        }

        @Test func `disciplines, as tc says`() throws {
            let cable = try Self.populated()
            let names = try Self.names(cable.client)
            _ = try cable.client.qdiscs.ensureClsact(on: cable.left.index)
            _ = try witness("tc", "qdisc", "add", "dev", "right", "ingress", in: cable.namespace)
            _ = try witness(
                "tc", "qdisc", "add", "dev", "right", "root", "handle", "9:", "htb", in: cable.namespace)
            let ours = try cable.client.qdiscs.list().map { qdisc in
                let handle = String(qdisc.handle >> 16, radix: 16)
                return "\(qdisc.kind) \(handle): \(Self.text(names[qdisc.link])) \(qdisc.parent == Qdisc.root)"
            }
            let theirs = try table(witness("tc", "-j", "qdisc", "show", in: cable.namespace)).map { row in
                let isRoot = row["root"] as? Bool ?? false
                return "\(Self.text(row["kind"])) \(Self.text(row["handle"])) \(Self.text(row["dev"])) \(isRoot)"
            }
            #expect(ours.count >= 4)
            #expect(ours.sorted() == theirs.sorted())
        }

        @Test func `offloads, as ethtool says`() throws {
            let cable = try Cable()
            let names: [(LinkOffload, String)] = [
                (.tcpSegmentation, "tcp-segmentation-offload"),
                (.genericSegmentation, "generic-segmentation-offload"),
                (.genericReceive, "generic-receive-offload"), (.transmitChecksum, "tx-checksumming"),
            ]
            func agrees() throws {
                let ours = try cable.client.links.offloads(cable.left.index)
                let rows = try table(witness("ethtool", "--json", "-k", "left", in: cable.namespace))
                let theirs = try #require(rows.first)
                for (offload, name) in names {
                    let feature = theirs[name] as? [String: Any]
                    #expect(ours[offload] == feature?["active"] as? Bool, "\(name)")
                }
            }
            try agrees()
            for (offload, _) in names {
                for isOn in [false, true] {
                    try cable.client.links.setOffloads(cable.left.index, [offload: isOn])
                    try agrees()
                }
            }
        }

        @Test func `counters, as ip says`() throws {
            let cable = try Self.populated()
            _ = try? witness("ping", "-c3", "-i0.01", "-W1", "-b", "10.0.0.255", in: cable.namespace)
            // Nothing moves any more on a link that is down.
            try cable.client.links.update(cable.left.index, LinkUpdate(isUp: false))
            let ours = try #require(try cable.client.links.get(cable.left.index)?.statistics)
            let rows = try table(witness("ip", "-j", "-s", "link", "show", "dev", "left", in: cable.namespace))
            let theirs = try #require(rows.first?["stats64"] as? [String: [String: Any]])
            #expect(ours.transmittedPackets > 0)
            #expect(theirs["tx"]?["packets"] as? UInt64 == ours.transmittedPackets)
            #expect(theirs["tx"]?["bytes"] as? UInt64 == ours.transmittedBytes)
            #expect(theirs["tx"]?["dropped"] as? UInt64 == ours.transmitDropped)
            #expect(theirs["rx"]?["packets"] as? UInt64 == ours.receivedPackets)
            #expect(theirs["rx"]?["bytes"] as? UInt64 == ours.receivedBytes)
            #expect(theirs["rx"]?["dropped"] as? UInt64 == ours.receiveDropped)
            #expect(theirs["rx"]?["multicast"] as? UInt64 == ours.multicast)
        }
    }
}
