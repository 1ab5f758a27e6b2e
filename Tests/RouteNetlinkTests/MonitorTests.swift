import Glibc
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct MonitorTests {
        private static func read(_ monitor: RouteMonitor) throws -> [RouteEvent] {
            var events: [RouteEvent] = []
            while let event = try monitor.next() { events.append(event) }
            return events
        }

        @Test func `listens to the namespaces that it has numbers for`() throws {
            let home = try Cable()
            let away = try Cable()
            let stranger = try Cable()
            let id = try home.client.namespaces.assign(to: away.namespace)
            let monitor = try RouteMonitor(.links, in: home.namespace, listeningEverywhere: true)
            let deaf = try RouteMonitor(.links, in: home.namespace)
            for (cable, alias) in [(stranger, "unheard"), (away, "away"), (home, "home")] {
                try cable.client.links.update(cable.left.index, LinkUpdate(alias: alias))
            }
            let heard = try Self.read(monitor).map { event -> String in
                switch event {
                case .link(.present, let link): link.alias ?? ""
                case .elsewhere(id, .link(.present, let link)): "\(link.alias ?? "") of \(id)"
                default: "\(event)"
                }
            }
            #expect(heard == ["away of \(id)", "home"])
            #expect(try Self.read(deaf).count == 1)
        }

        /// Whatever stands in a row of control messages, and wherever it is cut.
        @Test func `finds the number among control messages, or none`() {
            func number(_ bytes: [UInt8]) -> Int32? {
                let span = bytes.span
                return KernelTransport.namespace(span.bytes)
            }
            let other = bytes("1400000000000000 0e010000 03000000 01000000 00000000")
            let mine = bytes("1400000000000000 0e010000 08000000 4d000000 00000000")
            #expect(number(mine) == 77 && number(other + mine) == 77 && number(other) == nil && number([]) == nil)
            for count in 0..<20 { #expect(number(Array(mine.prefix(count))) == nil) }
            for length: UInt8 in [0, 1, 15, 255] {
                for sign: UInt8 in [0, 0x7f, 0xff] {
                    var broken = mine
                    (broken[0], broken[7]) = (length, sign)
                    #expect(number(broken) == nil)
                }
            }
        }

        @Test func `tells of links, addresses and neighbours that come and go`() throws {
            let cable = try Cable()
            let index = cable.left.index
            let monitor = try RouteMonitor(.all, in: cable.namespace)
            try cable.client.links.update(index, LinkUpdate(alias: "seen"))
            try cable.client.addresses.add("192.0.2.1/24", to: index)
            let neighbor = Neighbor(address: "192.0.2.2", link: index, macAddress: "02:00:00:00:00:02")
            try cable.client.neighbors.add(neighbor)
            try cable.client.neighbors.delete(neighbor.address, on: index)
            try cable.client.addresses.delete("192.0.2.1/24", from: index)
            _ = try cable.client.qdiscs.ensureClsact(on: index)
            try cable.client.links.delete(index)
            let events = try Self.read(monitor)
            func has(_ matches: (RouteEvent) -> Bool) -> Bool { events.contains(where: matches) }
            #expect(has { if case .link(.present, let link) = $0 { link.alias == "seen" } else { false } })
            #expect(has { if case .link(.removed, let link) = $0 { link.index == index } else { false } })
            #expect(has { if case .address(.present, let it) = $0 { it.prefix == "192.0.2.1/24" } else { false } })
            #expect(has { if case .address(.removed, let it) = $0 { it.prefix == "192.0.2.1/24" } else { false } })
            #expect(has { if case .route(.present, let it) = $0 { it.destination == "192.0.2.0/24" } else { false } })
            #expect(has { if case .neighbor(.present, neighbor) = $0 { true } else { false } })
            #expect(has { if case .neighbor(.removed, let it) = $0 { it.address == "192.0.2.2" } else { false } })
            #expect(has { if case .qdisc(.present, let it) = $0 { it.kind == "clsact" } else { false } })
            #expect(!has { if case .unrecognized = $0 { true } else { false } })
        }

        @Test func `a port that leaves its bridge is no link that is gone`() throws {
            let cable = try Cable()
            let bridge = try cable.client.links.create(.bridge("br0"))
            try cable.client.links.update(cable.left.index, LinkUpdate(master: bridge.index))
            let monitor = try RouteMonitor(.links, in: cable.namespace)
            try cable.client.links.update(cable.left.index, LinkUpdate(master: .some(nil)))
            let events = try Self.read(monitor)
            #expect(!events.isEmpty)
            #expect(!events.contains { if case .link(.removed, _) = $0 { true } else { false } })
        }

        @Test func `after an overflow nothing old is told, and what follows is`() throws {
            let cable = try Cable()
            let monitor = try RouteMonitor(.links, in: cable.namespace, receiveBuffer: 64 << 10)
            for number in 0..<600 {
                try cable.client.links.update(cable.left.index, LinkUpdate(alias: "a\(number)"))
            }
            #expect(try Self.read(monitor) == [.resynchronise])
            try cable.client.links.update(cable.left.index, LinkUpdate(alias: "after"))
            let events = try Self.read(monitor)
            #expect(events.contains { if case .link(_, let link) = $0 { link.alias == "after" } else { false } })
        }

        @Test func `300 monitors leave no thread and no descriptor behind`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let open = try NamespaceTests.descriptors()
            let threads = try NamespaceTests.census()
            for _ in 0..<300 { #expect(try RouteMonitor(.all, in: namespace).next() == nil) }
            #expect(try NamespaceTests.descriptors() == open)
            #expect(try NamespaceTests.census() == threads)
        }
    }
}
