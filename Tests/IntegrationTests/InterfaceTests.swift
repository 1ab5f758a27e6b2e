import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// The first edge has no access interface: it gets one with the pseudowire.
@Suite("interfaces that are made with a pseudowire", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct InterfaceTests {
    private static let name = "lan0"
    private static let address4: IPAddress = "192.0.1.50"
    private static let address6: IPAddress = "2001:db8::50"

    private static func configuration(_ cell: Cell) -> PseudowireConfiguration {
        var configuration = cell.configuration(at: .edge1)
        configuration.access = name
        configuration.makesInterface = true
        return configuration
    }

    private static func mtu(_ cell: Cell, underlay: Int = 1500) -> UInt32 {
        UInt32(configuration(cell).overhead.pseudowireMTU(underlay: underlay))
    }

    private static func end(_ client: RouteClient, _ name: String = name) throws -> Link {
        try #require(try client.links.find(named: name))
    }

    /// The state that the kernel's link watcher comes to, within a second or so.
    private static func settled(
        _ client: RouteClient, _ state: OperationalState, _ name: String = name
    ) throws -> OperationalState {
        for _ in 0..<300 {
            if try end(client, name).operationalState == state { break }
            usleep(10_000)
        }
        return try end(client, name).operationalState
    }

    /// Addresses of the hosts' network on the interface: it is a host of that network like the others.
    private static func settle(_ client: RouteClient, _ name: String = name) throws {
        let index = try end(client, name).index
        try client.links.update(index, LinkUpdate(isUp: true))
        try client.addresses.add("192.0.1.50/24", to: index, flags: [])
        // The edges' own network has the same prefix.
        try client.addresses.add(IPPrefix(host: address6), to: index, flags: [.noDuplicateDetection])
        try client.routes.add(
            Route(to: IPPrefix(host: FourNamespaces.Place.host3.address(.v6)), link: index, preferredSource: address6))
    }

    private static func expectPings(
        _ wire: borrowing Wire, sizes: [Int] = [56], _ location: SourceLocation = #_sourceLocation
    ) throws {
        for size in sizes {
            for family in [IPAddress.Family.v4, .v6] {
                let forth = Echo(to: FourNamespaces.Place.host3.address(family), payloadSize: size, count: 3)
                #expect(
                    try forth.run(in: wire.network.edge1).isPerfect, "IPv\(family.rawValue), \(size) octets",
                    sourceLocation: location)
            }
            for address in [address4, address6] {
                let back = Echo(to: address, payloadSize: size, count: 3)
                #expect(
                    try back.run(in: wire.network.host3).isPerfect, "to \(address), \(size) octets",
                    sourceLocation: location)
            }
        }
    }

    @Test("one that is put up is up, has the right MTU, and carries pings and TCP both ways", arguments: Cell.all)
    func carries(cell: Cell) throws {
        let wire = try Wire(innerMTU: Int(Self.mtu(cell)))
        let client = try wire.client(.edge1)
        try wire.first.add(Self.configuration(cell))
        #expect(try Self.end(client).mtu == Self.mtu(cell))
        #expect(try !Self.end(client).isUp)
        #expect(try wire.first.pseudowire(named: "pw0").health.sentence == "interface lan0 is down")
        try wire.second.add(cell.configuration(at: .edge2))
        try Self.settle(client)
        #expect(try Self.settled(client, .up) == .up)
        let end = try Self.end(client)
        #expect(end.flags.isSuperset(of: [.up, .running, .lowerUp]) && end.linkMode == .default)
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)

        let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)
        let tap = try FrameTap(on: "veth21", in: wire.network.edge2, bufferSize: 128 << 20)
        let largest = Int(Self.mtu(cell)) - 48
        try Self.expectPings(wire, sizes: [0, 56, largest])
        for family in [IPAddress.Family.v4, .v6] {
            let forth = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
            #expect(try forth.run(from: wire.network.edge1, to: wire.network.host3).isIntact)
            let back = PseudowireTestbed.Stream(
                to: family == .v4 ? Self.address4 : Self.address6, amount: .octets(4 << 20), timeout: .seconds(20))
            #expect(try back.run(from: wire.network.host3, to: wire.network.edge1).isIntact)
        }
        var carried = 0
        for frame in try tap.frames() {
            let report = inspector.inspect(frame: frame.bytes)
            #expect(report.faults.isEmpty && frame.offload == nil, "\(report.faults): \(report.summary)")
            if report.innerFrame != nil { carried += 1 }
            if !report.faults.isEmpty { break }
        }
        #expect(carried > 10_000)
        #expect(try tap.overflow() == 0)
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    @Test("one in a bridge connects what is in the bridge")
    func bridged() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        try wire.first.add(Self.configuration(Cell.all[0]))
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        let bridge = try client.links.create(.bridge("br0", isUp: true))
        for name in [Self.name, "veth10"] {
            let port = try Self.end(client, name).index
            try client.links.update(port, LinkUpdate(isUp: true, master: bridge.index))
        }
        #expect(try Self.settled(client, .up) == .up)
        try wire.expectPings(sizes: [56, 1300])
        let stream = PseudowireTestbed.Stream(
            to: FourNamespaces.Place.host3.address(.v4), amount: .octets(4 << 20), timeout: .seconds(20))
        #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        try wire.first.remove("pw0")
        #expect(try client.links.list().filter { $0.master == bridge.index }.map(\.name) == ["veth10"])
        try client.links.delete(bridge.index)
        try wire.takeDown()
    }

    @Test(
        "one that comes before its route is dormant until there is one, and again when it has gone", arguments: Cell.all
    )
    func routeLater(cell: Cell) throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let underlay = try wire.index("veth12", client)
        let prefix = FourNamespaces.Place.edge1.prefix(cell.family)
        // The address without the route to its network: nothing leads to the peer.
        try client.addresses.delete(prefix, from: underlay)
        try client.addresses.add(IPPrefix(host: prefix.address), to: underlay, flags: .noDuplicateDetection)
        try wire.first.add(Self.configuration(cell))
        try wire.second.add(cell.configuration(at: .edge2))
        let index = try Self.end(client).index
        try client.links.update(index, LinkUpdate(isUp: true))
        #expect(try Self.settled(client, .dormant) == .dormant)
        #expect(try !Self.end(client).flags.contains(.running))
        try wire.first.refresh()
        #expect(try Self.end(client).operationalState == .dormant)

        let route = Route(to: prefix.network, link: underlay)
        try client.routes.add(route)
        try wire.first.refresh()
        #expect(try Self.settled(client, .up) == .up)
        #expect(try Self.end(client).linkMode == .default)
        try Self.settle(client)
        let destination = FourNamespaces.Place.host3.address(.v4)
        #expect(try Echo(to: destination, count: 3).run(in: wire.network.edge1).isPerfect)

        try client.routes.delete(route)
        try wire.first.refresh()
        #expect(try Self.settled(client, .dormant) == .dormant)
        // A carrier that comes again changes nothing about it.
        try client.links.update(index, LinkUpdate(isUp: false))
        try client.routes.add(route)
        try wire.first.refresh()
        try client.links.update(index, LinkUpdate(isUp: true))
        #expect(try Self.settled(client, .up) == .up)
        try client.addresses.delete(IPPrefix(host: prefix.address), from: underlay)
        // Any command does, not only the one that is there for it.
        try wire.first.execute(wire.first.plan(adding: [PseudowireConfiguration]()))
        #expect(try Self.settled(client, .dormant) == .dormant)
        try client.addresses.add(IPPrefix(host: prefix.address), to: underlay, flags: .noDuplicateDetection)
        try wire.takeDown()
    }

    @Test("its MTU follows the underlay's and the route's, down and up", arguments: Cell.all)
    func mtuFollows(cell: Cell) throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        try wire.first.add(Self.configuration(cell))
        var limited = Self.configuration(cell)
        limited.name = "pw1"
        limited.access = "lan1"
        limited.session.local = 77
        limited.mtu = 1300
        try wire.first.add(limited)
        func expectMTU(underlay: Int, _ location: SourceLocation = #_sourceLocation) throws {
            try wire.first.refresh()
            let fitting = Self.mtu(cell, underlay: underlay)
            #expect(try Self.end(client).mtu == fitting, sourceLocation: location)
            #expect(try Self.end(client, "lan1").mtu == min(fitting, 1300), sourceLocation: location)
            #expect(try wire.first.pseudowire(named: "pw0").mtu == Int(fitting), sourceLocation: location)
        }
        try expectMTU(underlay: 1500)
        try wire.network.setUnderlayMTU(1300)
        #expect(try Self.end(client).mtu == Self.mtu(cell))
        try expectMTU(underlay: 1300)
        try wire.network.setUnderlayMTU(9000)
        try expectMTU(underlay: 9000)
        var route = Route(
            to: IPPrefix(host: FourNamespaces.Place.edge2.address(cell.family)), link: try wire.index("veth12", client))
        route.mtu = 1320
        route.isMTULocked = true
        try client.routes.add(route)
        try expectMTU(underlay: 1320)
        try client.routes.delete(route)
        // The next command says so too.
        try wire.first.remove("pw1")
        #expect(try Self.end(client).mtu == Self.mtu(cell, underlay: 9000))
        try wire.network.setUnderlayMTU(1500)
        try wire.takeDown()
    }

    @Test("its MTU follows what routers say, but IPv6 is not taken from it", arguments: Cell.all)
    func learned(cell: Cell) throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        try wire.first.add(Self.configuration(cell))
        let router = try FrameTap(on: "veth21", in: wire.network.edge2)
        let target = try #require(try Self.end(client, "veth12").address)
        let local = FourNamespaces.Place.edge1.address(cell.family)
        let peer = FourNamespaces.Place.edge2.address(cell.family)
        func tooBig(_ mtu: Int) throws {
            let session: [UInt8] = [0, 0, 3, 0xfd]  // 1021
            let padding = [UInt8](repeating: 0, count: 40)
            let quoted = IPPacket(
                source: local, destination: peer,
                transport: cell.encapsulation == .udp
                    ? .udp(
                        UDPDatagram(sourcePort: 1701, destinationPort: 1701, payload: [0, 3, 0, 0] + session + padding))
                    : .raw(protocolNumber: 115, session + padding))
            let isIPv4 = cell.family == .v4
            let message: [UInt8] =
                [isIPv4 ? 3 : 2, isIPv4 ? 4 : 0, 0, 0, 0, 0, UInt8(mtu >> 8), UInt8(mtu & 0xff)] + quoted.bytes
            let packet = IPPacket(
                source: peer, destination: local,
                transport: .raw(protocolNumber: isIPv4 ? 1 : 58, message))
            try router.send(
                EthernetFrame(destination: target, source: "02:00:00:00:00:99", payload: .ip(packet)).bytes)
            usleep(50_000)
            try wire.first.refresh()
        }
        try tooBig(1400)
        #expect(try wire.first.pseudowire(named: "pw0").mtu == Int(Self.mtu(cell, underlay: 1400)))
        #expect(try Self.end(client).mtu == Self.mtu(cell, underlay: 1400))
        try tooBig(1280)
        #expect(try wire.first.pseudowire(named: "pw0").mtu == Int(Self.mtu(cell, underlay: 1280)))
        #expect(try Self.end(client).mtu == 1280)
        try wire.takeDown()
    }

    @Test("it goes with its pseudowire, both ends of it, and only it")
    func removed() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let before = try client.links.list().map(\.name)
        try wire.first.add(Self.configuration(Cell.all[0]))
        var other = Self.configuration(Cell.all[3])
        other.name = "pw1"
        other.access = "lan1"
        other.session.local = 77
        try wire.first.add(other)
        let hidden = try Self.end(client).peer
        try wire.first.remove("pw0")
        #expect(try client.links.find(named: Self.name) == nil)
        #expect(try client.links.get(#require(hidden)) == nil)
        #expect(try client.links.find(named: "lan1") != nil)
        try wire.first.teardown()
        #expect(try client.links.list().map(\.name) == before)
        try wire.takeDown()
    }

    @Test("a name that is taken is refused, and what has it is left alone")
    func taken() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        func fields(_ configuration: PseudowireConfiguration) -> [String] {
            do {
                try wire.first.add(configuration)
                return []
            } catch PseudowireError.faults(let faults) {
                return faults.map(\.field)
            } catch {
                return ["\(error)"]
            }
        }
        var configuration = Self.configuration(Cell.all[0])
        for name in ["veth10", "lo", "pw-split0", "pw-join1"] {
            configuration.access = name
            // The datapath's own interface is there only with the datapath.
            if name == "pw-split0" { try wire.first.add(Self.configuration(Cell.all[1])) }
            if name == "pw-split0" { (configuration.name, configuration.session.local) = ("pw1", 77) }
            #expect(fields(configuration) == ["interface"], "\(name)")
        }
        configuration.access = Self.name
        #expect(fields(configuration) == ["interface"])
        configuration.access = "pw-2"
        #expect(fields(configuration) == ["interface"])
        // Its hidden end is nobody's access interface.
        configuration.makesInterface = false
        configuration.access = "pw-1"
        #expect(fields(configuration) == ["access"])
        #expect(try Self.end(client, "veth10").alias == nil)
        try wire.takeDown()
    }

    @Test("renamed, or moved to another namespace, it works on, and goes with its pseudowire")
    func renamed() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let cell = Cell.all[0]
        try wire.first.add(Self.configuration(cell))
        try wire.second.add(cell.configuration(at: .edge2))
        let index = try Self.end(client).index
        try client.links.update(index, LinkUpdate(name: "office"))
        try Self.settle(client, "office")
        #expect(try Self.settled(client, .up, "office") == .up)
        try Self.expectPings(wire)
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        try wire.network.setUnderlayMTU(1400)
        try wire.first.refresh()
        #expect(try Self.end(client, "office").mtu == Self.mtu(cell, underlay: 1400))

        // In another namespace it is nobody's business here, and no command fails because of it.
        try wire.network.withNamespace(.host0) { namespace in
            try client.links.update(index, LinkUpdate(namespace: namespace.fileDescriptor))
        }
        let host = try wire.client(.host0)
        let moved = try Self.end(host, "office")
        try host.links.update(moved.index, LinkUpdate(isUp: true))
        try host.links.update(wire.index("veth01", host), LinkUpdate(isUp: false))
        try host.addresses.add("192.0.1.50/24", to: moved.index)
        try wire.network.setUnderlayMTU(1500)
        try wire.first.refresh()
        #expect(try Self.end(host, "office").mtu == Self.mtu(cell, underlay: 1400))
        let echo = Echo(to: FourNamespaces.Place.host3.address(.v4), count: 3)
        #expect(try echo.run(in: wire.network.host0).isPerfect)
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        try wire.first.remove("pw0")
        #expect(try host.links.find(named: "office") == nil)
        try wire.takeDown()
    }
}
