import L2TP
import Testing

@Suite struct DataHeaderTests {
    struct Golden: Sendable {
        var encapsulation: Encapsulation
        var cookie: Cookie
        var sublayer: SublayerWord?
        var text: String
    }

    /// Every encapsulation, cookie length and sublayer, session 1012 = 0x3f4, written by hand.
    static let golden: [Golden] = [
        Golden(encapsulation: .ip, cookie: .empty, sublayer: nil, text: "000003f4  # session"),
        Golden(
            encapsulation: .ip, cookie: "89abcdef", sublayer: nil,
            text: """
                000003f4            # session
                89abcdef            # cookie
                """),
        Golden(
            encapsulation: .ip, cookie: "0123456789abcdef", sublayer: nil,
            text: """
                000003f4            # session
                01234567 89abcdef   # cookie
                """),
        Golden(
            encapsulation: .ip, cookie: .empty, sublayer: SublayerWord(),
            text: """
                000003f4            # session
                00000000            # sublayer, S = 0
                """),
        Golden(
            encapsulation: .ip, cookie: "89abcdef", sublayer: SublayerWord(sequence: 3),
            text: """
                000003f4            # session
                89abcdef            # cookie
                40000003            # S, sequence number 3
                """),
        Golden(
            encapsulation: .ip, cookie: "0123456789abcdef", sublayer: SublayerWord(sequence: 0xff_ffff),
            text: """
                000003f4            # session
                01234567 89abcdef   # cookie
                40ffffff            # S, the last number
                """),
        Golden(
            encapsulation: .udp, cookie: .empty, sublayer: nil,
            text: """
                0003 0000           # T = 0, Ver = 3; reserved
                000003f4            # session
                """),
        Golden(
            encapsulation: .udp, cookie: "89abcdef", sublayer: nil,
            text: """
                0003 0000           # T = 0, Ver = 3; reserved
                000003f4            # session
                89abcdef            # cookie
                """),
        Golden(
            encapsulation: .udp, cookie: "0123456789abcdef", sublayer: nil,
            text: """
                0003 0000           # T = 0, Ver = 3; reserved
                000003f4            # session
                01234567 89abcdef   # cookie
                """),
        Golden(
            encapsulation: .udp, cookie: .empty, sublayer: SublayerWord(),
            text: """
                0003 0000           # T = 0, Ver = 3; reserved
                000003f4            # session
                00000000            # sublayer, S = 0
                """),
        Golden(
            encapsulation: .udp, cookie: "89abcdef", sublayer: SublayerWord(sequence: 0),
            text: """
                0003 0000           # T = 0, Ver = 3; reserved
                000003f4            # session
                89abcdef            # cookie
                40000000            # S, sequence number 0
                """),
        Golden(
            encapsulation: .udp, cookie: "0123456789abcdef", sublayer: SublayerWord(rawValue: 0xf123_4567),
            text: """
                0003 0000           # T = 0, Ver = 3; reserved
                000003f4            # session
                01234567 89abcdef   # cookie
                f1234567            # V, S, B, E, a reserved bit, a number: all kept
                """),
    ]

    @Test(arguments: golden)
    func goldenBytes(golden: Golden) throws {
        let header = DataHeader(
            encapsulation: golden.encapsulation, session: 1012, cookie: golden.cookie, sublayer: golden.sublayer)
        let bytes = hex(golden.text)
        #expect(header.bytes == bytes)
        #expect(header.byteCount == bytes.count)

        let sublayer: Sublayer = golden.sublayer == nil ? .none : .default
        func decode(_ bytes: some RandomAccessCollection<UInt8>) throws(DataHeaderError) -> DataHeader {
            try DataHeader(
                decoding: bytes, encapsulation: golden.encapsulation, cookieLength: golden.cookie.length,
                sublayer: sublayer)
        }
        #expect(try decode(bytes) == header)
        // A slice's indices do not begin at zero; a frame follows.
        #expect(try decode(([9, 9, 9] + bytes + [1, 2, 3]).dropFirst(3)) == header)
        for count in 0..<bytes.count {
            do {
                let read = try decode(bytes.prefix(count))
                Issue.record("\(count) octets gave \(read)")
            } catch {
                guard case .truncated(let needed, let have) = error else {
                    Issue.record("\(count) octets gave \(error)")
                    continue
                }
                #expect(have == count && needed > count && needed <= bytes.count)
            }
        }
    }

    @Test func everyCombinationIsThere() { #expect(Self.golden.count == 2 * 3 * 2) }

    /// Captured from Linux: facts/l2tp.md 3.3.
    @Test func sampleFromTheKernel() throws {
        let bytes = hex(
            """
            0000 0016   # session 0x16
            4000 0003   # S, sequence number 3
            """)
        let header = try DataHeader(decoding: bytes, encapsulation: .ip, cookieLength: .zero, sublayer: .default)
        #expect(header.session.rawValue == 0x16)
        #expect(header.sublayer?.sequence == 3)
        #expect(header.bytes == bytes)
    }

    @Test func whatIsNoDataHeader() {
        func fault(_ text: String, _ encapsulation: Encapsulation) -> DataHeaderError? {
            do {
                _ = try DataHeader(
                    decoding: hex(text), encapsulation: encapsulation, cookieLength: .zero, sublayer: .none)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault("c803 0014 00000000 0000 0000", .udp) == .controlMessage)
        #expect(fault("8003 0000 000003f4", .udp) == .controlMessage)
        #expect(fault("c802 0014 00000000 0000 0000", .udp) == .version(2))
        #expect(fault("0002 0000 000003f4", .udp) == .version(2))
        #expect(fault("0000 0000 000003f4", .udp) == .version(0))
        #expect(fault("000f 0000 000003f4", .udp) == .version(15))
        #expect(fault("0003 0000 00000000", .udp) == .sessionZero)
        #expect(fault("00000000 c803 0014", .ip) == .controlMessage)
        #expect(fault("7ff3 ffff 000003f4", .udp) == nil, "reserved bits are ignored")
    }

    @Test func sublayerBits() {
        #expect(SublayerWord().sequence == nil)
        #expect(SublayerWord(rawValue: 0x00ab_cdef).sequence == nil, "no number without S")
        #expect(SublayerWord(rawValue: 0x4fab_cdef).sequence == 0xab_cdef)
        #expect(SublayerWord(rawValue: 0x8000_0000).isControlChannel)
        #expect(SublayerWord(rawValue: 0x1000_0000).isFragment && SublayerWord(rawValue: 0x2000_0000).isFragment)
        #expect(!SublayerWord(sequence: 7).isFragment && !SublayerWord(sequence: 7).isControlChannel)
        #expect(SublayerWord(sequence: 7).description == "0x40000007")
    }
}
