// Package.swift decides whether this target sees the testbed; without it there is nothing here to compile.
#if canImport(PseudowireTestbed)
    import InternetAddress
    import L2TP
    import PseudowireTestbed
    import Testing

    private let here: MACAddress = "02:00:00:00:00:01"
    private let there: MACAddress = "02:00:00:00:00:02"

    private func frame(_ payload: EthernetFrame.Payload, tags: [VLANTag] = [], isPadded: Bool = false) -> [UInt8] {
        EthernetFrame(destination: there, source: here, tags: tags, payload: payload, isPadded: isPadded).bytes
    }

    private func packet(_ transport: Transport, v4: Bool = true, options: [UInt8] = []) -> IPPacket {
        IPPacket(
            source: v4 ? "10.0.0.1" : "2001:db8::1", destination: v4 ? "10.0.0.2" : "2001:db8::2", options: options,
            extensionHeaders: !v4 && !options.isEmpty ? [.hopByHop, .destinationOptions] : [], transport: transport)
    }

    /// One good frame of every kind that the builders make, with a name.
    private func goodFrames() -> [(String, [UInt8])] {
        let odd = PayloadPattern.bytes(count: 33, seed: 1)
        let mss = TCPSegment.maximumSegmentSize(1460)
        let transports: [(String, Transport)] = [
            ("ping", .echoRequest(identifier: 7, sequence: 1, payload: odd)),
            ("pong", .echoReply(identifier: 7, sequence: 1, payload: odd)),
            ("UDP", .udp(UDPDatagram(sourcePort: 4000, destinationPort: 4001, payload: odd))),
            ("empty UDP", .udp(UDPDatagram(sourcePort: 4000, destinationPort: 4001))),
            ("SYN", .tcp(TCPSegment(sourcePort: 4000, destinationPort: 80, flags: .syn, options: mss))),
            ("TCP", .tcp(TCPSegment(sourcePort: 4000, destinationPort: 80, flags: [.psh, .ack], payload: odd))),
            ("other", .raw(protocolNumber: 89, odd)),
        ]
        var frames: [(String, [UInt8])] = [
            ("ARP request", EthernetFrame.arpRequest(from: here, "10.0.0.1", whoHas: "10.0.0.2").bytes),
            ("ARP reply", EthernetFrame.arpReply(from: here, "10.0.0.1", to: there, "10.0.0.2", isPadded: true).bytes),
            ("LLDP", EthernetFrame.lldp(from: here, port: "eth1").bytes),
            ("raw", frame(.raw(etherType: 0x88b5, odd))),
            ("802.3", frame(.raw(etherType: 3, [0x42, 0x42, 3]), isPadded: true)),
            ("bare UDP", frame(.ip(packet(.udp(UDPDatagram(sourcePort: 1, destinationPort: 2, hasChecksum: false)))))),
        ]
        for (name, transport) in transports {
            for v4 in [true, false] {
                for tags in [[], [VLANTag.customer(5)], [.service(100), .customer(5, priority: 7)]] {
                    for options: [UInt8] in [[], [7, 7, 4, 0, 0, 0, 0]] {
                        let bytes = frame(.ip(packet(transport, v4: v4, options: options)), tags: tags, isPadded: true)
                        frames.append(("\(name) \(v4 ? 4 : 6) \(tags.count) \(options.count)", bytes))
                    }
                }
                for piece in packet(transport, v4: v4).fragments(mtu: v4 ? 36 : 64) {
                    frames.append(("fragment of \(name)", frame(.raw(etherType: v4 ? 0x0800 : 0x86dd, piece))))
                }
            }
        }
        return frames
    }

    @Suite struct FrameBuilderTests {
        @Test func goldenPing() {
            let ping = packet(.echoRequest(identifier: 0x1234, sequence: 1, payload: [0xab]))
            let golden = hex(
                """
                020000000002 020000000001   # destination, source
                88a8 0064 8100 e005         # 802.1ad 100, 802.1Q 5 with priority 7
                0800                        # IPv4
                45 00 001d 0000 0000        # length 29
                40 01 66de                  # TTL 64, ICMP
                0a000001 0a000002
                08 00 3aca 1234 0001 ab     # ~(0800 + 1234 + 0001 + ab00) = ~c535
                """)
            #expect(frame(.ip(ping), tags: [.service(100), .customer(5, priority: 7)]) == golden)
        }

        @Test func goldenARP() {
            let golden = hex(
                """
                ffffffffffff 020000000001 0806
                0001 0800 06 04 0001        # Ethernet, IPv4, request
                020000000001 0a000001 000000000000 0a000002
                """)
            #expect(EthernetFrame.arpRequest(from: here, "10.0.0.1", whoHas: "10.0.0.2").bytes == golden)
            let padded = EthernetFrame.arpRequest(from: here, "10.0.0.1", whoHas: "10.0.0.2", isPadded: true).bytes
            #expect(padded == golden + Array(repeating: 0, count: 18))
        }

        @Test func fragmentsJoinToTheWhole() {
            let whole = packet(
                .echoRequest(identifier: 1, sequence: 1, payload: PayloadPattern.bytes(count: 999, seed: 2)))
            let pieces = whole.fragments(mtu: 300)
            #expect(pieces.count == 4 && pieces.allSatisfy { $0.count <= 300 })
            #expect(pieces.flatMap { $0.dropFirst(20) } == Array(whole.bytes.dropFirst(20)))
            #expect(whole.fragments(mtu: 2000) == [whole.bytes])
            #expect(whole.fragments(mtu: 27).isEmpty)
        }

        @Test func patternsAreRepeatable() {
            #expect(PayloadPattern.bytes(count: 40, seed: 1) == PayloadPattern.bytes(count: 40, seed: 1))
            #expect(PayloadPattern.bytes(count: 40, seed: 1) != PayloadPattern.bytes(count: 40, seed: 2))
            #expect(PayloadPattern.bytes(count: 40, seed: 1).starts(with: PayloadPattern.bytes(count: 9, seed: 1)))
            #expect(PayloadPattern.bytes(count: -1, seed: 1).isEmpty)
        }
    }

    @Suite struct PacketInspectorTests {
        @Test func goodFramesHaveNoFault() {
            for (name, bytes) in goodFrames() {
                let report = PacketInspector().inspect(frame: bytes)
                #expect(report.faults.isEmpty, "\(name): \(report.summary)")
                #expect(!report.summary.contains("\n"))
            }
        }

        /// Module L2TP's packets, judged by code that shares nothing with it.
        @Test func theCodecIsRight() throws {
            var generator = SeededGenerator(state: 2)
            let frames = goodFrames()
            for round in 0..<2000 {
                var codec = PacketCodecTests.codec(&generator)
                codec.outer.ttl = max(codec.outer.ttl, 1)
                if codec.outer.encapsulation == .udp { codec.outer.destinationPort = 1701 }
                if codec.header.sublayer != nil { codec.header.sublayer = SublayerWord(sequence: 9) }
                let (name, inner) = frames[round % frames.count]
                let bytes = frame(
                    .raw(
                        etherType: codec.outer.source.family == .v4 ? 0x0800 : 0x86dd,
                        try codec.encapsulate(frame: inner)))
                var inspector = PacketInspector(
                    pseudowire: .init(
                        cookieLength: codec.header.cookie.length,
                        sublayer: codec.header.sublayer == nil ? .none : .default))
                inspector.allowsZeroChecksumOverIPv6 = true
                let report = inspector.inspect(frame: bytes)
                #expect(report.faults.isEmpty, "\(name): \(report.summary)")
                #expect(report.innerFrame == inner)
                #expect(report.summary.contains("session \(codec.header.session)"))
            }
        }

        /// Two unrelated checksums agree on every length.
        @Test func checksumsAgree() {
            for count in 0..<600 {
                let payload = PayloadPattern.bytes(count: count, seed: UInt64(count))
                for v4 in [true, false] {
                    let udp = Transport.udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: payload))
                    #expect(PacketInspector().inspect(packet: packet(udp, v4: v4).bytes).faults.isEmpty)
                }
            }
        }

        struct Single: Sendable {
            var name: String
            var offset: Int
            var value: [UInt8]
            var fault: String
        }

        private func check(_ bytes: [UInt8], _ cases: [Single], _ inspector: PacketInspector = PacketInspector()) {
            #expect(inspector.inspect(frame: bytes).faults.isEmpty)
            for single in cases {
                var bytes = bytes
                bytes.replaceSubrange(single.offset..<(single.offset + single.value.count), with: single.value)
                let faults = inspector.inspect(frame: bytes).faults
                #expect(faults.contains { $0.contains(single.fault) }, "\(single.name): \(faults)")
            }
        }

        @Test func singleFaultsOverIPv4() {
            let udp = Transport.udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: [1, 2, 3]))
            check(
                frame(.ip(packet(udp))),
                [
                    Single(name: "source", offset: 6, value: [3], fault: "Ethernet: the source"),
                    Single(name: "type", offset: 12, value: [5, 0xff], fault: "neither a length nor a type"),
                    Single(name: "version", offset: 14, value: [0x65], fault: "says version 4, the packet 6"),
                    Single(name: "IHL", offset: 14, value: [0x44], fault: "IPv4: a header of 16"),
                    Single(name: "total", offset: 16, value: [1, 0], fault: "IPv4: the length claims 256"),
                    Single(name: "reserved", offset: 20, value: [0x80], fault: "IPv4: the reserved flag"),
                    Single(name: "TTL", offset: 22, value: [0], fault: "IPv4: the time to live"),
                    Single(name: "header", offset: 22, value: [63], fault: "IPv4: checksum"),
                    Single(name: "source", offset: 26, value: [224], fault: "IPv4: the source 224"),
                    Single(name: "port", offset: 36, value: [0, 0], fault: "UDP: the destination port"),
                    Single(name: "length", offset: 38, value: [0, 12], fault: "UDP: the length claims 12"),
                    Single(name: "checksum", offset: 40, value: [0x12, 0x34], fault: "UDP: checksum 0x1234 is wrong"),
                    Single(name: "payload", offset: 44, value: [9], fault: "UDP: checksum"),
                ])
            let tcp = Transport.tcp(TCPSegment(sourcePort: 9, destinationPort: 9, options: [2, 4, 5, 0xb4]))
            check(
                frame(.ip(packet(tcp))),
                [
                    Single(name: "offset", offset: 46, value: [0x40], fault: "TCP: the header claims 16"),
                    Single(name: "offset", offset: 46, value: [0xf0], fault: "TCP: the header claims 60"),
                    Single(name: "flags", offset: 47, value: [0], fault: "TCP: no flag"),
                    Single(name: "flags", offset: 47, value: [3], fault: "TCP: SYN comes with"),
                    Single(name: "reserved", offset: 46, value: [0x62], fault: "TCP: reserved"),
                    Single(name: "option", offset: 55, value: [9], fault: "TCP: option 2 claims 9"),
                    Single(name: "sequence", offset: 41, value: [9], fault: "TCP: checksum"),
                ])
            let ping = Transport.echoRequest(identifier: 1, sequence: 1, payload: [5])
            check(frame(.ip(packet(ping))), [Single(name: "ICMP", offset: 42, value: [6], fault: "ICMP: checksum")])
        }

        @Test func singleFaultsOverIPv6() {
            let udp = Transport.udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: [1, 2, 3]))
            check(
                frame(.ip(packet(udp, v4: false))),
                [
                    Single(name: "zero", offset: 60, value: [0, 0], fault: "UDP: the checksum is zero over IPv6"),
                    Single(name: "length", offset: 18, value: [1, 0], fault: "IPv6: the length claims 256"),
                    Single(name: "hops", offset: 21, value: [0], fault: "IPv6: the hop limit"),
                    Single(name: "source", offset: 22, value: [0xff], fault: "IPv6: the source ff01"),
                    Single(name: "address", offset: 50, value: [9], fault: "UDP: checksum"),
                ])
            let ping = Transport.echoRequest(identifier: 1, sequence: 1, payload: [5])
            check(
                frame(.ip(packet(ping, v4: false))),
                [
                    Single(name: "ICMPv6", offset: 60, value: [6], fault: "ICMPv6: checksum"),
                    Single(name: "discovery", offset: 54, value: [135], fault: "hop limit 64 and not 255"),
                ])
        }

        @Test func singleFaultsElsewhere() {
            let inspector = PacketInspector()
            func faults(_ bytes: [UInt8]) -> String { inspector.inspect(frame: bytes).faults.joined(separator: "; ") }
            let arp = EthernetFrame.arpRequest(from: here, "10.0.0.1", whoHas: "10.0.0.2", isPadded: true).bytes
            check(
                arp,
                [
                    Single(name: "hardware", offset: 15, value: [6], fault: "ARP: is not about IPv4"),
                    Single(name: "operation", offset: 21, value: [9], fault: "ARP: operation 9"),
                    Single(name: "padding", offset: 50, value: [1], fault: "ARP: the padding is not zero"),
                ])
            let big = packet(.raw(protocolNumber: 89, Array(repeating: 0, count: 1480)))
            #expect(faults(frame(.ip(big), tags: [.customer(5)])).isEmpty)
            #expect(faults(frame(.raw(etherType: 0x0800, big.bytes + [0]))).contains("exceeds the MTU of 1500"))
            #expect(faults(frame(.raw(etherType: 0x0800, big.bytes + [0]))).contains("1 octets follow the end"))
            #expect(faults(frame(.ip(big), tags: [.customer(4095)])).contains("VLAN: identifier 4095"))
            #expect(faults(frame(.raw(etherType: 100, [1, 2, 3]))).contains("802.3: claims 100"))
            #expect(faults(Array(EthernetFrame.lldp(from: here, port: "e").bytes.dropLast())).contains("LLDP: needs 2"))
            #expect(faults(Array(arp.prefix(13))).contains("Ethernet: needs 14"))
            let options = frame(.ip(packet(.raw(protocolNumber: 89, []), options: [7, 9, 4, 0])))
            #expect(faults(options).contains("IPv4: option 7 claims 9"))
        }

        @Test func singleFaultsInAPseudowire() throws {
            let inner = frame(.ip(packet(.echoRequest(identifier: 1, sequence: 1, payload: [5]))), tags: [.customer(5)])
            let outer = OuterHeader(
                source: "192.0.2.21", destination: "192.0.2.22", encapsulation: .udp, udpChecksum: .zero)
            let header = DataHeader(encapsulation: .udp, session: 1012, cookie: "89abcdef", sublayer: SublayerWord())
            let carried = try PacketCodec(outer: outer, header: header).encapsulate(frame: inner)
            let inspector = PacketInspector(pseudowire: .init(cookieLength: .four, sublayer: .default))
            let bytes = frame(.raw(etherType: 0x0800, carried))
            check(
                bytes,
                [
                    Single(name: "version", offset: 43, value: [2], fault: "L2TP: version 2"),
                    Single(name: "reserved", offset: 45, value: [1], fault: "L2TP: reserved bits"),
                    Single(name: "session", offset: 46, value: [0, 0, 0, 0], fault: "L2TP: the session ID"),
                    Single(name: "sublayer", offset: 54, value: [1], fault: "L2TP: reserved bits of the sublayer"),
                    Single(name: "number", offset: 57, value: [1], fault: "L2TP: the sublayer 0x0001 has a number"),
                    Single(name: "inner", offset: 84, value: [9], fault: "inner IPv4: checksum"),
                    Single(name: "inner", offset: 104, value: [6], fault: "inner ICMP: checksum"),
                ], inspector)
            let tagged = frame(.raw(etherType: 0x0800, carried), tags: [.customer(5)])
            #expect(
                inspector.inspect(frame: tagged).faults == [
                    "Ethernet: the frame around a pseudowire's packet carries the tag 802.1Q 5"
                ])
            let short = frame(
                .raw(
                    etherType: 0x0800,
                    try PacketCodec(outer: outer, header: header)
                        .encapsulate(frame: Array(inner.prefix(17)))))
            #expect(inspector.inspect(frame: short).faults == ["inner VLAN: the frame ends within a tag"])
        }

        @Test func unfinishedChecksumsAreCalledByName() {
            var inspector = PacketInspector()
            var bytes = packet(.udp(UDPDatagram(sourcePort: 9, destinationPort: 9, payload: [1, 2, 3]))).bytes
            // 0a00 + 0001 + 0a00 + 0002 + 0011 + 000b: the sum that a sender leaves to hardware.
            bytes.replaceSubrange(26..<28, with: [0x14, 0x1f])
            #expect(inspector.inspect(packet: bytes).faults.count == 1)
            #expect(inspector.inspect(packet: bytes).faults.first?.contains("pseudo-header's sum alone") == true)
            inspector.allowsUnfinishedChecksums = true
            #expect(inspector.inspect(packet: bytes).faults.isEmpty)
        }

        @Test func nothingTraps() {
            var generator = SeededGenerator(state: 5)
            let inspector = PacketInspector(pseudowire: .init(cookieLength: .zero, sublayer: .none, ports: [4001]))
            let frames = goodFrames().map(\.1)
            for round in 0..<50_000 {
                var bytes = frames[round % frames.count]
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                        in: 0 ... .max, using: &generator)
                }
                _ = inspector.inspect(frame: Array(bytes.prefix(.random(in: 0...bytes.count, using: &generator))))
                _ = inspector.inspect(packet: Array(bytes.dropFirst(14)))
            }
        }
    }
#endif
