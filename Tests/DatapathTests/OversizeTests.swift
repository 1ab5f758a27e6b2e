import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("packets that do not fit", .enabled(if: geteuid() == 0, "needs root"))
struct OversizeTests {
    private static func bench(_ cell: Cell, _ change: (inout PseudowireConfiguration) -> Void = { _ in }) throws
        -> Bench
    {
        var configuration = cell.configuration
        configuration.mtu = 1300
        change(&configuration)
        return try Bench(configuration)
    }

    private static func frame(_ family: IPAddress.Family, _ size: Int, df: Bool = true, tags: [VLANTag] = []) -> [UInt8]
    {
        let headers = family == .v4 ? 28 : 48
        let payload = PayloadPattern.bytes(count: size - headers, seed: 5)
        var packet = Sample.ip(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, payload: payload)), family)
        packet.dontFragment = df
        return Sample.frame(packet, tags: tags).bytes
    }

    @Test("the configured MTU counts the packet inside, tags and headers not", arguments: Cell.basic)
    func limit(cell: Cell) throws {
        let bench = try Self.bench(cell) { $0.repliesTooBig = false }
        for tags in [[], [VLANTag.customer(5)], [.service(6), .customer(5)]] {
            #expect(try bench.encap.testRun(Self.frame(.v4, 1300, tags: tags)).verdict == Verdict.redirect)
            #expect(try bench.encap.testRun(Self.frame(.v4, 1301, tags: tags)).verdict == Verdict.drop)
        }
        #expect(try bench.reasons() == ["too_big": 3])
    }

    @Test("the sender is told by ICMP, in a message without fault", arguments: Cell.basic)
    func replies(cell: Cell) throws {
        let bench = try Self.bench(cell)
        for size in [1301, 1400, 1499] {
            let original = Self.frame(.v4, size)
            let result = try bench.encap.testRun(original)
            #expect(result.verdict == Verdict.redirect)
            let reply = result.frame
            #expect(Array(reply[..<12]) == Sample.near.bytes + Sample.far.bytes)
            #expect(Array(reply[26..<34]) == Array(original[30..<34] + original[26..<30]))
            #expect(Array(reply[34..<36]) == [3, 4])
            #expect(Array(reply[38..<42]) == [0, 0, 0x05, 0x14])
            #expect(Array(reply[42...]) == Array(original[14..<(14 + 548)]))
            #expect(reply.count == 14 + 576)
            #expect(PacketInspector().inspect(frame: reply).faults.isEmpty)
        }
        let original = Self.frame(.v6, 1400)
        let reply = try bench.encap.testRun(original).frame
        #expect(Array(reply[..<12]) == Sample.near.bytes + Sample.far.bytes)
        #expect(Array(reply[22..<54]) == Array(original[38..<54] + original[22..<38]))
        #expect(Array(reply[54..<56]) == [2, 0])
        #expect(Array(reply[58..<62]) == [0, 0, 0x05, 0x14])
        #expect(Array(reply[62...]) == Array(original[14..<(14 + 1232)]))
        #expect(reply.count == 14 + 1280)
        #expect(PacketInspector().inspect(frame: reply).faults.isEmpty)
        #expect(try bench.reasons() == ["too_big": 4])
        #expect(try bench.counted().txFrames == 0)
    }

    @Test("the MTU told is less what a tag takes of the path's")
    func repliesToTagged() throws {
        let cell = Cell.basic[0]
        let bench = try Self.bench(cell) { $0.mtu = nil }
        var encap = try #require(try bench.access[bench.accessKey])
        encap.path_mtu = 1400
        encap.path_mtu_until = .max
        try bench.access.update(key: bench.accessKey, value: encap)
        // 1400 less IP 20, UDP 8, L2TP 12, Ethernet 14 and tags.
        for (tags, mtu) in [([], 1346), ([VLANTag.customer(5)], 1342), ([.service(6), .customer(5)], 1338)] {
            let result = try bench.encap.testRun(Self.frame(.v4, 1400, tags: tags))
            #expect(result.verdict == Verdict.redirect)
            // The outermost tag lies beside the frame, where a test run does not show it.
            let shift = 4 * max(0, tags.count - 1)
            #expect(Int(result.frame[40 + shift]) << 8 | Int(result.frame[41 + shift]) == mtu)
        }
    }

    @Test(
        "no reply to multicast, to fragments, to errors, to what has no sender; and not without end",
        arguments: Cell.basic)
    func restraint(cell: Cell) throws {
        let bench = try Self.bench(cell)
        var silent: [[UInt8]] = []
        var multicast = Self.frame(.v4, 1400)
        multicast[0] = 1
        silent.append(multicast)
        var group = Self.frame(.v4, 1400)
        group[30] = 224
        silent.append(group)
        var nobody = Self.frame(.v4, 1400)
        nobody.replaceSubrange(26..<30, with: [0, 0, 0, 0])
        silent.append(nobody)
        var fragment = Self.frame(.v4, 1400)
        fragment[21] = 9
        silent.append(fragment)
        for (family, type) in [(IPAddress.Family.v4, UInt8(3)), (.v4, 11), (.v6, 1), (.v6, 2)] {
            var error = Self.frame(family, 1400)
            error[family == .v4 ? 23 : 20] = family == .v4 ? 1 : 58
            error[family == .v4 ? 34 : 54] = type
            silent.append(error)
        }
        silent.append(Sample.far.bytes + Sample.near.bytes + [0x88, 0xb5] + PayloadPattern.bytes(count: 1400, seed: 1))
        for frame in silent {
            #expect(try bench.encap.testRun(frame).verdict == Verdict.drop)
        }
        var replies = 0
        for _ in 0..<400 where try bench.encap.testRun(Self.frame(.v4, 1400)).verdict == Verdict.redirect {
            replies += 1
        }
        // A hundred a second on each CPU, and a second may end in between.
        #expect(replies >= 100 && replies < 400)
        #expect(try bench.reasons() == ["too_big": UInt64(silent.count + 400)])
    }

    @Test(
        "what may be cut is not answered; without a splitter it is dropped under a reason of its own",
        arguments: Cell.basic)
    func cutting(cell: Cell) throws {
        let bench = try Self.bench(cell)
        #expect(try bench.encap.testRun(Self.frame(.v4, 1400, df: false)).verdict == Verdict.drop)
        #expect(try bench.reasons() == ["not_fragmented": 1])
        let dropping = try Self.bench(cell) { $0.oversize = .drop }
        #expect(try dropping.encap.testRun(Self.frame(.v4, 1400, df: false)).verdict == Verdict.drop)
        #expect(try dropping.reasons() == ["too_big": 1])
    }

    @Test("MSS is lowered both ways to what fits, where it stands, and only in SYNs", arguments: Cell.basic)
    func clamp(cell: Cell) throws {
        func syn(_ family: IPAddress.Family, _ mss: UInt16, prefix: [UInt8], flags: TCPSegment.Flags = .syn) -> [UInt8]
        {
            let segment = TCPSegment(
                sourcePort: 1, destinationPort: 2, flags: flags,
                options: prefix + TCPSegment.maximumSegmentSize(mss) + [4, 2])
            return Sample.frame(Sample.ip(.tcp(segment), family)).bytes
        }
        let bench = try Self.bench(cell)
        for family in [IPAddress.Family.v4, .v6] {
            let most: UInt16 = family == .v4 ? 1260 : 1240
            // NOPs before the option move it to every alignment; a timestamp option is skipped.
            for prefix: [UInt8] in [[], [1], [1, 1], [1, 1, 1], [8, 10, 0, 0, 0, 0, 0, 0, 0, 0]] {
                for (asked, wanted) in [(1460, most), (65535, most), (most + 1, most), (most, most), (536, 536)]
                    as [(UInt16, UInt16)]
                {
                    let sent = try bench.encap.testRun(syn(family, asked, prefix: prefix)).frame
                    let expected = try cell.codec(outbound: true)
                        .encapsulate(frame: syn(family, wanted, prefix: prefix))
                    #expect(sent == cell.ethernet + expected, "IPv\(family.rawValue) \(prefix.count) \(asked)")
                    let packet =
                        cell.ethernet
                        + (try cell.codec(outbound: false).encapsulate(frame: syn(family, asked, prefix: prefix)))
                    #expect(try bench.decap.testRun(packet).frame == syn(family, wanted, prefix: prefix))
                }
            }
            let later = syn(family, 1460, prefix: [], flags: .ack)
            #expect(
                try bench.encap.testRun(later).frame == cell.ethernet
                    + cell.codec(outbound: true).encapsulate(frame: later))
            // Options that make no sense end the search.
            for options: [UInt8] in [[0], [2, 3, 9], [3, 0], [3, 1, 2, 4, 9, 9], [2], [253, 40]] {
                let segment = TCPSegment(sourcePort: 1, destinationPort: 2, flags: .syn, options: options)
                let odd = Sample.frame(Sample.ip(.tcp(segment), family)).bytes
                #expect(
                    try bench.encap.testRun(odd).frame == cell.ethernet
                        + cell.codec(outbound: true).encapsulate(frame: odd))
            }
        }
        let unclamped = try Self.bench(cell) { $0.clampsMSS = false }
        let frame = syn(.v4, 1460, prefix: [])
        #expect(
            try unclamped.encap.testRun(frame).frame == cell.ethernet
                + cell.codec(outbound: true).encapsulate(frame: frame))
    }
}
