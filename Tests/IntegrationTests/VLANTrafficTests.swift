import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// VLAN 10, VLAN 20 and what is untagged on `veth10` go by pseudowires of their own to three interfaces of edge2.
///
/// `veth10` is in a bridge, whose other port shows what edge1's stack has got to see.
@Suite("pseudowires that share an interface by VLAN", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct VLANTrafficTests {
    private static let host: MACAddress = "02:00:00:00:00:01"
    private static let other: MACAddress = "02:00:00:00:00:02"

    /// One of the three, and where its far end comes out at host3.
    private struct Line {
        let name: String
        let selection: PseudowireConfiguration.VLANSelection
        let tag: PseudowireConfiguration.VLANTag
        let far: String
        let session: UInt32
        /// What its frames are tagged with on `veth01`, and at host3.
        let nearTags: [VLANTag]
        let farTags: [VLANTag]

        static let kept = Line(
            name: "kept", selection: .id(10), tag: .keep, far: "h10", session: 110,
            nearTags: [.customer(10, priority: 3)],
            farTags: [.customer(10, priority: 3)])
        static let stripped = Line(
            name: "stripped", selection: .id(20), tag: .strip, far: "h20", session: 120, nearTags: [.customer(20)],
            farTags: [])
        static let untagged = Line(
            name: "untagged", selection: .none, tag: .keep, far: "veth32", session: 130, nearTags: [], farTags: [])
        static let all = [kept, stripped, untagged]

        func configuration(_ cell: Cell, at edge: FourNamespaces.Place) throws -> PseudowireConfiguration {
            var configuration = cell.configuration(at: edge)
            configuration.name = name
            configuration.session.local = try #require(SessionID(rawValue: session))
            configuration.session.peer = configuration.session.local
            if edge == .edge1 {
                configuration.vlan = selection
                configuration.vlanTag = tag
            } else if far != "veth32" {
                configuration.access = "a\(far.dropFirst())"
            }
            return configuration
        }
    }

    /// A frame of a kind that tells where it is from, and in the middle of it something to compare.
    private static func frame(_ number: Int, tags: [VLANTag], isForth: Bool = true) -> [UInt8] {
        let payload: EthernetFrame.Payload
        if number % 2 == 0 {
            let text = PayloadPattern.bytes(count: 100 + number * 7, seed: UInt64(number))
            let (from, to): (IPAddress, IPAddress) = ("198.51.100.1", "198.51.100.2")
            payload = .ip(
                IPPacket(
                    source: isForth ? from : to, destination: isForth ? to : from,
                    transport: .udp(UDPDatagram(sourcePort: 9, destinationPort: UInt16(number + 1), payload: text))))
        } else {
            payload = .raw(etherType: 0x88b5, PayloadPattern.bytes(count: 60 + number, seed: UInt64(number)))
        }
        return EthernetFrame(
            destination: isForth ? other : host, source: isForth ? host : other, tags: tags, payload: payload
        ).bytes
    }

    /// What came in at a tap from the one who sent.
    private static func arrivals(_ tap: borrowing FrameTap, isForth: Bool = true) throws -> [[UInt8]] {
        let source = (isForth ? host : other).bytes
        return try tap.frames(quiet: .milliseconds(100)).filter {
            !$0.isOutgoing && $0.bytes[6...].starts(with: source)
        }.map(\.bytes)
    }

    /// Pseudowires promise no order among each other.
    private static func sorted(_ frames: [[UInt8]]) -> [[UInt8]] { frames.sorted { $0.lexicographicallyPrecedes($1) } }

    /// More cables between edge2 and host3, and the bridge.
    private static func build(_ wire: borrowing Wire, _ cell: Cell, lines: [Line] = Line.all) throws {
        let near = try wire.client(.edge1)
        let far = try wire.client(.edge2)
        let host3 = try wire.client(.host3)
        for number in [10, 20] {
            try wire.network.withNamespace(.host3) { namespace in
                _ = try far.links.create(
                    .veth("a\(number)", peer: .init(name: "h\(number)", namespace: namespace.fileDescriptor)))
            }
            try far.links.update(wire.index("a\(number)", far), LinkUpdate(isUp: true))
            try host3.links.update(wire.index("h\(number)", host3), LinkUpdate(isUp: true))
        }
        let bridge = try near.links.create(.bridge("br0", isUp: true))
        _ = try near.links.create(.veth("b0", peer: .init(name: "stack")))
        for name in ["veth10", "b0"] {
            try near.links.update(wire.index(name, near), LinkUpdate(isUp: true, master: bridge.index))
        }
        try near.links.update(wire.index("stack", near), LinkUpdate(isUp: true))
        for line in lines {
            try wire.first.add(line.configuration(cell, at: .edge1))
            try wire.second.add(line.configuration(cell, at: .edge2))
        }
        // The bridge's ports begin to forward when the link watcher has seen their carrier.
        let client = near
        for name in ["veth10", "b0", "stack"] {
            for _ in 0..<200 {
                if try client.links.find(named: name)?.operationalState == .up { break }
                usleep(10_000)
            }
        }
        usleep(100_000)
    }

    private static func takeDown(_ wire: borrowing Wire) throws {
        let near = try wire.client(.edge1)
        let far = try wire.client(.edge2)
        try near.links.delete(wire.index("b0", near))
        try near.links.delete(wire.index("br0", near))
        try wire.first.teardown()
        try wire.second.teardown()
        for number in [10, 20] { try far.links.delete(wire.index("a\(number)", far)) }
        try wire.takeDown()
    }

    private static func expectNoDrops(_ wire: borrowing Wire, _ location: SourceLocation = #_sourceLocation) throws {
        for pseudowire in try wire.first.pseudowires() + wire.second.pseudowires() {
            #expect(pseudowire.statistics.drops.isEmpty, "\(pseudowire.name)", sourceLocation: location)
        }
    }

    private static func hasEncap(_ wire: borrowing Wire) throws -> Bool {
        let access = try wire.index("veth10", wire.client(.edge1))
        return try wire.filterCount(on: access, in: .edge1) > 0
    }

    @Test(
        "each takes its own frames, with the tags that belong there, and leaves the rest to the stack",
        arguments: Cell.all)
    func forth(cell: Cell) throws {
        let wire = try Wire()
        try Self.build(wire, cell)
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let stack = try FrameTap(on: "stack", in: wire.network.edge1)
        let h10 = try FrameTap(on: "h10", in: wire.network.host3)
        let h20 = try FrameTap(on: "h20", in: wire.network.host3)
        let veth32 = try FrameTap(on: "veth32", in: wire.network.host3)
        let alien: [[VLANTag]] = [[.customer(30)], [.service(10)], [.service(20), .customer(10)], [.customer(4094)]]
        for number in 0..<6 {
            for line in Line.all { try near.send(Self.frame(number, tags: line.nearTags)) }
            for tags in alien { try near.send(Self.frame(number, tags: tags)) }
            // A priority tag names no VLAN; behind the tag that decides, any may follow.
            try near.send(Self.frame(number, tags: [.customer(0, priority: 6)]))
            try near.send(Self.frame(number, tags: [.customer(10), .customer(20)]))
            try near.send(Self.frame(number, tags: [.customer(20), .customer(10)]))
        }
        let expected10 = (0..<6).flatMap { number in
            [Self.frame(number, tags: Line.kept.farTags), Self.frame(number, tags: [.customer(10), .customer(20)])]
        }
        let expected20 = (0..<6).flatMap { number in
            [Self.frame(number, tags: []), Self.frame(number, tags: [.customer(10)])]
        }
        let expectedUntagged = (0..<6).flatMap { number in
            [Self.frame(number, tags: []), Self.frame(number, tags: [.customer(0, priority: 6)])]
        }
        let expectedAlien = (0..<6).flatMap { number in alien.map { Self.frame(number, tags: $0) } }
        #expect(try Self.sorted(Self.arrivals(h10)) == Self.sorted(expected10))
        #expect(try Self.sorted(Self.arrivals(h20)) == Self.sorted(expected20))
        #expect(try Self.sorted(Self.arrivals(veth32)) == Self.sorted(expectedUntagged))
        #expect(try Self.sorted(Self.arrivals(stack)) == Self.sorted(expectedAlien))
        try Self.expectNoDrops(wire)
        try Self.takeDown(wire)
    }

    @Test("what comes back is tagged as it was, and what belongs elsewhere does not come", arguments: Cell.all)
    func back(cell: Cell) throws {
        let wire = try Wire()
        try Self.build(wire, cell)
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let stack = try FrameTap(on: "stack", in: wire.network.edge1)
        let h10 = try FrameTap(on: "h10", in: wire.network.host3)
        let h20 = try FrameTap(on: "h20", in: wire.network.host3)
        let veth32 = try FrameTap(on: "veth32", in: wire.network.host3)
        var expected: [[UInt8]] = []
        for number in 0..<6 {
            try h10.send(Self.frame(number, tags: Line.kept.farTags, isForth: false))
            try h20.send(Self.frame(number, tags: [], isForth: false))
            try veth32.send(Self.frame(number, tags: [], isForth: false))
            // Inside a stripped VLAN is room for other tags.
            try h20.send(Self.frame(number, tags: [.customer(10)], isForth: false))
            expected += [
                Self.frame(number, tags: Line.kept.nearTags, isForth: false),
                Self.frame(number, tags: Line.stripped.nearTags, isForth: false),
                Self.frame(number, tags: [], isForth: false),
                Self.frame(number, tags: [.customer(20), .customer(10)], isForth: false),
            ]
        }
        #expect(try Self.sorted(Self.arrivals(near, isForth: false)) == Self.sorted(expected))
        try Self.expectNoDrops(wire)

        // Somebody there who is in the wrong VLAN does not get into another.
        let before = try wire.first.pseudowires().reduce(0) { $0 + $1.statistics.rxDropped }
        let strangers: [[VLANTag]] = [[], [.customer(20)], [.customer(30)], [.customer(0)]]
        for tags in strangers { try h10.send(Self.frame(1, tags: tags, isForth: false)) }
        for tags: [VLANTag] in [[.customer(10)], [.customer(20)]] {
            try veth32.send(Self.frame(1, tags: tags, isForth: false))
        }
        #expect(try Self.arrivals(near, isForth: false).isEmpty)
        let after = try wire.first.pseudowires()
        #expect(after.reduce(0) { $0 + $1.statistics.rxDropped } - before == 6)
        #expect(Set(after.flatMap(\.statistics.drops).map(\.reason.identifier)) == ["vlan"])
        // Nothing that came in went anywhere but out of veth10.
        #expect(try Self.arrivals(stack, isForth: false).isEmpty)
        try Self.takeDown(wire)
    }

    @Test("TCP crosses each of them at default offloads", arguments: Cell.all)
    func streams(cell: Cell) throws {
        let wire = try Wire()
        try Self.build(wire, cell)
        // Untagged: host0 to host3 as they are.
        for family in [IPAddress.Family.v4, .v6] {
            let stream = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(2 << 20), timeout: .seconds(20))
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
        }
        // VLANs 10 and 20: host0 has tagged interfaces for both, host3 needs one only where the tag is kept.
        let host0 = try wire.client(.host0)
        let host3 = try wire.client(.host3)
        try TaggedPort.make("v10", vlan: 10, on: "veth01", host0)
        try TaggedPort.make("v20", vlan: 20, on: "veth01", host0)
        try TaggedPort.make("v10", vlan: 10, on: "h10", host3)
        let interfaces: [(RouteClient, String, IPPrefix)] = [
            (host0, "v20", "203.0.113.1/30"), (host3, "h20", "203.0.113.2/30"), (host0, "v10", "203.0.113.5/30"),
            (host3, "v10", "203.0.113.6/30"),
        ]
        for (client, name, prefix) in interfaces {
            let index = try wire.index(name, client)
            try client.links.update(index, LinkUpdate(isUp: true, mtu: 1400))
            try client.addresses.add(prefix, to: index)
        }
        for destination: IPAddress in ["203.0.113.2", "203.0.113.6"] {
            let forth = PseudowireTestbed.Stream(to: destination, amount: .octets(2 << 20), timeout: .seconds(20))
            #expect(try forth.run(from: wire.network.host0, to: wire.network.host3).isIntact, "\(destination)")
        }
        for destination: IPAddress in ["203.0.113.1", "203.0.113.5"] {
            let back = PseudowireTestbed.Stream(to: destination, amount: .octets(2 << 20), timeout: .seconds(20))
            #expect(try back.run(from: wire.network.host3, to: wire.network.host0).isIntact, "\(destination)")
        }
        for pseudowire in try wire.first.pseudowires() {
            // The untagged one has only acknowledgements from there, few since segments are joined before they arrive.
            let least: UInt64 = pseudowire.configuration.vlan == .none ? 20 : 500
            #expect(pseudowire.statistics.txFrames > 1000, "\(pseudowire.name)")
            #expect(pseudowire.statistics.rxFrames > least, "\(pseudowire.name)")
        }
        try Self.expectNoDrops(wire)
        try Self.takeDown(wire)
    }

    @Test("deleting one leaves the others; the last one takes the filter with it")
    func deleting() throws {
        let wire = try Wire()
        try Self.build(wire, Cell.all[0])
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let stack = try FrameTap(on: "stack", in: wire.network.edge1)
        let h10 = try FrameTap(on: "h10", in: wire.network.host3)
        let h20 = try FrameTap(on: "h20", in: wire.network.host3)
        let veth32 = try FrameTap(on: "veth32", in: wire.network.host3)
        // What of the three arrives where, as numbers of frames at host3 and at edge1's stack.
        func count() throws -> [Int] {
            for line in Line.all { try near.send(Self.frame(0, tags: line.nearTags)) }
            return try [
                Self.arrivals(h10).count, Self.arrivals(h20).count, Self.arrivals(veth32).count,
                Self.arrivals(stack).count,
            ]
        }
        #expect(try count() == [1, 1, 1, 0])
        try wire.first.remove("stripped")
        #expect(try Self.hasEncap(wire))
        #expect(try count() == [1, 0, 1, 1])
        try wire.first.remove("kept")
        #expect(try Self.hasEncap(wire))
        #expect(try count() == [0, 0, 1, 2])
        try wire.first.add(Line.stripped.configuration(Cell.all[0], at: .edge1))
        #expect(try count() == [0, 1, 1, 1])
        try wire.first.remove("stripped", "untagged")
        #expect(try !Self.hasEncap(wire))
        #expect(try count() == [0, 0, 0, 3])
        try Self.takeDown(wire)
    }

    @Test("VLANs that another pseudowire has are refused, and so is all where one has some")
    func conflicts() throws {
        let wire = try Wire()
        let cell = Cell.all[0]
        func fields(_ selection: PseudowireConfiguration.VLANSelection) -> [String] {
            do {
                var configuration = cell.configuration(at: .edge1)
                configuration.name = "new"
                configuration.session.local = 999
                configuration.vlan = selection
                try wire.first.add(configuration)
                try wire.first.remove("new")
                return []
            } catch PseudowireError.faults(let faults) {
                return faults.map(\.field)
            } catch {
                return ["\(error)"]
            }
        }
        try wire.first.add(Line.kept.configuration(cell, at: .edge1))
        #expect(fields(.id(10)) == ["vlan"])
        #expect(fields(.any) == ["vlan"])
        #expect(fields(.id(10, .service)) == [])
        #expect(fields(.id(11)) == [])
        #expect(fields(.none) == [])
        try wire.first.add(Line.untagged.configuration(cell, at: .edge1))
        #expect(fields(.none) == ["vlan"])
        try wire.first.remove("kept", "untagged")
        try wire.first.add(cell.configuration(at: .edge1))
        #expect(fields(.id(10)) == ["access"])
        #expect(fields(.none) == ["access"])
        #expect(fields(.any) == ["access"])
        try wire.takeDown()
    }
}
