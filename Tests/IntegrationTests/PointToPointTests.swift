import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// Between the edges are two tun devices, whose packets begin with the IP header: no Ethernet, no neighbours.
@Suite("an underlay without Ethernet", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct PointToPointTests {
    private static let inspector = PacketInspector(
        pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)

    private static func prefix(_ edge: FourNamespaces.Place, _ family: IPAddress.Family) -> IPPrefix {
        switch (edge == .edge1, family) {
        case (true, .v4): "203.0.113.1/30"
        case (false, .v4): "203.0.113.2/30"
        case (true, .v6): "2001:db8:5::1/126"
        case (false, .v6): "2001:db8:5::2/126"
        }
    }

    private static func configuration(_ cell: Cell, _ edge: FourNamespaces.Place) -> PseudowireConfiguration {
        var configuration = cell.configuration(at: edge)
        configuration.tunnel.local = prefix(edge, cell.family).address
        configuration.tunnel.peer = prefix(edge == .edge1 ? .edge2 : .edge1, cell.family).address
        return configuration
    }

    /// Lays the cable, and gives its ends their addresses.
    private static func lay(_ wire: borrowing Wire) throws -> TunCable {
        let cable = try TunCable(TunDevice("tun1", in: wire.network.edge1), TunDevice("tun2", in: wire.network.edge2))
        for (edge, name) in [(FourNamespaces.Place.edge1, "tun1"), (.edge2, "tun2")] {
            let client = try wire.client(edge)
            let index = try wire.index(name, client)
            try client.links.update(index, LinkUpdate(isUp: true))
            try client.addresses.add(prefix(edge, .v4), to: index)
            try client.addresses.add(prefix(edge, .v6), to: index, flags: [.noDuplicateDetection])
        }
        return cable
    }

    /// Both ends over the cable, the test's body, and all of it away again.
    private static func overTun(
        _ cell: Cell, change: (inout PseudowireConfiguration) -> Void = { _ in },
        _ body: (borrowing Wire, TunCable) throws -> Void
    ) throws {
        let wire = try Wire()
        do {
            let cable = try lay(wire)
            for (manager, edge) in [(wire.first, FourNamespaces.Place.edge1), (wire.second, .edge2)] {
                var configuration = configuration(cell, edge)
                change(&configuration)
                try manager.add(configuration)
                #expect(try manager.pseudowire(named: "pw0").underlays == [edge == .edge1 ? "tun1" : "tun2"])
            }
            _ = cable.takePackets()
            try body(wire, cable)
            try wire.first.teardown()
            try wire.second.teardown()
            for (edge, name) in [(FourNamespaces.Place.edge1, "tun1"), (.edge2, "tun2")] {
                let client = try wire.client(edge)
                let qdiscs = try client.qdiscs.list(on: wire.index(name, client))
                #expect(qdiscs.allSatisfy { $0.kind != "clsact" })
            }
            cable.cut()
        }
        try wire.takeDown()
    }

    private static func expectValid(
        _ packets: [TunCable.Packet], atLeast count: Int, _ location: SourceLocation = #_sourceLocation
    ) {
        var carried = (forth: 0, back: 0)
        for packet in packets {
            let report = inspector.inspect(packet: packet.bytes)
            #expect(report.faults.isEmpty, "\(report.faults): \(report.summary)", sourceLocation: location)
            if !report.faults.isEmpty { break }
            guard report.innerFrame != nil else { continue }
            if packet.isForth { carried.forth += 1 } else { carried.back += 1 }
        }
        #expect(carried.forth >= count && carried.back >= count, "\(carried)", sourceLocation: location)
    }

    private static func expectNoDrops(_ wire: borrowing Wire, _ location: SourceLocation = #_sourceLocation) throws {
        for manager in [wire.first, wire.second] {
            let pseudowire = try manager.pseudowire(named: "pw0")
            #expect(pseudowire.statistics.drops.isEmpty, sourceLocation: location)
            #expect(pseudowire.health.state == .up, "\(pseudowire.health)", sourceLocation: location)
        }
    }

    @Test("pings of all sizes cross, and all outer packets are valid", arguments: Cell.all)
    func pings(cell: Cell) throws {
        try Self.overTun(cell) { wire, cable in
            try wire.expectPings(sizes: [0, 1, 2, 17, 56, 1000, 1300, 1352])
            Self.expectValid(cable.takePackets(), atLeast: 2 * 8 * 3)
            try Self.expectNoDrops(wire)
            let mtu = Self.configuration(cell, .edge1).overhead.pseudowireMTU(underlay: 1500)
            #expect(try wire.first.pseudowire(named: "pw0").mtu == mtu)
        }
    }

    @Test(
        "TCP crosses at default offloads, and all outer packets are valid", arguments: Cell.all,
        [PseudowireConfiguration.Offload.auto, .finish])
    func streams(cell: Cell, offload: PseudowireConfiguration.Offload) throws {
        try Self.overTun(cell, change: { $0.offload = offload }) { wire, cable in
            for family in [IPAddress.Family.v4, .v6] {
                let forth = PseudowireTestbed.Stream(
                    to: FourNamespaces.Place.host3.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
                #expect(try forth.run(from: wire.network.host0, to: wire.network.host3).isIntact)
                let back = PseudowireTestbed.Stream(
                    to: FourNamespaces.Place.host0.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
                #expect(try back.run(from: wire.network.host3, to: wire.network.host0).isIntact)
            }
            Self.expectValid(cable.takePackets(), atLeast: 6000)
            // Left alone, it is the kernel that cuts behind our headers: this device, too, has no offloads.
            #expect(try wire.first.pseudowire(named: "pw0").finishesFrames == (offload == .finish))
            try Self.expectNoDrops(wire)
        }
    }

    @Test("tagged frames cross octet for octet", arguments: Cell.all)
    func tags(cell: Cell) throws {
        try Self.overTun(cell) { wire, cable in
            let near = try FrameTap(on: "veth01", in: wire.network.host0)
            let far = try FrameTap(on: "veth32", in: wire.network.host3)
            let source: MACAddress = "02:00:00:00:00:01"
            var sent: [[UInt8]] = []
            for tags: [VLANTag] in [[], [.customer(42, priority: 5)], [.service(7), .customer(42)]] {
                for size in [1, 100, 1001] {
                    let payload = PayloadPattern.bytes(count: size, seed: UInt64(size))
                    for packet in [
                        IPPacket(
                            source: "198.51.100.1", destination: "198.51.100.2",
                            transport: .udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: payload))),
                        IPPacket(
                            source: "2001:db8:1::1", destination: "2001:db8:1::2",
                            transport: .tcp(TCPSegment(sourcePort: 9, destinationPort: 9, payload: payload))),
                    ] {
                        sent.append(
                            EthernetFrame(
                                destination: "02:00:00:00:00:02", source: source, tags: tags, payload: .ip(packet)
                            ).bytes)
                    }
                }
                sent.append(
                    EthernetFrame.arpRequest(from: source, "198.51.100.1", whoHas: "198.51.100.2", tags: tags).bytes)
                sent.append(
                    EthernetFrame(
                        destination: "02:00:00:00:00:02", source: source, tags: tags,
                        payload: .raw(etherType: 0x88b5, [UInt8](repeating: 0xaa, count: 47))
                    ).bytes)
            }
            for frame in sent { try near.send(frame) }
            let received = try far.frames(quiet: .milliseconds(200)).filter {
                !$0.isOutgoing && $0.bytes[6...].starts(with: source.bytes)
            }
            #expect(received.map(\.bytes) == sent, "\(received.count) of \(sent.count)")
            Self.expectValid(cable.takePackets(), atLeast: 0)
            try Self.expectNoDrops(wire)
        }
    }

    @Test("the shortest frames cross octet for octet", arguments: Cell.all)
    func shortest(cell: Cell) throws {
        try Self.overTun(cell) { wire, cable in
            let near = try FrameTap(on: "veth01", in: wire.network.host0)
            let far = try FrameTap(on: "veth32", in: wire.network.host3)
            let source: MACAddress = "02:00:00:00:00:01"
            let sent = (0..<60).map { size in
                EthernetFrame(
                    destination: "02:00:00:00:00:02", source: source,
                    payload: .raw(etherType: 0x88b5, [UInt8](repeating: 0xaa, count: size))
                ).bytes
            }
            for frame in sent { try near.send(frame) }
            let received = try far.frames(quiet: .milliseconds(200)).filter {
                !$0.isOutgoing && $0.bytes[6...].starts(with: source.bytes)
            }
            #expect(received.map(\.bytes) == sent, "\(received.count) of \(sent.count)")
            Self.expectValid(cable.takePackets(), atLeast: 0)
            try Self.expectNoDrops(wire)
        }
    }

    @Test("what is not ours passes: the edges still talk to each other over the cable")
    func foreign() throws {
        try Self.overTun(Cell.all[0]) { wire, _ in
            for family in [IPAddress.Family.v4, .v6] {
                let echo = Echo(to: Self.prefix(.edge2, family).address, count: 3)
                #expect(try echo.run(in: wire.network.edge1).isPerfect)
            }
            try Self.expectNoDrops(wire)
        }
    }
}
