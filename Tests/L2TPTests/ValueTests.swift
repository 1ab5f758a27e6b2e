import InternetAddress
import L2TP
import Testing

@Suite struct SessionIDTests {
    @Test(arguments: [("1", 1), ("1012", 1012), ("4294967295", UInt32.max), ("0x3f4", 1012), ("0XFFFFFFFF", .max)])
    func reads(text: String, value: UInt32) {
        #expect(SessionID(text)?.rawValue == value)
    }

    @Test(arguments: [
        "", "0", "00", "010", "0x", "0x0", "0x123456789", "4294967296", "99999999999", "-1", "+1", " 1", "1 ", "1_0",
        "ten", "f4", "0x_1", "１",
    ])
    func refuses(text: String) {
        #expect(SessionID(text) == nil)
    }

    @Test func zeroIsNoSession() {
        #expect(SessionID(rawValue: 0) == nil)
    }

    @Test func printsWhatItReads() {
        let session: SessionID = 1021
        #expect(session.description == "1021")
        #expect(SessionID(session.description) == session)
        #expect(SessionID(rawValue: 1) ?? 9 < session)
    }
}

@Suite struct CookieTests {
    @Test func digitsSayTheLength() {
        #expect(Cookie("89abcdef") == Cookie(UInt32(0x89ab_cdef)))
        #expect(Cookie("0x89ABCDEF") == Cookie(UInt32(0x89ab_cdef)))
        #expect(Cookie("0123456789abcdef") == Cookie(UInt64(0x0123_4567_89ab_cdef)))
        #expect(Cookie("0000000089abcdef") != Cookie("89abcdef"))
        #expect(Cookie("none") == .empty)
    }

    @Test(arguments: [
        "", "0x", "0", "1234", "89abcde", "89abcdef0", "0123456789abcde", "0123456789abcdef0", "89abcdeg", "-9abcdef",
        "89ab cdef", "0x0x89abcd", "None",
    ])
    func refuses(text: String) {
        #expect(Cookie(text) == nil)
    }

    @Test(arguments: ["none", "00000000", "89abcdef", "00000000000000ff", "fedcba9876543210"])
    func printsWhatItReads(text: String) {
        #expect(Cookie(text)?.description == text)
    }

    @Test func bytesAreInNetworkOrder() {
        let cookie: Cookie = "0123456789abcdef"
        #expect(cookie.bytes == [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef])
        #expect(Cookie(bytes: cookie.bytes) == cookie)
        #expect(Cookie(bytes: [1, 2, 3, 4]) == "01020304")
        #expect(Cookie(bytes: []) == .empty)
        for count in [1, 2, 3, 5, 6, 7, 9, 300] {
            #expect(Cookie(bytes: Array(repeating: 0, count: count)) == nil)
        }
    }
}

@Suite struct EnumerationTests {
    @Test func textIsThatOfTheCommandLine() {
        #expect(Sublayer(rawValue: "default") == .default)
        #expect(Sublayer(rawValue: "none") == Sublayer.none)
        #expect(Encapsulation(rawValue: "udp") == .udp)
        #expect(Encapsulation(rawValue: "ip") == .ip)
    }

    @Test func protocolNumbers() {
        #expect(Encapsulation.defaultPort == 1701)
        #expect(Encapsulation.udp.protocolNumber == 17)
        #expect(Encapsulation.ip.protocolNumber == 115)
        for number in 0...UInt8.max {
            let known = number == 17 || number == 115 ? number : nil
            #expect(Encapsulation(protocolNumber: number)?.protocolNumber == known)
        }
    }
}

@Suite struct SequenceNumberTests {
    /// l2tp-ktest `tc_data_seqnum`: what the kernel accepts and drops while it expects 0.
    @Test(arguments: [(0, true), (1, true), (8_388_606, true), (8_388_607, false), (16_777_215, false)])
    func kernelWindow(number: UInt32, isAccepted: Bool) {
        #expect(SequenceNumber(rawValue: number)?.isAcceptable(expecting: 0) == isAccepted)
    }

    @Test(arguments: [0, 1, 0x7f_ffff, 0x80_0000, 0xff_ffff] as [UInt32])
    func windowTravelsWithTheExpectedNumber(base: UInt32) {
        let expected = SequenceNumber(truncating: base)
        #expect(expected.isAcceptable(expecting: expected))
        #expect(expected.next.isAcceptable(expecting: expected))
        #expect(expected.advanced(by: 8_388_606).isAcceptable(expecting: expected))
        #expect(!expected.advanced(by: 8_388_607).isAcceptable(expecting: expected))
        #expect(!expected.advanced(by: -1).isAcceptable(expecting: expected))
    }

    @Test func arithmeticIsModulo24Bits() {
        let last: SequenceNumber = 0xff_ffff
        #expect(last.next == 0)
        #expect(SequenceNumber(0).advanced(by: -1) == last)
        #expect(SequenceNumber(3).distance(from: last) == 4)
        #expect(last.distance(from: 3) == 0xff_fffc)
        #expect(SequenceNumber(rawValue: 1 << 24) == nil)
        #expect(SequenceNumber(truncating: 0xab00_0001) == 1)
        #expect(last.advanced(by: .max) == last.advanced(by: -1))
        #expect(last.advanced(by: .min) == last)
    }
}

@Suite struct OverheadTests {
    struct Cell: Sendable {
        var outer: Int
        var encapsulation: Encapsulation
        var cookie: Cookie.Length
        var sublayer: Sublayer
        var mtu: Int
    }

    /// Linux's own answers for an underlay of 1500 (facts/l2tp.md 3.7): IPv4/UDP, IPv4/IP, IPv6/UDP, IPv6/IP.
    static let golden: [Cell] = [
        (4, Encapsulation.udp, [1446, 1442, 1438, 1450]),
        (4, .ip, [1458, 1454, 1450, 1462]),
        (6, .udp, [1426, 1422, 1418, 1430]),
        (6, .ip, [1438, 1434, 1430, 1442]),
    ].flatMap { outer, encapsulation, values in
        [
            Cell(outer: outer, encapsulation: encapsulation, cookie: .zero, sublayer: .default, mtu: values[0]),
            Cell(outer: outer, encapsulation: encapsulation, cookie: .four, sublayer: .default, mtu: values[1]),
            Cell(outer: outer, encapsulation: encapsulation, cookie: .eight, sublayer: .default, mtu: values[2]),
            Cell(outer: outer, encapsulation: encapsulation, cookie: .zero, sublayer: .none, mtu: values[3]),
        ]
    }

    @Test(arguments: golden)
    func goldenTable(cell: Cell) {
        var overhead = Overhead(
            outer: cell.outer == 4 ? .v4 : .v6, encapsulation: cell.encapsulation, cookieLength: cell.cookie,
            sublayer: cell.sublayer)
        #expect(overhead.pseudowireMTU(underlay: 1500) == cell.mtu)
        #expect(overhead.pseudowireMTU(underlay: 9000) == cell.mtu + 7500)
        #expect(overhead.underlayMTU(pseudowire: cell.mtu) == 1500)
        overhead.innerTags = 1
        #expect(overhead.pseudowireMTU(underlay: 1500) == cell.mtu - 4)
        overhead.innerTags = 2
        #expect(overhead.pseudowireMTU(underlay: 1500) == cell.mtu - 8)
    }

    @Test func theTableIsWhole() { #expect(Self.golden.count == 16) }

    @Test func absurdFiguresGiveAnAnswer() {
        let overhead = Overhead(outer: .v6, encapsulation: .udp, cookieLength: .eight, sublayer: .default)
        #expect(overhead.byteCount == 82)
        #expect(overhead.prependedByteCount == 68)
        for underlay in [Int.min, -1, 0, 81, 82] { #expect(overhead.pseudowireMTU(underlay: underlay) == 0) }
        #expect(overhead.pseudowireMTU(underlay: 83) == 1)
        #expect(overhead.underlayMTU(pseudowire: .max) == .max)
    }
}

@Suite struct InternetChecksumTests {
    @Test func exampleOfRFC1071() {
        #expect(InternetChecksum(of: hex("0001 f203 f4f5 f6f7")).value == ~UInt16(0xddf2))
    }

    /// A header whose checksum, 0xb861, is a much-copied example.
    @Test func knownIPv4Header() {
        let header = hex("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7")
        #expect(InternetChecksum(of: header).value == 0xb861)
        #expect(InternetChecksum(of: hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7")).value == 0)
    }

    @Test func emptyAndOdd() {
        #expect(InternetChecksum().value == 0xffff)
        #expect(InternetChecksum(of: [0x12]).value == ~UInt16(0x1200))
        #expect(InternetChecksum(of: [0x12, 0x34, 0x56]).value == ~UInt16(0x1234 + 0x5600))
        #expect(InternetChecksum(of: Array(repeating: 0xff, count: 65535)).value == 0x00ff)
    }

    @Test func piecesOfAnyLengthAddUp() {
        var generator = SeededGenerator(state: 1071)
        for count in 0..<200 {
            let bytes = generator.bytes(count)
            var checksum = InternetChecksum()
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...7, using: &generator))
                checksum.add(piece)
                rest = rest.dropFirst(piece.count)
            }
            #expect(checksum.value == InternetChecksum(of: bytes).value)
            checksum.add(0xabcd as UInt16)
            #expect(checksum.value == InternetChecksum(of: bytes + [0xab, 0xcd]).value)
        }
    }
}
