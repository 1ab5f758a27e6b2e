import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

/// XDP's verdicts, `linux/bpf.h`.
private enum XDPVerdict {
    static let drop: Int32 = 1
    static let pass: Int32 = 2
    static let redirect: Int32 = 4
}

/// What an XDP program does with a frame is what the filter behind it would do, or nothing.
@Suite("XDP programs before the filters", .enabled(if: geteuid() == 0, "needs root"))
struct XDPTests {
    /// More than any frame here with the headers of any pseudowire.
    private static let mtu: UInt32 = 4000

    private static let encapXDP = [DatapathObject.encapXDP]
    private static let decapXDP = [DatapathObject.decapXDP]

    private static func site(
        _ cell: Cell, _ programs: [String], flags: Int = PW_PORT_TRANSMITS,
        _ change: (inout PseudowireConfiguration) -> Void = { _ in }
    ) throws -> NextHopSite {
        let site = try NextHopSite(cell, mtu: mtu, programs: programs, change)
        try site.describe(isEthernet: true, flags: flags)
        return site
    }

    /// Runs the program on the frame, as often as it takes: now and then it leaves one to the neighbour table.
    private static func encapsulate(_ frame: [UInt8], _ site: NextHopSite) throws -> TestRunResult {
        var result = try site.bench.encapXDP.testRunXDP(frame)
        for _ in 0..<4 where result.verdict == XDPVerdict.pass {
            result = try site.bench.encapXDP.testRunXDP(frame)
        }
        return result
    }

    /// Whether a sample is for XDP to carry: whole, with checksums that are known or not wanted.
    private static func isSimple(_ sample: Sample, _ cell: Cell) -> Bool {
        let name = sample.testDescription
        if name == "UDP without checksum" { return false }
        let hasKnownSum =
            name.contains("TCP") && !name.contains("padded") || name.contains("UDP") || name == "IPv4 options"
        return hasKnownSum || !cell.configuration.fillsUDPChecksum
    }

    @Test("every sample in every cell leaves as the Swift codec makes it, or stays as it is", arguments: Cell.all)
    func encap(cell: Cell) throws {
        let site = try Self.site(cell, Self.encapXDP)
        let codec = cell.codec(outbound: true)
        let ethernet = NextHopSite.first.bytes + NextHopSite.own.bytes + cell.ethernet[12...]
        var carried: [[UInt8]] = []
        try site.namespace.run { () throws in
            for sample in Sample.all {
                let result = try Self.encapsulate(sample.frame, site)
                if Self.isSimple(sample, cell) {
                    carried.append(sample.frame)
                    #expect(result.verdict == XDPVerdict.redirect, "\(sample.testDescription)")
                    #expect(
                        result.frame == ethernet + (try codec.encapsulate(frame: sample.frame)),
                        "\(sample.testDescription)")
                } else {
                    #expect(result.verdict == XDPVerdict.pass, "\(sample.testDescription)")
                    #expect(result.frame == sample.frame, "\(sample.testDescription)")
                }
            }
        }
        let counted = try site.bench.counted()
        #expect(counted.txFrames == UInt64(carried.count))
        #expect(counted.txOctets == UInt64(carried.map(\.count).reduce(0, +)))
        #expect(try site.bench.reasons().isEmpty)
    }

    @Test("every sample in every cell comes out as it went in, or stays as it is", arguments: Cell.all)
    func decap(cell: Cell) throws {
        let site = try Self.site(cell, Self.decapXDP)
        let codec = cell.codec(outbound: false)
        let ethernet = NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...]
        var delivered: [[UInt8]] = []
        try site.namespace.run { () throws in
            for sample in Sample.all {
                let packet = ethernet + (try codec.encapsulate(frame: sample.frame))
                // Ethernet pads short frames.
                for padding in [0, 9] {
                    let arrived = packet + [UInt8](repeating: 0xee, count: padding)
                    let result = try site.bench.decapXDP.testRunXDP(arrived)
                    if result.verdict == XDPVerdict.redirect {
                        delivered.append(sample.frame)
                        #expect(result.frame == sample.frame, "\(sample.testDescription)")
                    } else {
                        #expect(result.verdict == XDPVerdict.pass, "\(sample.testDescription)")
                        #expect(result.frame == arrived, "\(sample.testDescription)")
                    }
                }
            }
        }
        // All but the one of `isSimple`, and the four whose ethertype nobody knows.
        #expect(delivered.count == 2 * (Sample.all.count - 5))
        let counted = try site.bench.counted()
        #expect(counted.rxFrames == UInt64(delivered.count))
        #expect(counted.rxOctets == UInt64(delivered.map(\.count).reduce(0, +)))
        #expect(try site.bench.reasons().isEmpty)
    }

    /// Each octet of the headers is changed in turn, in three ways.
    private static func changed(_ packet: [UInt8], upTo count: Int) -> [[UInt8]] {
        (0..<min(count, packet.count)).flatMap { index in
            [UInt8(0x01), 0x80, 0xff].map { change in
                var copy = packet
                copy[index] ^= change
                return copy
            }
        }
    }

    /// A filter's test run takes for another station's what is not addressed to loopback.
    private static func forLoopback(_ packet: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: 12) + packet.dropFirst(12)
    }

    private static let plain = Sample.frame(
        Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3])), .v4)
    ).bytes

    @Test("of what is not as it should be, the program decides as the filter does or nothing", arguments: Cell.all)
    func decapDiffers(cell: Cell) throws {
        let (xdp, filter) = (try Self.site(cell, Self.decapXDP), try Self.site(cell, [DatapathObject.decap]))
        let ethernet = NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...]
        let packet = ethernet + (try cell.codec(outbound: false).encapsulate(frame: Self.plain))
        var verdicts: [Int32: Int] = [:]
        for packet in Self.changed(packet, upTo: 14 + 68 + 14 + 28) {
            let result = try xdp.namespace.run { () throws in try xdp.bench.decapXDP.testRunXDP(packet) }
            verdicts[result.verdict, default: 0] += 1
            if result.verdict == XDPVerdict.pass {
                #expect(result.frame == packet)
                continue
            }
            let other = try filter.namespace.run { () throws in try filter.bench.decap.testRun(Self.forLoopback(packet))
            }
            switch result.verdict {
            case XDPVerdict.redirect:
                #expect(other.verdict == Verdict.redirect)
                #expect(result.frame == other.frame)
            case XDPVerdict.drop:
                #expect(other.verdict == Verdict.drop)
            default:
                Issue.record("verdict \(result.verdict)")
            }
            #expect(try xdp.bench.counted() == filter.bench.counted())
        }
        // What passed is counted by nobody here.
        #expect(try xdp.bench.reasons() == filter.bench.reasons())
        #expect(try xdp.bench.sessionReasons() == filter.bench.sessionReasons())
        // The source address, and the port; what is in the frame; what is no longer ours.
        #expect(verdicts[XDPVerdict.drop, default: 0] >= 3 * 4)
        #expect(verdicts[XDPVerdict.redirect, default: 0] >= 3 * 12)
        #expect(verdicts[XDPVerdict.pass, default: 0] >= 3 * 8)
    }

    @Test("what is sent of a frame that is not as it should be is what the filter sends of it", arguments: Cell.all)
    func encapDiffers(cell: Cell) throws {
        let (xdp, filter) = (try Self.site(cell, Self.encapXDP), try Self.site(cell, [DatapathObject.encap]))
        var redirected = 0
        for frame in Self.changed(Self.plain, upTo: 42) {
            let before = try xdp.bench.counted()
            let result = try xdp.namespace.run { () throws in try Self.encapsulate(frame, xdp) }
            guard result.verdict == XDPVerdict.redirect else {
                #expect(result.verdict == XDPVerdict.pass)
                #expect(result.frame == frame)
                #expect(try xdp.bench.counted() == before)
                continue
            }
            redirected += 1
            let other = try filter.namespace.run { () throws in try filter.bench.encap.testRun(frame) }
            #expect(other.verdict == Verdict.redirect)
            #expect(result.frame.dropFirst(12) == other.frame.dropFirst(12))
            #expect(try xdp.bench.counted() == filter.bench.counted())
        }
        #expect(redirected > 3 * 12)
        #expect(try xdp.bench.reasons().isEmpty)
    }

    private static func tagged(_ tags: [VLANTag]) -> [UInt8] {
        Sample.frame(
            Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3])), .v4), tags: tags
        ).bytes
    }

    /// What a pseudowire selects, what it does with the tag, and which tags become which for the peer; nil: not its.
    private static let selections:
        [(
            PseudowireConfiguration.VLANSelection, PseudowireConfiguration.VLANTag, near: [VLANTag], far: [VLANTag]?
        )] = [
            (.id(42), .keep, [.customer(42, priority: 6)], [.customer(42, priority: 6)]),
            (.id(42), .keep, [.customer(42), .customer(7)], [.customer(42), .customer(7)]),
            (.id(42), .keep, [.customer(41)], nil),
            (.id(42), .keep, [.service(42)], nil),
            (.id(42), .keep, [], nil),
            (.id(42, .service), .keep, [.service(42), .customer(5)], [.service(42), .customer(5)]),
            (.id(42), .strip, [.customer(42)], []),
            (.id(42), .strip, [.customer(42), .customer(7, priority: 1)], [.customer(7, priority: 1)]),
            (.id(42, .service), .strip, [.service(42)], []),
            (.id(42), .rewrite(99), [.customer(42, priority: 5)], [.customer(99, priority: 5)]),
            (.none, .keep, [], []),
            (.none, .keep, [.customer(0, priority: 5)], [.customer(0, priority: 5)]),
            (.none, .keep, [.customer(3)], nil),
            (.any, .keep, [.service(3), .customer(3)], [.service(3), .customer(3)]),
        ]

    @Test("VLAN tags are kept, taken off, put on and changed", arguments: Cell.basic)
    func vlan(cell: Cell) throws {
        for (vlan, tag, near, far) in Self.selections {
            let site = try Self.site(cell, Self.encapXDP + Self.decapXDP) {
                $0.vlan = vlan
                $0.vlanTag = tag
            }
            let frame = Self.tagged(near)
            try site.namespace.run { () throws in
                let sent = try Self.encapsulate(frame, site)
                guard let far else {
                    #expect(sent.verdict == XDPVerdict.pass)
                    #expect(sent.frame == frame)
                    return
                }
                let there = Self.tagged(far)
                let packet = try cell.codec(outbound: true).encapsulate(frame: there)
                #expect(sent.verdict == XDPVerdict.redirect, "\(vlan) \(tag)")
                #expect(Array(sent.frame.dropFirst(14)) == packet, "\(vlan) \(tag)")
                #expect(try site.bench.counted().txOctets == UInt64(there.count))
                let answer = try cell.codec(outbound: false).encapsulate(frame: there)
                let delivered = try site.bench.decapXDP.testRunXDP(
                    NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...] + answer)
                #expect(delivered.verdict == XDPVerdict.redirect, "\(vlan) \(tag)")
                // A stripped tag comes back without its priority.
                let back = tag == .strip ? [vlan == .id(42) ? .customer(42) : .service(42)] + far : near
                #expect(delivered.frame == Self.tagged(back), "\(vlan) \(tag)")
            }
        }
    }

    @Test("a frame of another VLAN of the interface is the filter's to drop", arguments: Cell.basic)
    func otherVLAN(cell: Cell) throws {
        let ethernet = NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...]
        for (vlan, tag, tags) in [
            (
                PseudowireConfiguration.VLANSelection.id(42), PseudowireConfiguration.VLANTag.keep,
                [VLANTag.customer(43)]
            ),
            (.id(42), .rewrite(99), [.customer(42)]), (.id(42), .keep, []), (.none, .keep, [.customer(3)]),
        ] {
            let site = try Self.site(cell, Self.decapXDP) {
                $0.vlan = vlan
                $0.vlanTag = tag
            }
            let packet = ethernet + (try cell.codec(outbound: false).encapsulate(frame: Self.tagged(tags)))
            let result = try site.namespace.run { () throws in try site.bench.decapXDP.testRunXDP(packet) }
            #expect(result.verdict == XDPVerdict.pass)
            #expect(result.frame == packet)
        }
    }

    @Test("what takes the kernel's help passes to the filter", arguments: Cell.basic)
    func passed(cell: Cell) throws {
        func expectEncapPasses(_ what: String, _ site: NextHopSite, _ frame: [UInt8]) throws {
            let result = try site.namespace.run { () throws in try Self.encapsulate(frame, site) }
            #expect(result.verdict == XDPVerdict.pass, "\(what)")
            #expect(result.frame == frame, "\(what)")
            #expect(try site.bench.counted() == Statistics(), "\(what)")
        }
        func tcp(_ flags: TCPSegment.Flags) -> [UInt8] {
            let segment = TCPSegment(sourcePort: 1, destinationPort: 2, flags: flags, payload: [1, 2, 3])
            return Sample.frame(Sample.ip(.tcp(segment), .v4)).bytes
        }
        var unfinished = Self.plain
        // The field holds the pseudo header's sum: that of both addresses, the protocol and the length.
        let sum = InternetChecksum(of: Array(unfinished[26..<34]) + [0, 17, 0, 11]).value
        unfinished[40] = UInt8(~sum >> 8)
        unfinished[41] = UInt8(truncatingIfNeeded: ~sum)
        try expectEncapPasses("a checksum that is not filled in", try Self.site(cell, Self.encapXDP), unfinished)
        try expectEncapPasses(
            "a negotiation of segment sizes", try Self.site(cell, Self.encapXDP) { $0.clampsMSS = true }, tcp(.syn))
        try expectEncapPasses(
            "numbered", try Self.site(cell, Self.encapXDP) { $0.session.sequencing = .send }, Self.plain)
        try expectEncapPasses(
            "a way out that takes no redirection", try Self.site(cell, Self.encapXDP, flags: 0), Self.plain)
        let narrow = try NextHopSite(cell, mtu: 1400, programs: Self.encapXDP)
        try narrow.describe(isEthernet: true, flags: PW_PORT_TRANSMITS)
        let long = Sample.frame(
            Sample.ip(
                .udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 7, count: 1350))), .v4)
        ).bytes
        try expectEncapPasses("longer than the way takes", narrow, long)
        try expectEncapPasses(
            "longer than is configured", try Self.site(cell, Self.encapXDP) { $0.mtu = 1000 }, long)
        let unresolved = try Self.site(cell, Self.encapXDP)
        try unresolved.resolve(nil)
        try expectEncapPasses("a next hop that is not known", unresolved, Self.plain)

        func expectDecapPasses(
            _ what: String, _ site: NextHopSite, _ frame: [UInt8] = XDPTests.plain,
            _ change: (inout [UInt8]) -> Void = { _ in }
        ) throws {
            var packet = NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...]
            packet += try cell.codec(outbound: false).encapsulate(frame: frame)
            change(&packet)
            let result = try site.namespace.run { () throws in try site.bench.decapXDP.testRunXDP(packet) }
            #expect(result.verdict == XDPVerdict.pass, "\(what)")
            #expect(result.frame == packet, "\(what)")
            #expect(try site.bench.counted() == Statistics(), "\(what)")
        }
        try expectDecapPasses("a checksum that is not filled in", try Self.site(cell, Self.decapXDP), unfinished)
        try expectDecapPasses("a negotiation", try Self.site(cell, Self.decapXDP) { $0.clampsMSS = true }, tcp(.syn))
        try expectDecapPasses(
            "numbers are wanted", try Self.site(cell, Self.decapXDP) { $0.session.sequencing = .receive })
        try expectDecapPasses("an interface that takes no redirection", try Self.site(cell, Self.decapXDP, flags: 0))
        try expectDecapPasses("for another station", try Self.site(cell, Self.decapXDP)) { $0[5] ^= 1 }
        try expectDecapPasses("congestion on the way", try Self.site(cell, Self.decapXDP)) {
            if cell.family == .v4 { $0[15] |= 3 } else { $0[15] |= 0x30 }
        }
        // TCP is to be joined; other frames are not.
        let joining = try Self.site(cell, Self.decapXDP)
        var session = try #require(try joining.bench.sessions[1012])
        session.flags |= UInt32(PW_FLAG_COALESCE)
        try joining.bench.sessions.update(key: 1012, value: session)
        try expectDecapPasses("TCP that is to be joined", joining, tcp(.ack))
        let other = try cell.codec(outbound: false).encapsulate(frame: Self.plain)
        let ethernet = NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...]
        let result = try joining.namespace.run { () throws in
            try joining.bench.decapXDP.testRunXDP(ethernet + other)
        }
        #expect(result.verdict == XDPVerdict.redirect)
    }

    @Test("now and then a frame goes by the neighbour table, though another one has just found the way")
    func neighbourTurn() throws {
        let site = try Self.site(Cell.basic[0], Self.encapXDP + [DatapathObject.encap])
        // All these peers are behind one gateway: each is another question, in whatever tick it is asked.
        try site.client.routes.add(Route(to: "198.18.0.0/15", via: site.cell.configuration.tunnel.peer))
        let value = try #require(try site.bench.access[site.bench.accessKey])
        func ask(_ peer: UInt32) throws -> Int32 {
            var value = value
            value.header.4 = (198 << 24 | 18 << 16 | peer).bigEndian
            try site.bench.access.update(key: site.bench.accessKey, value: value)
            return try site.bench.encapXDP.testRunXDP(Self.plain).verdict
        }
        try site.namespace.run { () throws in
            let passed = try (0..<4096).filter { try ask($0) == XDPVerdict.pass }
            // One in 256: fewer than two, or more than 60, would be seen once in ten thousand runs.
            #expect((2...60).contains(passed.count))
            // What one has passed, the filter gives to the neighbour table, though another frame has found the way
            // since.
            let last = try #require(try (4096..<65536).first { try ask($0) == XDPVerdict.pass })
            while try ask(last) == XDPVerdict.pass {}
            let sent = try site.bench.encap.testRun(Self.plain)
            #expect(sent.verdict == Verdict.redirect)
            #expect(Array(sent.frame.prefix(12)) == [UInt8](repeating: 0, count: 12))
        }
    }

    /// Events are limited by the second: the filter has reported as many of it as it may, and is asked again if it
    /// ended.
    private func shed(_ site: NextHopSite, _ packet: [UInt8]) throws -> Int32 {
        try site.namespace.run { () throws in
            var verdict = XDPVerdict.pass
            for _ in 0..<3 where verdict == XDPVerdict.pass {
                for _ in 0..<Int(PW_EVENTS_PER_SECOND) + 1 {
                    _ = try site.bench.decap.testRun(Self.forLoopback(packet))
                }
                verdict = try site.bench.decapXDP.testRunXDP(packet).verdict
            }
            return verdict
        }
    }

    /// A UDP socket of the calling thread's namespace, for any address of its own.
    private static func boundSocket(_ family: IPAddress.Family, port: UInt16) throws -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(family == .v4 ? AF_INET : AF_INET6)
        address.sin6_port = port.bigEndian
        let descriptor = socket(Int32(address.sin6_family), Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let length = family == .v4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
        }
        try #require(result == 0)
        return descriptor
    }

    @Test(
        "a flood for sessions that nobody has ends here, if no socket takes it",
        arguments: Cell.basic.filter { $0.encapsulation == .udp })
    func unknownSessions(cell: Cell) throws {
        let site = try Self.site(cell, Self.decapXDP + [DatapathObject.decap], flags: PW_PORT_TRANSMITS | PW_PORT_SHEDS)
        var codec = cell.codec(outbound: false)
        codec.header.session = 4711
        codec.outer.destinationPort = 1701
        let ethernet = NextHopSite.own.bytes + NextHopSite.first.bytes + cell.ethernet[12...]
        let packet = ethernet + (try codec.encapsulate(frame: Self.plain))
        // The first ones are the stack's to answer.
        let first = try site.namespace.run { () throws in try site.bench.decapXDP.testRunXDP(packet) }
        #expect(first.verdict == XDPVerdict.pass)
        #expect(try site.bench.reasons().isEmpty)
        #expect(try shed(site, packet) == XDPVerdict.drop)
        let counted = try site.bench.reasons()["unknown_session", default: 0]
        #expect(counted > UInt64(PW_EVENTS_PER_SECOND))
        let descriptor = try site.namespace.run { () throws in try Self.boundSocket(cell.family, port: 1701) }
        #expect(try shed(site, packet) == XDPVerdict.pass)
        close(descriptor)
        #expect(try shed(site, packet) == XDPVerdict.drop)
        // Not where it was not asked for.
        try site.describe(isEthernet: true, flags: PW_PORT_TRANSMITS)
        site.outlastTick()
        #expect(try shed(site, packet) == XDPVerdict.pass)
    }
}
