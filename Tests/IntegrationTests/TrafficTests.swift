import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

@Suite("traffic across four namespaces", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct TrafficTests {
    @Test(
        "pings and TCP cross at default offloads, and both ends count the same frames", arguments: Cell.all,
        [PseudowireConfiguration.Offload.auto, .keep])
    func carries(cell: Cell, offload: PseudowireConfiguration.Offload) throws {
        let wire = try Wire()
        try wire.connect(cell) { $0.offload = offload }
        // What the hosts said by themselves between the making of one end and of the other reached nobody.
        let firstBefore = try wire.first.pseudowire(named: "pw0").statistics
        let secondBefore = try wire.second.pseudowire(named: "pw0").statistics
        // Nothing is primed: the first frame is an ARP request, and the underlay's neighbours are unknown.
        try wire.expectPings(sizes: [0, 1, 56, 1300])
        for family in [IPAddress.Family.v4, .v6] {
            for (from, to, destination) in [(0, 3, FourNamespaces.Place.host3), (3, 0, .host0)] {
                let stream = PseudowireTestbed.Stream(
                    to: destination.address(family), amount: .octets(16 << 20), timeout: .seconds(20))
                let outcome =
                    from == 0
                    ? try stream.run(from: wire.network.host0, to: wire.network.host3)
                    : try stream.run(from: wire.network.host3, to: wire.network.host0)
                #expect(outcome.isIntact, "IPv\(family.rawValue) from host\(from) to host\(to)")
            }
        }
        usleep(100_000)
        let first = try wire.first.pseudowire(named: "pw0")
        let second = try wire.second.pseudowire(named: "pw0")
        #expect(first.statistics.txFrames > 10_000)
        let sent = (first.statistics.txFrames - firstBefore.txFrames, first.statistics.txOctets - firstBefore.txOctets)
        let taken = (
            second.statistics.rxFrames - secondBefore.rxFrames, second.statistics.rxOctets - secondBefore.rxOctets
        )
        #expect(sent == taken)
        let back = (
            second.statistics.txFrames - secondBefore.txFrames, second.statistics.txOctets - secondBefore.txOctets
        )
        let arrived = (
            first.statistics.rxFrames - firstBefore.rxFrames, first.statistics.rxOctets - firstBefore.rxOctets
        )
        #expect(back == arrived)
        #expect(first.statistics.drops.isEmpty && second.statistics.drops.isEmpty)
        #expect(first.health.state == .up, "\(first.health)")
        #expect(first.mtu == cell.configuration(at: .edge1).overhead.pseudowireMTU(underlay: 1500))
        try wire.takeDown()
    }

    @Test(
        "with software segmentation on the underlay every frame of a TCP stream is whole and valid", arguments: Cell.all
    )
    func validOnTheWire(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell) { $0.offload = .keep }
        // What a card without offloads would send: frames are cut and checksums filled in before they leave.
        let client = try wire.client(.edge1)
        let underlay = try wire.index("veth12", client)
        try client.links.setOffloads(
            underlay, [.tcpSegmentation: false, .genericSegmentation: false, .transmitChecksum: false])
        for family in [IPAddress.Family.v4, .v6] {
            let tap = try FrameTap(on: "veth21", in: wire.network.edge2, bufferSize: 64 << 20)
            let stream = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(4 << 20), timeout: .seconds(20))
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
            let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)
            var carried = 0
            var longest = 0
            for frame in try tap.frames() where !frame.isOutgoing {
                let report = inspector.inspect(frame: frame.bytes)
                #expect(report.faults.isEmpty, "\(report.faults): \(report.summary)")
                #expect(!frame.hadTagBeside)
                if report.innerFrame != nil { carried += 1 }
                longest = max(longest, frame.bytes.count)
                if !report.faults.isEmpty { break }
            }
            #expect(carried > 2000)
            #expect(longest > 1400)
        }
        try wire.takeDown()
    }

    @Test("to a veth, every frame of a TCP stream goes whole and valid by itself", arguments: Cell.all)
    func finished(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell)
        let tap = try FrameTap(on: "veth21", in: wire.network.edge2, bufferSize: 64 << 20)
        let stream = PseudowireTestbed.Stream(
            to: FourNamespaces.Place.host3.address(.v4), amount: .octets(4 << 20), timeout: .seconds(20))
        #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)
        let frames = try tap.frames().filter { !$0.isOutgoing }
        #expect(frames.count > 2000)
        for frame in frames {
            let report = inspector.inspect(frame: frame.bytes)
            #expect(report.faults.isEmpty && frame.offload == nil, "\(report.faults): \(report.summary)")
            if !report.faults.isEmpty { break }
        }
        try wire.takeDown()
    }

    @Test("tagged frames cross octet for octet, and no tag is on the outside", arguments: Cell.all)
    func tags(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell)
        let source: MACAddress = "02:00:00:00:00:01"
        let destination: MACAddress = "02:00:00:00:00:02"
        let tagSets: [[VLANTag]] = [
            [], [.customer(42, priority: 5)], [.customer(0, priority: 3)], [.service(7), .customer(42)],
            [.customer(7), .customer(42)],
        ]
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let far = try FrameTap(on: "veth32", in: wire.network.host3)
        let between = try FrameTap(on: "veth21", in: wire.network.edge2)
        var sent: [[UInt8]] = []
        for tags in tagSets {
            for transport in [
                Transport.udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: [1, 2, 3, 4, 5])),
                .tcp(TCPSegment(sourcePort: 9, destinationPort: 9, payload: [UInt8](repeating: 7, count: 1001))),
            ] {
                for packet in [
                    IPPacket(source: "198.51.100.1", destination: "198.51.100.2", transport: transport),
                    IPPacket(source: "2001:db8:1::1", destination: "2001:db8:1::2", transport: transport),
                ] {
                    sent.append(
                        EthernetFrame(destination: destination, source: source, tags: tags, payload: .ip(packet)).bytes)
                }
            }
            sent.append(
                EthernetFrame.arpRequest(from: source, "198.51.100.1", whoHas: "198.51.100.2", tags: tags).bytes)
            sent.append(
                EthernetFrame(
                    destination: destination, source: source, tags: tags,
                    payload: .raw(etherType: 0x88b5, [UInt8](repeating: 0xaa, count: 47))
                ).bytes)
        }
        for frame in sent { try near.send(frame) }
        let received = try far.frames(quiet: .milliseconds(200)).filter {
            !$0.isOutgoing && $0.bytes[6...].starts(with: source.bytes)
        }
        #expect(received.map(\.bytes) == sent, "\(received.count) of \(sent.count)")
        let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: 1500)
        for frame in try between.frames() where !frame.isOutgoing {
            let report = inspector.inspect(frame: frame.bytes)
            #expect(report.faults.isEmpty, "\(report.faults): \(report.summary)")
            #expect(!frame.hadTagBeside)
        }
        try wire.takeDown()
    }

    @Test("three tags are too many: dropped and counted")
    func threeTags() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let tap = try FrameTap(on: "veth01", in: wire.network.host0)
        try tap.send(
            EthernetFrame(
                destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01",
                tags: [.service(1), .customer(2), .customer(3)], payload: .raw(etherType: 0x88b5, [1, 2, 3])
            ).bytes)
        usleep(50_000)
        let drops = try wire.first.pseudowire(named: "pw0").statistics.drops
        #expect(drops.map(\.reason.identifier) == ["vlan_depth"])
        try wire.takeDown()
    }

    @Test("a frame that is no IP packet and too long for the kernel to put headers before is dropped and counted")
    func noRoom() throws {
        let wire = try Wire(underlayMTU: 60_000, innerMTU: 30_000)
        try wire.connect(Cell.all[0])
        let tap = try FrameTap(on: "veth01", in: wire.network.host0)
        let payload = [UInt8](repeating: 7, count: 20_000)
        try tap.send(
            EthernetFrame(
                destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01",
                payload: .raw(etherType: 0x88b5, payload)
            ).bytes)
        usleep(50_000)
        let drops = try wire.first.pseudowire(named: "pw0").statistics.drops
        #expect(drops.map(\.reason.identifier) == ["no_room"])
        try wire.takeDown()
    }

    @Test("a packet that the kernel does not shorten is dropped and counted, not delivered with what is behind it")
    func notRemoved() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let far = try #require(try wire.client(.edge2).links.find(named: "veth21")?.address)
        let tap = try FrameTap(on: "veth12", in: wire.network.edge1)
        let codec = PacketCodec(
            outer: OuterHeader(
                source: FourNamespaces.Place.edge1.address(.v4), destination: FourNamespaces.Place.edge2.address(.v4),
                encapsulation: .udp),
            header: DataHeader(encapsulation: .udp, session: 1021, sublayer: SublayerWord()))
        let inner = EthernetFrame.arpRequest(
            from: "02:00:00:00:00:01", "198.51.100.1", whoHas: "198.51.100.2"
        ).bytes
        let packet = far.bytes + [2, 0, 0, 0, 0, 9, 8, 0] + (try codec.encapsulate(frame: inner))
        let padded = packet + [UInt8](repeating: 0, count: 40)
        // A checksum to be filled in behind the packet's end: the kernel keeps what it will have to write to.
        try tap.send(padded, offload: .init(checksumStart: UInt16(packet.count + 10), checksumOffset: 2))
        usleep(50_000)
        let drops = try wire.second.pseudowire(named: "pw0").statistics.drops
        #expect(drops.map(\.reason.identifier) == ["not_removed"])
        // Without that remark it is delivered, and what is behind its end is not.
        let delivered = try FrameTap(on: "veth32", in: wire.network.host3)
        try tap.send(padded)
        let frames = try delivered.frames().filter { $0.bytes[6...].starts(with: [2, 0, 0, 0, 0, 1]) }
        #expect(frames.map(\.bytes) == [inner])
        try wire.takeDown()
    }

    @Test("frames of 9,000 octets cross a path that takes them", arguments: Cell.all)
    func jumbo(cell: Cell) throws {
        let wire = try Wire(underlayMTU: 9200, innerMTU: 9000)
        try wire.connect(cell)
        try wire.expectPings(sizes: [8900])
        let stream = PseudowireTestbed.Stream(
            to: FourNamespaces.Place.host3.address(.v4), amount: .octets(16 << 20), timeout: .seconds(20))
        #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        try wire.takeDown()
    }

    @Test("cookies, sublayer, ports, checksum: both ends agree", arguments: Cell.all)
    func options(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell) { configuration in
            configuration.session.sending = "0123456789abcdef"
            configuration.session.expecting = ["fedcba9876543210", "0123456789abcdef"]
            configuration.session.sublayer = .none
            configuration.ttl = 7
            configuration.dscp = 46
            if cell.encapsulation == .udp {
                configuration.tunnel.localPort = configuration.session.local == 1012 ? 5000 : 6000
                configuration.tunnel.peerPort = configuration.session.local == 1012 ? 6000 : 5000
                configuration.tunnel.udpChecksum = .full
            }
        }
        try wire.expectPings(sizes: [56, 1001])
        let stream = PseudowireTestbed.Stream(
            to: FourNamespaces.Place.host3.address(.v4), amount: .octets(8 << 20), timeout: .seconds(20))
        #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        try wire.takeDown()
    }

    @Test("a wrong cookie lets nothing through, and is named")
    func wrongCookie() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { configuration in
            configuration.session.expecting = ["aaaaaaaa"]
            configuration.session.sending = configuration.session.local == 1012 ? "bbbbbbbb" : "aaaaaaaa"
        }
        let reader = try wire.second.eventReader()
        try wire.expectSilence()
        let events = try reader.next(within: .seconds(1))
        #expect(events.first?.reason.identifier == "cookie" && events.first?.session == 1021)
        #expect(events.first?.addresses?.source == FourNamespaces.Place.edge1.address(.v4))
        let drops = try wire.second.pseudowire(named: "pw0").statistics.drops
        #expect(drops.map(\.reason.identifier) == ["cookie"])
        #expect(try wire.second.pseudowire(named: "pw0").statistics.rxFrames == 0)
        try wire.takeDown()
    }
}
