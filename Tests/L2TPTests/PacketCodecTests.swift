import InternetAddress
import L2TP
import Testing

@Suite struct PacketCodecTests {
    static let frame = hex("020000000002 020000000001 0800 abcd ef")

    @Test func goldenIPv4UDP() throws {
        let codec = PacketCodec(
            outer: OuterHeader(source: "192.0.2.21", destination: "192.0.2.22", encapsulation: .udp),
            header: DataHeader(encapsulation: .udp, session: 1012, sublayer: SublayerWord(sequence: 3)))
        let packet = hex(
            """
            45 00 0039          # version, IHL 5; total length 20 + 8 + 12 + 17 = 57
            0000 4000           # identification; DF
            40 11 b688          # TTL 64, UDP, checksum: ~(4500+0039+4000+4011+c000+0215+c000+0216) = ~4977
            c0000215 c0000216   # 192.0.2.21 > 192.0.2.22
            06a5 06a5 0025 8362 # 1701 > 1701, length 37
            0003 0000 000003f4  # T = 0, Ver = 3; session 1012
            40000003            # S, sequence number 3
            020000000002 020000000001 0800 abcd ef
            """)
        #expect(try codec.encapsulate(frame: Self.frame) == packet)
        let back = try PacketCodec.decapsulate(packet: packet, cookieLength: .zero, sublayer: .default)
        #expect(back.frame == Self.frame && back.outer == codec.outer && back.header == codec.header)
    }

    @Test func goldenIPv6IP() throws {
        let codec = PacketCodec(
            outer: OuterHeader(
                source: "2001:db8::21", destination: "2001:db8::22", encapsulation: .ip, ttl: 255, trafficClass: 0xb9,
                flowLabel: 0xabcde),
            header: DataHeader(encapsulation: .ip, session: 0x16, cookie: "0123456789abcdef"))
        let packet = hex(
            """
            6b9abcde            # version 6, traffic class b9, flow label abcde
            001d 73 ff          # payload 4 + 8 + 17 = 29, next header 115, hop limit 255
            20010db8 00000000 00000000 00000021
            20010db8 00000000 00000000 00000022
            00000016            # session
            01234567 89abcdef   # cookie
            020000000002 020000000001 0800 abcd ef
            """)
        #expect(try codec.encapsulate(frame: Self.frame) == packet)
        let back = try PacketCodec.decapsulate(packet: packet, cookieLength: .eight, sublayer: .none)
        #expect(back.frame == Self.frame && back.outer == codec.outer && back.header == codec.header)
    }

    static func codec(_ generator: inout SeededGenerator) -> PacketCodec {
        let encapsulation: Encapsulation = Bool.random(using: &generator) ? .udp : .ip
        let isIPv4 = Bool.random(using: &generator)
        let cookie = [Cookie.empty, "89abcdef", "0123456789abcdef"].randomElement(using: &generator) ?? .empty
        let word = SublayerWord(rawValue: .random(in: 0 ... .max, using: &generator))
        return PacketCodec(
            outer: OuterHeader(
                source: isIPv4 ? "192.0.2.21" : "2001:db8::21", destination: isIPv4 ? "192.0.2.22" : "2001:db8::22",
                encapsulation: encapsulation, sourcePort: .random(in: 0 ... .max, using: &generator),
                destinationPort: .random(in: 0 ... .max, using: &generator),
                ttl: .random(in: 0 ... .max, using: &generator),
                trafficClass: .random(in: 0 ... .max, using: &generator),
                dontFragment: .random(using: &generator), identification: .random(in: 0 ... .max, using: &generator),
                flowLabel: .random(in: 0..<1 << 20, using: &generator),
                udpChecksum: Bool.random(using: &generator) ? .zero : .full),
            header: DataHeader(
                encapsulation: encapsulation,
                session: SessionID(rawValue: .random(in: 1 ... .max, using: &generator)) ?? 1, cookie: cookie,
                sublayer: Bool.random(using: &generator) ? word : nil))
    }

    static func decapsulate(
        _ packet: [UInt8], like header: DataHeader
    ) throws(DecapsulationError) -> PacketCodec.Decapsulated {
        try PacketCodec.decapsulate(
            packet: packet, cookieLength: header.cookie.length, sublayer: header.sublayer == nil ? .none : .default)
    }

    @Test func everyLengthComesBack() throws {
        var generator = SeededGenerator(state: 3931)
        for count in 14...1600 {
            let codec = Self.codec(&generator)
            let frame = generator.bytes(count)
            let packet = try codec.encapsulate(frame: frame)
            let overhead = Overhead(
                outer: codec.outer.source.family, encapsulation: codec.outer.encapsulation,
                cookieLength: codec.header.cookie.length, sublayer: codec.header.sublayer == nil ? .none : .default)
            #expect(packet.count == frame.count + overhead.prependedByteCount)
            let back = try Self.decapsulate(packet, like: codec.header)
            #expect(back.frame == frame && back.outer == codec.outer && back.header == codec.header)
            #expect(back.optionsByteCount == 0)
            let padded = try Self.decapsulate(packet + [0, 0, 0], like: codec.header)
            #expect(padded == back, "Ethernet padding is cut")
        }
    }

    @Test func truncationsAreErrors() throws {
        var generator = SeededGenerator(state: 14)
        for _ in 0..<40 {
            let codec = Self.codec(&generator)
            let packet = try codec.encapsulate(frame: generator.bytes(.random(in: 14...40, using: &generator)))
            for count in 0..<packet.count {
                #expect(throws: DecapsulationError.self) {
                    try Self.decapsulate(Array(packet.prefix(count)), like: codec.header)
                }
            }
        }
    }

    @Test func mutationsNeverTrap() throws {
        var generator = SeededGenerator(state: 50_000)
        var refused = 0
        for _ in 0..<50_000 {
            let codec = Self.codec(&generator)
            var packet = try codec.encapsulate(frame: generator.bytes(.random(in: 14...64, using: &generator)))
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<packet.count, using: &generator)
                packet[index] = .random(in: 0 ... .max, using: &generator)
            }
            if Bool.random(using: &generator) {
                packet = Array(packet.prefix(.random(in: 0...packet.count, using: &generator)))
            }
            do {
                let back = try Self.decapsulate(packet, like: codec.header)
                #expect(back.frame.count >= 14 && back.frame.count < packet.count)
            } catch { refused += 1 }
        }
        #expect((1..<50_000).contains(refused))
    }

    /// The checksum of a datagram that sums to 0xffff is 0, which must be sent as 0xffff.
    @Test(arguments: ["192.0.2.21 192.0.2.22", "2001:db8::21 2001:db8::22"])
    func computedZeroIsSentAsOnes(addresses: String) throws {
        let pair = addresses.split(separator: " ").compactMap { IPAddress(String($0)) }
        let codec = PacketCodec(
            outer: OuterHeader(source: pair[0], destination: pair[1], encapsulation: .udp),
            header: DataHeader(encapsulation: .udp, session: 1012))
        let offset = (pair[0].family == .v4 ? 20 : 40) + 6
        var frame = Self.frame + [0]
        var packet = try codec.encapsulate(frame: frame + [0, 0])
        // Putting the checksum into the payload brings the sum to 0xffff.
        frame += packet[offset..<(offset + 2)]
        packet = try codec.encapsulate(frame: frame)
        #expect(Array(packet[offset..<(offset + 2)]) == [0xff, 0xff])
        #expect(try Self.decapsulate(packet, like: codec.header).outer.udpChecksum == .full)
    }

    @Test func everyReason() throws {
        func make(_ v4: Bool, _ encapsulation: Encapsulation) throws -> [UInt8] {
            let outer = OuterHeader(
                source: v4 ? "192.0.2.21" : "2001:db8::21", destination: v4 ? "192.0.2.22" : "2001:db8::22",
                encapsulation: encapsulation)
            return try PacketCodec(outer: outer, header: DataHeader(encapsulation: encapsulation, session: 1012))
                .encapsulate(frame: Self.frame)
        }
        func fault(_ packet: [UInt8], fixIPv4: Bool = false) -> DecapsulationError? {
            var packet = packet
            if fixIPv4 {
                packet.replaceSubrange(10..<12, with: [0, 0])
                let value = InternetChecksum(of: packet.prefix(Int(packet[0] & 15) * 4)).value
                packet.replaceSubrange(10..<12, with: [UInt8(value >> 8), UInt8(value & 0xff)])
            }
            do {
                _ = try PacketCodec.decapsulate(packet: packet, cookieLength: .zero, sublayer: .none)
                return nil
            } catch { return error }
        }
        func with(_ packet: [UInt8], _ changes: [Int: UInt8]) -> [UInt8] {
            var packet = packet
            for (offset, value) in changes { packet[offset] = value }
            return packet
        }
        let v4 = try make(true, .udp)
        let v4ip = try make(true, .ip)
        let v6 = try make(false, .udp)
        #expect(fault(v4) == nil && fault(v6) == nil && fault(v4ip) == nil)
        #expect(fault([]) == .truncated(needed: 1, have: 0))
        #expect(fault(Array(v4.prefix(19))) == .truncated(needed: 20, have: 19))
        #expect(fault(Array(v6.prefix(39))) == .truncated(needed: 40, have: 39))
        #expect(fault(with(v4, [0: 0x55])) == .version(5))
        #expect(fault(with(v4, [0: 0x44])) == .headerLength(16))
        #expect(fault(with(v4, [8: 1])) == .headerChecksum)
        #expect(fault(with(v4, [3: 0xff]), fixIPv4: true) == .totalLength(255, have: v4.count))
        #expect(fault(with(v4, [3: 19]), fixIPv4: true) == .totalLength(19, have: v4.count))
        #expect(fault(with(v6, [4: 0, 5: 0])) == .totalLength(40, have: v6.count))
        #expect(fault(with(v6, [5: 0xff])) == .totalLength(295, have: v6.count))
        #expect(fault(with(v4, [6: 0x20]), fixIPv4: true) == .fragment)
        #expect(fault(with(v4, [7: 1]), fixIPv4: true) == .fragment)
        #expect(fault(with(v6, [6: 44])) == .fragment)
        #expect(fault(with(v4, [9: 6]), fixIPv4: true) == .nextProtocol(6))
        #expect(fault(with(v6, [6: 0])) == .nextProtocol(0))
        #expect(fault(with(v4, [25: 7])) == .udpLength(7, have: v4.count - 20))
        #expect(fault(with(v4, [25: 0xff])) == .udpLength(255, have: v4.count - 20))
        #expect(fault(with(v4, [26: v4[26] ^ 1])) == .udpChecksum)
        #expect(fault(with(v6, [60: v6[60] ^ 1])) == .udpChecksum)
        #expect(fault(with(v6, [46: 0, 47: 0])) == nil, "zero is no checksum, over IPv6 too")
        #expect(fault(with(v4, [26: 0, 27: 0, 28: 0xc8])) == .header(.controlMessage))
        #expect(fault(with(v4, [26: 0, 27: 0, 29: 2])) == .header(.version(2)))
        #expect(fault(with(v4ip, [22: 0, 23: 0])) == .header(.controlMessage))
        #expect(fault(with(v4ip, [3: 37]), fixIPv4: true) == .frameTooShort(13))
    }

    @Test func optionsAreSkipped() throws {
        let codec = PacketCodec(
            outer: OuterHeader(source: "192.0.2.21", destination: "192.0.2.22", encapsulation: .ip),
            header: DataHeader(encapsulation: .ip, session: 1012))
        var packet = try codec.encapsulate(frame: Self.frame)
        packet.insert(contentsOf: [0x94, 4, 0, 0], at: 20)
        packet[0] = 0x46
        packet[3] += 4
        packet.replaceSubrange(10..<12, with: [0, 0])
        let value = InternetChecksum(of: packet.prefix(24)).value
        packet.replaceSubrange(10..<12, with: [UInt8(value >> 8), UInt8(value & 0xff)])
        let back = try Self.decapsulate(packet, like: codec.header)
        #expect(back.optionsByteCount == 4 && back.frame == Self.frame)
    }

    @Test func whatCannotBeSent() {
        let v4: IPAddress = "192.0.2.21"
        func fault(_ outer: OuterHeader, _ encapsulation: Encapsulation, _ count: Int) -> EncapsulationError? {
            do {
                _ = try PacketCodec(outer: outer, header: DataHeader(encapsulation: encapsulation, session: 1))
                    .encapsulate(frame: Array(repeating: 0, count: count))
                return nil
            } catch { return error }
        }
        let good = OuterHeader(source: v4, destination: v4, encapsulation: .ip)
        let good6 = OuterHeader(source: "::1", destination: "::1", encapsulation: .ip)
        #expect(fault(OuterHeader(source: v4, destination: "::1", encapsulation: .ip), .ip, 14) == .familiesDiffer)
        #expect(fault(good, .udp, 14) == .encapsulationsDiffer)
        #expect(fault(good, .ip, 13) == .frameTooShort(13))
        #expect(fault(good, .ip, 65535 - 24) == nil)
        #expect(fault(good, .ip, 65535 - 23) == .tooLong(65535 - 23))
        #expect(fault(good6, .ip, 65535 - 4) == nil)
        #expect(fault(good6, .ip, 65535 - 3) == .tooLong(65535 - 3))
        var labelled = good6
        labelled.flowLabel = 1 << 20
        #expect(fault(labelled, .ip, 14) == .flowLabel(1 << 20))
    }
}
