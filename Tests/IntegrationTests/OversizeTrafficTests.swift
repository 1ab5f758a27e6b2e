import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import SystemPackage
import Testing

/// Hosts that know nothing of the tunnel: their MTU is the access network's.
@Suite("packets larger than the path", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct OversizeTrafficTests {
    private static func innerMTU(_ cell: Cell, underlay: Int = 1500) -> Int {
        cell.configuration(at: .edge1).overhead.pseudowireMTU(underlay: underlay)
    }

    private static let inspector = PacketInspector(
        pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)

    /// A host that sends without DF, as many did and some still do.
    private static func forgetPathMTUDiscovery(_ wire: borrowing Wire) throws {
        for place in [FourNamespaces.Place.host0, .host3] {
            let isWritten = try wire.network.withNamespace(place) { namespace in
                // System calls only: this runs on a thread in another namespace.
                try namespace.run {
                    let descriptor = open("/proc/sys/net/ipv4/ip_no_pmtu_disc", O_WRONLY)
                    defer { close(descriptor) }
                    return write(descriptor, "1", 1) == 1
                }
            }
            #expect(isWritten)
        }
    }

    /// The way to the peer takes less than the interface.
    private static func lockRoute(at mtu: Int, _ wire: borrowing Wire, _ cell: Cell) throws {
        let client = try wire.client(.edge1)
        var route = Route(
            to: IPPrefix(host: FourNamespaces.Place.edge2.address(cell.family)), link: try wire.index("veth12", client))
        route.mtu = UInt32(mtu)
        route.isMTULocked = true
        try client.routes.add(route)
    }

    @Test("a packet that may not be cut is answered with what would fit, and that does fit", arguments: Cell.all)
    func told(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell)
        try wire.expectPings()
        let mtu = Self.innerMTU(cell)
        let tap = try FrameTap(on: "veth21", in: wire.network.edge2)
        for (family, headers) in [(IPAddress.Family.v4, 28), (.v6, 48)] {
            let destination = FourNamespaces.Place.host3.address(family)
            let tooBig = Echo(
                to: destination, payloadSize: 1500 - headers, count: 2, timeout: .milliseconds(300), mayFragment: false)
            // The first leaves; by the second the host knows better.
            let error = #expect(throws: TestbedError.self) { try tooBig.run(in: wire.network.host0) }
            #expect("\(error, default: "")".contains("Message too long"))
            let fitting = Echo(to: destination, payloadSize: mtu - headers, count: 3, mayFragment: false)
            #expect(try fitting.run(in: wire.network.host0).isPerfect)
            let above = Echo(
                to: destination, payloadSize: mtu - headers + 1, count: 1, timeout: .milliseconds(300),
                mayFragment: false)
            #expect(throws: TestbedError.self) { try above.run(in: wire.network.host0) }
        }
        #expect(try tap.frames().allSatisfy { $0.bytes.count <= 1514 })
        let statistics = try wire.first.pseudowire(named: "pw0").statistics
        #expect(statistics.drops.map(\.reason.identifier) == ["too_big"])
        #expect(statistics.drops.first?.count == 2 && statistics.replies == 2)
        try wire.takeDown()
    }

    @Test("TCP never sends what does not fit: both ends learn it from the handshake", arguments: Cell.all)
    func clamped(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell)
        for family in [IPAddress.Family.v4, .v6] {
            let forth = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
            #expect(try forth.run(from: wire.network.host0, to: wire.network.host3).isIntact)
            let back = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host0.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
            #expect(try back.run(from: wire.network.host3, to: wire.network.host0).isIntact)
        }
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    @Test("one end alone clamps both ways", arguments: Cell.all)
    func clampedByOne(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell) { $0.clampsMSS = $0.session.local == 1012 }
        for (from, destination) in [(0, FourNamespaces.Place.host3), (3, .host0)] {
            let stream = PseudowireTestbed.Stream(
                to: destination.address(.v4), amount: .octets(4 << 20), timeout: .seconds(20))
            let outcome =
                from == 0
                ? try stream.run(from: wire.network.host0, to: wire.network.host3)
                : try stream.run(from: wire.network.host3, to: wire.network.host0)
            #expect(outcome.isIntact)
        }
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    @Test("without clamping, TCP learns from the ICMP messages", arguments: Cell.all)
    func discovered(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell) { $0.clampsMSS = false }
        for family in [IPAddress.Family.v4, .v6] {
            let stream = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        }
        #expect(try wire.first.pseudowire(named: "pw0").statistics.replies > 0)
        try wire.takeDown()
    }

    @Test("packets that may be cut are, before they are encapsulated, and every piece is valid", arguments: Cell.all)
    func fragmented(cell: Cell) throws {
        for hostMTU in [1500, 9000] {
            let wire = try Wire(innerMTU: hostMTU)
            try Self.forgetPathMTUDiscovery(wire)
            try wire.connect(cell)
            let tap = try FrameTap(on: "veth21", in: wire.network.edge2)
            for size in [1400, 1443, 1472, hostMTU - 28] {
                let echo = Echo(to: FourNamespaces.Place.host3.address(.v4), payloadSize: size, count: 3)
                #expect(try echo.run(in: wire.network.host0).isPerfect, "\(size) octets")
            }
            let mtu = Self.innerMTU(cell)
            var pieces = 0
            for frame in try tap.frames() where !frame.isOutgoing {
                let report = Self.inspector.inspect(frame: frame.bytes)
                #expect(report.faults.isEmpty, "\(report.faults): \(report.summary)")
                guard let inner = report.innerFrame, inner.count > 34, inner[12] == 8, inner[13] == 0 else { continue }
                #expect(inner.count <= mtu + 14)
                if inner[20] & 0x3f != 0 || inner[21] != 0 { pieces += 1 }
            }
            #expect(pieces >= (hostMTU == 1500 ? 12 : 21))
            try wire.expectNoDrops()
            try wire.takeDown()
        }
    }

    @Test("a tagged packet is cut too, and every piece has the tag")
    func fragmentedTagged() throws {
        let cell = Cell.all[0]
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell)
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let far = try FrameTap(on: "veth32", in: wire.network.host3)
        let payload = PayloadPattern.bytes(count: 1450, seed: 4)
        let packet = IPPacket(
            source: "198.51.100.1", destination: "198.51.100.2", identification: 77,
            transport: .udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: payload)))
        let whole = packet.bytes
        for tags in [[VLANTag.customer(42, priority: 5)], [.service(7), .customer(42)]] {
            try near.send(
                EthernetFrame(
                    destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", tags: tags, payload: .ip(packet)
                ).bytes)
            let received = try far.frames(quiet: .milliseconds(200)).filter {
                !$0.isOutgoing && $0.bytes[6...].starts(with: [2, 0, 0, 0, 0, 1])
            }
            let tagOctets = tags.count * 4
            var data: [UInt8] = []
            for frame in received.sorted(by: { Self.offset($0.bytes, tagOctets) < Self.offset($1.bytes, tagOctets) }) {
                #expect(PacketInspector().inspect(frame: frame.bytes).faults.isEmpty)
                #expect(frame.bytes.count <= 14 + tagOctets + Self.innerMTU(cell) - tagOctets)
                #expect(Self.offset(frame.bytes, tagOctets) == data.count)
                data += frame.bytes[(34 + tagOctets)...]
            }
            #expect(received.count == 2)
            #expect(data == Array(whole[20...]))
        }
        try wire.takeDown()
    }

    /// Where an outer fragment's data goes, and where it begins in the frame.
    private static func place(_ frame: [UInt8], _ family: IPAddress.Family) -> (offset: Int, data: Int) {
        family == .v4 ? (offset(frame, 0), 34) : (Int(frame[56]) << 8 | Int(frame[57] & 0xf8), 62)
    }

    private static func offset(_ frame: [UInt8], _ tagOctets: Int) -> Int {
        (Int(frame[20 + tagOctets] & 0x1f) << 8 | Int(frame[21 + tagOctets])) * 8
    }

    @Test(
        "outer packets are cut where that is wanted, each piece to what the path takes; they make up the packet",
        arguments: Cell.all, [1500, 1280])
    func outerFragments(cell: Cell, pathMTU: Int) throws {
        let wire = try Wire(innerMTU: 4000)
        if pathMTU < 1500 { try Self.lockRoute(at: pathMTU, wire, cell) }
        try wire.connect(cell) { $0.oversize = .outer }
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let tap = try FrameTap(on: "veth21", in: wire.network.edge2)
        let packet = IPPacket(
            source: "198.51.100.1", destination: "198.51.100.2", dontFragment: true,
            transport: .udp(
                UDPDatagram(sourcePort: 9, destinationPort: 9, payload: PayloadPattern.bytes(count: 3700, seed: 4))))
        let frame = EthernetFrame(
            destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", payload: .ip(packet)
        ).bytes
        try near.send(frame)
        let pieces = try tap.frames(quiet: .milliseconds(200)).filter {
            !$0.isOutgoing && $0.bytes.count > 100
        }.map(\.bytes).sorted { Self.place($0, cell.family).offset < Self.place($1, cell.family).offset }
        #expect(pieces.count >= 3)
        #expect(Set(pieces.dropLast().map(\.count)).count == 1)
        var data: [UInt8] = []
        for (number, piece) in pieces.enumerated() {
            #expect(piece.count <= pathMTU + 14)
            let isLast = number == pieces.count - 1
            if cell.family == .v4 {
                #expect(InternetChecksum(of: piece[14..<34]).value == 0)
                #expect(Array(piece[18..<20]) == Array(pieces[0][18..<20]))
                #expect(piece[20] & 0xe0 == (isLast ? 0 : 0x20))
            } else {
                #expect(piece[20] == 44 && piece[55] == 0 && piece[54] == (cell.encapsulation == .udp ? 17 : 115))
                #expect(Int(piece[18]) << 8 | Int(piece[19]) == piece.count - 54)
                #expect(Array(piece[58..<62]) == Array(pieces[0][58..<62]))
                #expect(piece[57] & 7 == (isLast ? 0 : 1))
            }
            let place = Self.place(piece, cell.family)
            #expect(place.offset == data.count)
            data += piece[place.data...]
        }
        #expect(data.suffix(frame.count).elementsEqual(frame))
        // The whole that the pieces make is a valid packet: over UDP its checksum says so.
        if cell.family == .v6, cell.encapsulation == .udp {
            var pseudo = Array(pieces[0][22..<54])
            pseudo += [0, 0, UInt8(data.count >> 8), UInt8(data.count & 0xff), 0, 0, 0, 17]
            #expect(InternetChecksum(of: (pseudo + data)[...]).value == 0)
        }
        // Nobody puts them together again on the way into a pseudowire: the first says whose it is.
        let drops = try wire.second.pseudowire(named: "pw0").statistics.drops
        if cell.family == .v4 { #expect(drops.map(\.reason.identifier) == ["fragment"]) }
        try wire.takeDown()
    }

    @Test("the path's MTU is followed at once: the underlay's, and the route's", arguments: Cell.all)
    func follows(cell: Cell) throws {
        let wire = try Wire(innerMTU: 1500)
        try wire.connect(cell)
        func expectMTU(_ mtu: Int, _ comment: Comment) throws {
            #expect(try wire.first.pseudowire(named: "pw0").mtu == mtu, comment)
            // A host of its own for each, so that none knows anything yet.
            for size in [mtu, mtu + 1] {
                let before = try wire.first.pseudowire(named: "pw0").statistics.txDropped
                let tap = try FrameTap(on: "veth01", in: wire.network.host0)
                let packet = IPPacket(
                    source: "198.51.100.1", destination: "198.51.100.2", dontFragment: true,
                    transport: .udp(
                        UDPDatagram(sourcePort: 9, destinationPort: 9, payload: [UInt8](repeating: 1, count: size - 28))
                    ))
                try tap.send(
                    EthernetFrame(destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", payload: .ip(packet))
                        .bytes)
                usleep(20_000)
                let dropped = try wire.first.pseudowire(named: "pw0").statistics.txDropped - before
                #expect(dropped == (size > mtu ? 1 : 0), comment)
            }
        }
        try wire.expectPings()
        try expectMTU(Self.innerMTU(cell), "1500")
        try wire.network.setUnderlayMTU(1400)
        try expectMTU(Self.innerMTU(cell, underlay: 1400), "underlay lowered to 1400")
        try wire.network.setUnderlayMTU(1500)
        try expectMTU(Self.innerMTU(cell), "underlay raised again")
        try Self.lockRoute(at: 1320, wire, cell)
        try expectMTU(Self.innerMTU(cell, underlay: 1320), "route of 1320, locked")
        try wire.takeDown()
    }
}
