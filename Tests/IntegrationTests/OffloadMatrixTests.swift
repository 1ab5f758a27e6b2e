import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// Offloads as users leave them, in every combination, judged by what a capture shows.
@Suite("the offload matrix", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct OffloadMatrixTests {
    /// Who cuts and finishes what leaves for the peer.
    enum Finisher: String, Sendable, CaseIterable {
        /// The underlay's card: frames leave the stack uncut.
        case card
        /// The stack, as for a card without offloads.
        case stack
        /// The datapath itself.
        case datapath
    }

    struct Corner: Sendable, CustomTestStringConvertible {
        let cell: Cell
        let finisher: Finisher
        let mtu: Int

        var testDescription: String { "\(cell.testDescription) finished by the \(finisher.rawValue), MTU \(mtu)" }

        static let all = Cell.all.flatMap { cell in
            Finisher.allCases.flatMap { finisher in
                [1500, 9000].map { Corner(cell: cell, finisher: finisher, mtu: $0) }
            }
        }
    }

    /// The two ends, and a tap between them that sees what leaves edge1.
    private static func wire(_ corner: Corner) throws -> Wire {
        // The hosts know nothing of the tunnel: their MTU is the underlay's.
        let wire = try Wire(underlayMTU: corner.mtu, innerMTU: corner.mtu)
        try wire.connect(corner.cell) { $0.offload = corner.finisher == .datapath ? .finish : .keep }
        if corner.finisher == .stack {
            let client = try wire.client(.edge1)
            try client.links.setOffloads(
                wire.index("veth12", client),
                [.tcpSegmentation: false, .genericSegmentation: false, .transmitChecksum: false])
        }
        return wire
    }

    /// Judges the outer frames; returns how many frames of wire size they stand for.
    private static func judge(_ frames: [CapturedFrame], _ corner: Corner) -> Int {
        var inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: corner.mtu)
        var carried = 0
        for frame in frames where !frame.isOutgoing {
            var bytes = frame.bytes
            inspector.mtu = corner.mtu
            inspector.allowsUnfinishedChecksums = false
            if let offload = frame.offload, corner.finisher == .card {
                if offload.segmentation == .none {
                    bytes = Self.finished(bytes, offload)
                } else {
                    // What the card will cut must come out no longer than a wire takes.
                    #expect(Int(offload.headerLength) - 14 + Int(offload.segmentSize) <= corner.mtu)
                    inspector.mtu = nil
                    inspector.allowsUnfinishedChecksums = true
                }
            } else {
                #expect(frame.offload == nil)
            }
            let report = inspector.inspect(frame: bytes)
            #expect(report.faults.isEmpty && !frame.hadTagBeside, "\(report.faults): \(report.summary)")
            if report.innerFrame != nil { carried += frame.segmentCount }
            if !report.faults.isEmpty { break }
        }
        return carried
    }

    /// What a card does to a frame whose checksum is left to it.
    private static func finished(_ frame: [UInt8], _ offload: Offload) -> [UInt8] {
        var frame = frame
        let start = Int(offload.checksumStart)
        let place = start + Int(offload.checksumOffset)
        guard place + 2 <= frame.count else { return frame }
        let value = InternetChecksum(of: frame[start...]).value
        frame[place] = UInt8(value >> 8)
        frame[place + 1] = UInt8(value & 0xff)
        return frame
    }

    private static func finished(_ frame: CapturedFrame) -> [UInt8] {
        guard let offload = frame.offload else { return frame.bytes }
        return finished(frame.bytes, offload)
    }

    @Test("TCP by the stack: every frame whole and valid, every octet delivered", arguments: Corner.all)
    func untagged(corner: Corner) throws {
        let wire = try Self.wire(corner)
        for family in [IPAddress.Family.v4, .v6] {
            let tap = try FrameTap(on: "veth21", in: wire.network.edge2, bufferSize: 64 << 20)
            let stream = PseudowireTestbed.Stream(
                to: FourNamespaces.Place.host3.address(family), amount: .octets(3 << 20), timeout: .seconds(20))
            #expect(try stream.run(from: wire.network.host0, to: wire.network.host3).isIntact)
            #expect(Self.judge(try tap.frames(), corner) > (3 << 20) / corner.mtu)
        }
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    @Test("tagged super-frames: cut, each piece with its tag, none outside", arguments: Corner.all)
    func tagged(corner: Corner) throws {
        let wire = try Self.wire(corner)
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let far = try FrameTap(on: "veth32", in: wire.network.host3, bufferSize: 64 << 20)
        let between = try FrameTap(on: "veth21", in: wire.network.edge2, bufferSize: 64 << 20)
        let size = corner.mtu - 200
        let payload = PayloadPattern.bytes(count: size * 5 + 77, seed: 9)
        var sent = 0
        for tags in [[VLANTag.customer(42, priority: 5)], [.service(7), .customer(42)]] {
            for family in [IPAddress.Family.v4, .v6] {
                let segment = TCPSegment(sourcePort: 9, destinationPort: 9, payload: payload)
                let unfinished = UnfinishedFrame(family, .tcp(segment), tags: tags)
                let (frame, transport) = (unfinished.bytes, unfinished.transport)
                try near.send(
                    frame,
                    offload: .init(
                        checksumStart: UInt16(transport), checksumOffset: 16,
                        segmentation: family == .v4 ? .tcp4 : .tcp6, segmentSize: UInt16(size),
                        headerLength: UInt16(transport + 20)))
                sent += 1
                let received = try far.frames(quiet: .milliseconds(100)).filter {
                    !$0.isOutgoing && $0.bytes[6...].starts(with: [2, 0, 0, 0, 0, 1])
                }
                // In the order of their numbers what was sent comes together again, under its tags.
                let pieces = received.sorted { Self.sequence($0.bytes, transport) < Self.sequence($1.bytes, transport) }
                #expect(pieces.allSatisfy { $0.bytes[12..<(12 + tags.count * 4)] == frame[12..<(12 + tags.count * 4)] })
                #expect(pieces.flatMap { $0.bytes[(transport + 20)...] } == payload, "\(pieces.count) pieces")
                #expect(pieces.reduce(0) { $0 + $1.segmentCount } == 6)
            }
        }
        #expect(Self.judge(try between.frames(), corner) >= sent * 6)
        #expect(try wire.first.pseudowire(named: "pw0").statistics.drops.isEmpty)
        try wire.takeDown()
    }

    /// What a stack that pads, as a virtual machine's may, hands over with its checksum still to be filled in.
    private static func unfinished() -> [(frame: [UInt8], offload: Offload)] {
        let tcp = TCPSegment(sourcePort: 9, destinationPort: 9, flags: .ack)
        let udp = UDPDatagram(sourcePort: 9, destinationPort: 9, payload: [1, 2, 3])
        return [(Transport.tcp(tcp), 16), (.udp(udp), 6)].flatMap { transport, place in
            [IPAddress.Family.v4, .v6].flatMap { family in
                [false, true].map { isWithin in
                    let unfinished = UnfinishedFrame(family, transport, field: place)
                    let start = unfinished.transport
                    var frame = unfinished.bytes
                    frame += [UInt8](repeating: 0, count: max(6, 60 - frame.count))
                    // The octets behind a datagram may be the IP packet's own.
                    if isWithin, place == 6 {
                        let length = UInt16(frame.count - (family == .v4 ? 14 : 54))
                        let field = family == .v4 ? 16 : 18
                        frame[field] = UInt8(length >> 8)
                        frame[field + 1] = UInt8(length & 0xff)
                        if family == .v4 {
                            (frame[24], frame[25]) = (0, 0)
                            let value = InternetChecksum(of: frame[14..<34]).value
                            (frame[24], frame[25]) = (UInt8(value >> 8), UInt8(value & 0xff))
                        }
                    }
                    return (frame, Offload(checksumStart: UInt16(start), checksumOffset: UInt16(place)))
                }
            }
        }
    }

    @Test(
        "padded frames with unfinished checksums: inner and outer ones come out right",
        arguments: Corner.all.filter { $0.mtu == 1500 })
    func padded(corner: Corner) throws {
        let wire = try Self.wire(corner)
        let near = try FrameTap(on: "veth01", in: wire.network.host0)
        let far = try FrameTap(on: "veth32", in: wire.network.host3)
        let between = try FrameTap(on: "veth21", in: wire.network.edge2)
        let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .default), mtu: corner.mtu)
        func isOurs(_ frame: CapturedFrame) -> Bool {
            !frame.isOutgoing && frame.bytes[6...].starts(with: [2, 0, 0, 0, 0, 1])
        }
        for (frame, offload) in Self.unfinished() {
            try near.send(frame, offload: offload)
            let finished = Self.finished(frame, offload)
            let received = try far.frames(quiet: .milliseconds(50)).filter(isOurs)
            #expect(received.map(Self.finished) == [finished])
            let carried = try between.frames(quiet: .milliseconds(50)).filter { !$0.isOutgoing }
                .map { inspector.inspect(frame: Self.finished($0)) }.filter { $0.innerFrame == finished }
            #expect(carried.count == 1)
            for report in carried {
                // Inside there is more than the lengths say, which is as it was sent.
                let faults = report.faults.filter { !"\($0)".hasPrefix("inner ") }
                #expect(faults.isEmpty, "\(faults): \(report.summary)")
            }
        }
        try wire.expectNoDrops()
        try wire.takeDown()
    }

    private static func sequence(_ frame: [UInt8], _ transport: Int) -> UInt32 {
        frame[(transport + 4)..<(transport + 8)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
