import BPF
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("decapsulation, octet for octet", .enabled(if: geteuid() == 0, "needs root"))
struct DecapTests {
    @Test("every sample in every cell comes out as it went in", arguments: Cell.all)
    func roundTrip(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let codec = cell.codec(outbound: false)
        for sample in Sample.all {
            let packet = cell.ethernet + (try codec.encapsulate(frame: sample.frame))
            let result = try bench.decap.testRun(packet)
            #expect(result.verdict == Verdict.redirect, "\(sample.testDescription)")
            #expect(Self.restored(result.frame, sample), "\(sample.testDescription)")
        }
        let counted = try bench.counted()
        #expect(counted.rxFrames == UInt64(Sample.all.count))
        #expect(counted.rxOctets == UInt64(Sample.all.map(\.frame.count).reduce(0, +)))
        #expect(try bench.reasons().isEmpty)
    }

    /// A tag ends up where the kernel keeps it, beside the frame, which a test run does not show.
    private static func restored(_ frame: [UInt8], _ sample: Sample) -> Bool {
        let original = sample.frame
        let isTagged = original.count >= 18 && [[0x81, 0x00], [0x88, 0xa8]].contains(Array(original[12..<14]))
        return frame == (isTagged ? Array(original[..<12] + original[16...]) : original)
    }

    @Test("frames of every length from the shortest", arguments: Cell.basic)
    func everyLength(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let codec = cell.codec(outbound: false)
        for length in 14...200 {
            let frame =
                Sample.far.bytes + Sample.near.bytes + [0x88, 0xb5]
                + PayloadPattern.bytes(count: length - 14, seed: UInt64(length))
            let result = try bench.decap.testRun(cell.ethernet + (try codec.encapsulate(frame: frame)))
            #expect(result.frame == frame, "\(length) octets")
        }
    }

    @Test("outer Ethernet padding is cut", arguments: Cell.basic)
    func padding(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let frame = Sample.far.bytes + Sample.near.bytes + [0x88, 0xb5, 1, 2, 3]
        let packet = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: frame))
        for count in [1, 2, 17, 46] {
            let result = try bench.decap.testRun(packet + [UInt8](repeating: 0xee, count: count))
            #expect(result.verdict == Verdict.redirect)
            #expect(result.frame == frame)
        }
    }

    @Test("what is not for us passes untouched", arguments: Cell.basic)
    func foreign(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let frame = Sample.all[0].frame
        let good = try cell.codec(outbound: false).encapsulate(frame: frame)
        func expectPass(_ packet: [UInt8], _ what: String) throws {
            let result = try bench.decap.testRun(packet)
            #expect(result.verdict == Verdict.pass, "\(what)")
            #expect(result.frame == packet, "\(what)")
        }
        var codec = cell.codec(outbound: false)
        codec.header.session = 4711
        try expectPass(cell.ethernet + (try codec.encapsulate(frame: frame)), "another session")
        codec = cell.codec(outbound: false)
        codec.outer.destination = cell.family == .v4 ? "192.0.2.99" : "2001:db8::99"
        try expectPass(cell.ethernet + (try codec.encapsulate(frame: frame)), "another destination")
        if cell.encapsulation == .udp {
            codec = cell.codec(outbound: false)
            codec.outer.destinationPort = 1703
            try expectPass(cell.ethernet + (try codec.encapsulate(frame: frame)), "another port")
        }
        // The same session in the other encapsulation, and over the other family.
        for other in Cell.basic where other.family != cell.family || other.encapsulation != cell.encapsulation {
            let packet = try other.codec(outbound: false).encapsulate(frame: frame)
            try expectPass(other.ethernet + packet, other.testDescription)
        }
        let l2tp = (cell.family == .v4 ? 20 : 40) + (cell.encapsulation == .udp ? 8 : 0)
        var control = good
        if cell.encapsulation == .udp {
            control[l2tp] = 0xc8  // T, L and S bits
        } else {
            control.replaceSubrange(l2tp..<(l2tp + 4), with: [0, 0, 0, 0])
        }
        try expectPass(cell.ethernet + control, "control message")
        if cell.encapsulation == .udp {
            var zero = good
            zero.replaceSubrange((l2tp + 4)..<(l2tp + 8), with: [0, 0, 0, 0])
            try expectPass(cell.ethernet + zero, "session 0")
            var version = good
            version[l2tp + 1] = 2
            try expectPass(cell.ethernet + version, "L2TPv2")
        }
        for sample in Sample.all {
            try expectPass([UInt8](repeating: 0, count: 12) + sample.frame[12...], sample.testDescription)
        }
        var otherStation = cell.ethernet + good
        otherStation.replaceSubrange(0..<6, with: Sample.far.bytes)
        try expectPass(otherStation, "frame for another station")
    }

    @Test("what is ours but wrong is dropped under its reason", arguments: Cell.basic)
    func wrong(cell: Cell) throws {
        var cell = cell
        cell.cookie = "0123456789abcdef"
        let frame = Sample.all[0].frame
        let ip = cell.family == .v4 ? 20 : 40
        let l2tp = ip + (cell.encapsulation == .udp ? 8 : 0)
        let good = try cell.codec(outbound: false).encapsulate(frame: frame)
        func expectDrop(_ packet: [UInt8], _ reason: String) throws {
            let bench = try Bench(cell.configuration)
            #expect(try bench.decap.testRun(cell.ethernet + packet).verdict == Verdict.drop, "\(reason)")
            #expect(try bench.reasons() == [reason: 1])
            #expect(try bench.counted().rxDropped == 1)
        }
        var codec = cell.codec(outbound: false)
        codec.outer.source = cell.family == .v4 ? "192.0.2.99" : "2001:db8::99"
        try expectDrop(codec.encapsulate(frame: frame), "source_address")
        if cell.encapsulation == .udp {
            codec = cell.codec(outbound: false)
            codec.outer.sourcePort = 1703
            try expectDrop(codec.encapsulate(frame: frame), "source_port")
        }
        let cookie = l2tp + (cell.encapsulation == .udp ? 8 : 4)
        for octet in 0..<8 {
            var packet = good
            packet[cookie + octet] ^= 0x10
            try expectDrop(packet, "cookie")
        }
        // An inner frame of 13 octets: the lengths agree, but it has no whole Ethernet header.
        let shortest = try cell.codec(outbound: false).encapsulate(frame: Array(frame[..<14]))
        var runt = Array(shortest.dropLast())
        Self.shorten(&runt, cell, by: 1)
        try expectDrop(runt, "runt")
        // The IP header promises an octet more than there is.
        try expectDrop(Array(good.dropLast()), "length")
        if cell.family == .v4 {
            var fragment = good
            fragment[6] = 0x20  // more fragments
            try expectDrop(fragment, "fragment")
        }
    }

    @Test("a packet cut anywhere is never delivered", arguments: Cell.basic)
    func truncated(cell: Cell) throws {
        let bench = try Bench(cell.configuration)
        let packet = cell.ethernet + (try cell.codec(outbound: false).encapsulate(frame: Sample.all[20].frame))
        for length in 14..<packet.count {
            // The kernel itself refuses test frames that lack the header their ethertype announces.
            guard let result = try? bench.decap.testRun(Array(packet[..<length])) else {
                #expect(length < 14 + (cell.family == .v4 ? 20 : 40))
                continue
            }
            #expect(result.verdict != Verdict.redirect, "\(length) of \(packet.count) octets")
        }
        #expect(try bench.counted().rxFrames == 0)
    }

    @Test("both of two accepted cookies open the door, a third does not", arguments: Cell.basic)
    func twoCookies(cell: Cell) throws {
        var configuration = cell.configuration
        configuration.session.expecting = ["aaaaaaaa", "bbbbbbbb"]
        let bench = try Bench(configuration)
        for (cookie, verdict) in [
            ("aaaaaaaa", Verdict.redirect), ("bbbbbbbb", Verdict.redirect), ("cccccccc", Verdict.drop),
        ] {
            var codec = cell.codec(outbound: false)
            codec.header.cookie = try #require(Cookie(cookie))
            let packet = try codec.encapsulate(frame: Sample.all[0].frame)
            #expect(try bench.decap.testRun(cell.ethernet + packet).verdict == verdict)
        }
    }

    /// Makes both outer lengths smaller; checksums are not looked at here.
    private static func shorten(_ packet: inout [UInt8], _ cell: Cell, by count: Int) {
        let ip = cell.family == .v4 ? 20 : 40
        var places = [cell.family == .v4 ? 2 : 4]
        if cell.encapsulation == .udp { places.append(ip + 4) }
        for place in places {
            let length = Int(packet[place]) << 8 + Int(packet[place + 1]) - count
            packet[place] = UInt8(length >> 8)
            packet[place + 1] = UInt8(length & 0xff)
        }
    }
}
