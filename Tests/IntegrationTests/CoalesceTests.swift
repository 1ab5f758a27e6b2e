import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// TCP segments that the kernel joins in a pair of ours, on their way from the tunnel to the customer.
@Suite("joining segments", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct CoalesceTests {
    private static let local = FourNamespaces.Place.edge1.address(.v4)
    private static let peer = FourNamespaces.Place.edge2.address(.v4)
    private static let size = 1000

    /// A flow's segment; another one of the same length on the wire has less payload and a trailer.
    private struct Segment {
        var sequence: UInt32
        var payload: [UInt8]
        var flags: TCPSegment.Flags = .ack
        var family: IPAddress.Family = .v4
        var tags: [VLANTag] = []

        func frame(length: Int) -> [UInt8] {
            let segment = TCPSegment(
                sourcePort: 4000, destinationPort: 80, sequence: sequence, flags: flags, payload: payload)
            let packet =
                family == .v4
                ? IPPacket(
                    source: "198.51.100.1", destination: "198.51.100.2", dontFragment: true, transport: .tcp(segment))
                : IPPacket(source: "2001:db8:1::1", destination: "2001:db8:1::2", transport: .tcp(segment))
            let bytes = EthernetFrame(
                destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", tags: tags, payload: .ip(packet)
            ).bytes
            return bytes + [UInt8](repeating: 0, count: length - bytes.count)
        }

        var ipLength: Int { family == .v4 ? 20 : 40 }
        /// Octets of headers.
        var front: Int { 14 + tags.count * 4 + ipLength + 20 }
    }

    /// What a customer got: frames, and what is in them.
    private struct Arrival {
        let frames: [CapturedFrame]
        let numbers: [UInt32]
        let payload: [UInt8]

        /// - Parameter like: a segment of the flow; its headers are as long as those of all.
        init(_ tap: borrowing FrameTap, like segment: Segment) throws {
            frames = try tap.frames(quiet: .milliseconds(100)).filter {
                !$0.isOutgoing && $0.bytes[6...].starts(with: [2, 0, 0, 0, 0, 1])
            }
            let front = segment.front
            numbers = frames.map { Self.number($0.bytes[(front - 16)..<(front - 12)]) }
            payload = frames.flatMap { frame in
                // What the IP header does not count is Ethernet's trailer.
                let (start, place) = segment.family == .v4 ? (front - 40, 2) : (front - 20, 4)
                let length = Int(Self.number(frame.bytes[(front - 20 - segment.ipLength + place)...].prefix(2)))
                return frame.bytes[front..<min(start + length, frame.bytes.count)]
            }
        }

        private static func number(_ octets: ArraySlice<UInt8>) -> UInt32 { octets.reduce(0) { $0 << 8 | UInt32($1) } }
    }

    /// As the peer sends it.
    private static func datagram(_ session: UInt32, _ segment: Segment) throws -> [UInt8] {
        let id = try #require(SessionID(rawValue: session))
        let header = DataHeader(encapsulation: .udp, session: id, sublayer: SublayerWord())
        return header.bytes + segment.frame(length: segment.front + size)
    }

    /// edge2 with two customers, whose pseudowires differ in nothing that is inside.
    private static func connectTenants(_ wire: borrowing Wire, coalesce: PseudowireConfiguration.Coalesce = .auto)
        throws
    {
        let far = try wire.client(.edge2)
        try wire.network.withNamespace(.host3) { namespace in
            _ = try far.links.create(.veth("a1", peer: .init(name: "h1", namespace: namespace.fileDescriptor)))
        }
        try far.links.update(wire.index("a1", far), LinkUpdate(isUp: true))
        let host = try wire.client(.host3)
        try host.links.update(wire.index("h1", host), LinkUpdate(isUp: true))
        for (name, access, session) in [("pw0", "veth23", UInt32(1021)), ("pw1", "a1", 77)] {
            try wire.second.add(
                PseudowireConfiguration(
                    name: name, access: access, tunnel: .udp(local: peer, peer: local),
                    session: .init(
                        local: try #require(SessionID(rawValue: session)),
                        peer: try #require(SessionID(rawValue: session + 1))), coalesce: coalesce))
        }
        // The neighbours know each other before anything is measured.
        let echo = Echo(to: peer, count: 1)
        #expect(try echo.run(in: wire.network.edge1).isPerfect)
    }

    private static func takeDown(_ wire: borrowing Wire) throws {
        try wire.second.teardown()
        let far = try wire.client(.edge2)
        try far.links.delete(wire.index("a1", far))
        try wire.takeDown()
    }

    @Test("two customers' flows with the same addresses, ports and numbers are never joined with each other")
    func tenants() throws {
        let wire = try Wire()
        try Self.connectTenants(wire)
        let near = try FrameTap(on: "veth32", in: wire.network.host3)
        let far = try FrameTap(on: "h1", in: wire.network.host3)
        let burst = try DatagramBurst(from: Self.local, port: 1701, via: "veth12", in: wire.network.edge1)
        let like = Segment(sequence: 0, payload: [])
        let patterns = [UInt64(1), 2].map { PayloadPattern.bytes(count: Self.size * 20, seed: $0) }
        // Each segment continues the other customer's: whoever looked at addresses and numbers alone would join all.
        var sent: [[UInt8]] = []
        for number in 0..<40 {
            let place = number / 2 * Self.size
            let segment = Segment(
                sequence: UInt32(1 + number * Self.size),
                payload: Array(patterns[number % 2][place..<(place + Self.size)]))
            sent.append(try Self.datagram(number % 2 == 0 ? 1021 : 77, segment))
        }
        try burst.send(sent, to: Self.peer, port: 1701)
        for (customer, arrival) in try [Arrival(near, like: like), Arrival(far, like: like)].enumerated() {
            #expect(arrival.frames.count == 20, "customer \(customer)")
            #expect(arrival.payload == patterns[customer], "customer \(customer)")
        }
        // And where each customer's own segments follow one another, they are joined, though the other's come between.
        sent = []
        for number in 0..<40 {
            let place = number / 2 * Self.size
            let segment = Segment(
                sequence: UInt32(1 + place), payload: Array(patterns[number % 2][place..<(place + Self.size)]))
            sent.append(try Self.datagram(number % 2 == 0 ? 1021 : 77, segment))
        }
        try burst.send(sent, to: Self.peer, port: 1701)
        for (customer, arrival) in try [Arrival(near, like: like), Arrival(far, like: like)].enumerated() {
            #expect(arrival.frames.count < 10, "customer \(customer): \(arrival.frames.count)")
            #expect(arrival.frames.reduce(0) { $0 + $1.segmentCount } == 20)
            #expect(arrival.payload == patterns[customer], "customer \(customer)")
        }
        for wire in try wire.second.pseudowires() {
            #expect(wire.statistics.rxFrames == 40 && wire.statistics.drops.isEmpty, "\(wire.statistics)")
            #expect(wire.coalescesSegments)
        }
        try Self.takeDown(wire)
    }

    /// What is inside.
    private struct Inside: Sendable, CustomTestStringConvertible {
        let family: IPAddress.Family
        let tags: [VLANTag]
        var testDescription: String { "IPv\(family.rawValue), \(tags.count) tags" }

        static let all = [IPAddress.Family.v4, .v6].flatMap { family in
            [[], [VLANTag.customer(42, priority: 5)], [.service(7), .customer(42)]].map {
                Inside(family: family, tags: $0)
            }
        }
    }

    @Test("large and small segments keep their order, whatever is joined", arguments: Inside.all)
    private func order(inside: Inside) throws {
        let wire = try Wire()
        try Self.connectTenants(wire)
        let tap = try FrameTap(on: "veth32", in: wire.network.host3)
        let burst = try DatagramBurst(from: Self.local, port: 1701, via: "veth12", in: wire.network.edge1)
        let lengths = [1000, 1000, 1000, 10, 1000, 1000, 600, 1000, 1000, 1000, 1000, 1, 2, 1000, 0]
        let pattern = PayloadPattern.bytes(count: lengths.reduce(0, +), seed: 4)
        var place = 0
        var sent: [[UInt8]] = []
        for (number, length) in lengths.enumerated() {
            let segment = Segment(
                sequence: UInt32(1 + place), payload: Array(pattern[place..<(place + length)]),
                flags: number == lengths.count - 1 ? [.ack, .fin] : .ack, family: inside.family, tags: inside.tags)
            // A trailer makes all of them equally long outside.
            sent.append(try Self.datagram(1021, segment))
            place += length
        }
        try burst.send(sent, to: Self.peer, port: 1701)
        let like = Segment(sequence: 0, payload: [], family: inside.family, tags: inside.tags)
        let arrival = try Arrival(tap, like: like)
        #expect(arrival.numbers == arrival.numbers.sorted(), "\(arrival.numbers)")
        #expect(arrival.payload == pattern)
        // What has a second tag is only joined by a kernel that has VLAN devices (CONFIG_VLAN_8021Q).
        if inside.tags.count < 2 { #expect(arrival.frames.count < lengths.count - 4, "\(arrival.frames.count)") }
        let tags = EthernetFrame(
            destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", tags: inside.tags,
            payload: .raw(etherType: 0, [])
        ).bytes[12..<(12 + inside.tags.count * 4)]
        #expect(arrival.frames.allSatisfy { $0.bytes[12...].starts(with: tags) })
        try Self.takeDown(wire)
    }

    @Test("what is joined is cut again, whole and valid, where the access interface cuts nothing", arguments: Cell.all)
    func uncut(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell) { $0.coalesce = .on }
        try Self.cutNothing(wire, on: ["veth12"], at: .edge1)
        try Self.cutNothing(wire, on: ["veth23", "veth21"], at: .edge2)
        for family in [IPAddress.Family.v4, .v6] {
            let tap = try FrameTap(on: "veth32", in: wire.network.host3, directions: .received, bufferSize: 64 << 20)
            let stream = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(3 << 20), timeout: .seconds(20))
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
            let frames = try tap.frames()
            #expect(frames.count > (3 << 20) / 1400)
            let inspector = PacketInspector(pseudowire: nil, mtu: 1400)
            for frame in frames {
                let report = inspector.inspect(frame: frame.bytes)
                #expect(report.faults.isEmpty && frame.offload == nil, "\(report.faults): \(report.summary)")
                if !report.faults.isEmpty { break }
            }
        }
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    @Test("a stream arrives joined where it came in segments, octet for octet", arguments: Cell.all)
    func joined(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell)
        try Self.cutNothing(wire, on: ["veth12"], at: .edge1)
        for coalesce in ["auto", "off", "on"] {
            var changes = PseudowireOptions(name: "pw0")
            changes.coalesce = coalesce
            try wire.second.execute(try wire.second.plan(changing: changes))
            #expect(try wire.second.pseudowire(named: "pw0").coalescesSegments == (coalesce != "off"))
            let tap = try FrameTap(on: "veth32", in: wire.network.host3, directions: .received, bufferSize: 64 << 20)
            let stream = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(.v4), amount: .octets(3 << 20), timeout: .seconds(20))
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
            let frames = try tap.frames()
            let joined = frames.filter { $0.segmentCount > 1 }.count
            #expect(coalesce == "off" ? joined == 0 : joined > 20, "\(coalesce): \(joined) of \(frames.count)")
        }
        try wire.takeDown()
    }

    private static func cutNothing(
        _ wire: borrowing Wire, on names: [String], at place: FourNamespaces.Place
    ) throws {
        let client = try wire.client(place)
        for name in names {
            try client.links.setOffloads(
                wire.index(name, client),
                [.tcpSegmentation: false, .genericSegmentation: false, .transmitChecksum: false])
        }
    }
}
