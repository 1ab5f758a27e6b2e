import CPseudowireMNL
import InternetAddress
import Testing

@testable import RouteNetlink

/// Our requests against what iproute2 sends for the same wish, recorded with `strace`.
@Suite struct GoldenRequestTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        /// The command of iproute2's.
        var command: String
        /// Its bytes, sequence number zero.
        var theirs: String
        /// Header flags that we set and it does not.
        var moreFlags: UInt16 = 0
        /// Where we differ on purpose: our byte at an offset.
        var exceptAt: [Int: UInt8] = [:]
        /// Whether its attributes stand in another order, which the kernel does not mind.
        var isAnyOrder = false
        /// Whether we can say it, and refuse to send it.
        var isRefused = false
        var ours: @Sendable () -> Request
        var testDescription: String { command }
    }

    static let index2 = LinkIndex(rawValue: 2)
    static let index3 = LinkIndex(rawValue: 3)
    static let echo = UInt16(NLM_F_ECHO)
    static let ingress = TrafficHook(link: index3, direction: .ingress)
    static let egress = TrafficHook(link: index3, direction: .egress)

    static let golden: [Golden] =
        links + linkQueries + kinds + alternativeNames + bridgeVLANs + forwarding + addresses + neighbors + proxies
        + routes + routeQueries + nextHops + nextHopGroups + trafficControl + qdiscs + filters + ethtool + namespaceIDs

    @Test(arguments: golden)
    func `says what iproute2 says`(_ golden: Golden) {
        var theirs = withoutStalePadding(bytes(Self.withoutComments(golden.theirs)))
        #expect(theirs.count == Int(theirs[0]) | Int(theirs[1]) << 8, "the vector itself is whole")
        theirs[6] |= UInt8(truncatingIfNeeded: golden.moreFlags)
        theirs[7] |= UInt8(truncatingIfNeeded: golden.moreFlags >> 8)
        for (offset, byte) in golden.exceptAt {
            #expect(theirs[offset] != byte, "the exception is one")
            theirs[offset] = byte
        }
        let ours = golden.ours()
        #expect((ours.fault != nil) == golden.isRefused)
        if golden.isAnyOrder {
            #expect(lines(ours.bytes).sorted() == lines(theirs).sorted())
        } else {
            #expect(lines(ours.bytes) == lines(theirs))
        }
        #expect(ours.bytes.count == Int(ours.bytes[0]) | Int(ours.bytes[1]) << 8)
    }

    /// Every byte is written, the padding too: what was in the memory before, as a longer message, is not sent.
    @Test(arguments: golden)
    func `leaves nothing of an older message`(_ golden: Golden) {
        let clean = golden.ours().bytes
        for dirt in [0x00, 0xa5, 0xff] as [UInt8] {
            // The allocator hands the memory that was given back last to the next who asks for that size.
            for size in stride(from: 1024, through: 16, by: -16) {
                var older: [UInt8] = []
                older.reserveCapacity(size)
                older.append(contentsOf: repeatElement(dirt, count: size))
            }
            let ours = golden.ours().bytes
            #expect(hex(ours) == hex(clean))
            #expect(hex(ours) == hex(withoutStalePadding(ours)))
        }
    }

    /// The vectors are what was recorded of 60 commands, some twice for two interfaces, and our own beside them.
    @Test func `has a vector for every recorded command`() {
        #expect(Self.golden.count >= 60)
        #expect(Set(Self.golden.map { $0.command + $0.theirs }).count == Self.golden.count, "none twice")
    }

    static func withoutComments(_ text: String) -> String {
        text.split(separator: "\n").map { String($0.prefix { $0 != "#" }) }.joined(separator: "\n")
    }

    /// The one request of which every byte is pinned: nests are marked, but for the peer, and texts end in NUL.
    @Test func `writes a veth with a peer elsewhere`() {
        let request = LinkRequest.create(
            .veth("v0", peer: .init(name: "v1", namespace: 4, mtu: 1400, isUp: true), isUp: true, namespace: 5))
        #expect(
            hex(request.bytes)
                == hex(
                    bytes(
                        Self.withoutComments(
                            """
                            70000000 1000 0506 00000000 00000000        # no echo: the link is born elsewhere
                            0000 0000 00000000 01000000 01000000
                            0700 0300 763000 00
                            0800 1c00 05000000
                            4000 1280
                              0900 0100 7665746800 000000
                              3000 0280  2c00 0100
                                0000 0000 00000000 00000000 00000000    # up only once both ends exist
                                0800 1c00 04000000
                                0700 0300 763100 00
                                0800 0400 78050000
                            """))))
    }

    @Test func `nests the settings of address families`() {
        let mode = LinkUpdate.AddressGenerationMode.none
        let request = LinkRequest.update(
            Self.index2, LinkUpdate(addressGenerationMode: mode, ipv4Forwarding: true))
        #expect(
            lines(request.bytes).dropFirst(2) == [
                "IFLA_AF_SPEC ", "IFLA_AF_SPEC.AF_INET ", "IFLA_AF_SPEC.AF_INET.IFLA_INET_CONF = 0800010001000000",
                "IFLA_AF_SPEC.AF_INET6 ", "IFLA_AF_SPEC.AF_INET6.IFLA_INET6_ADDR_GEN_MODE = 01",
            ])
    }

    @Test func `refuses what cannot be said`() {
        #expect(LinkRequest.find("a\0b").fault == .nulInString)
        let long = String(repeating: "x", count: 70_000)
        #expect(LinkRequest.update(Self.index2, LinkUpdate(alias: long)).fault == .tooLong)
        for (priority, handle) in [(0, 1), (1, 0)] as [(UInt16, UInt32)] {
            let name = FilterRequest.name(
                Int(RTM_DELTFILTER), priority: priority, handle: handle, chain: 0, at: Self.ingress)
            #expect(name.fault != nil, "zero would flush what is not ours")
            let filter = BPFFilter(program: 4, name: "x", priority: priority, handle: handle)
            #expect(FilterRequest.put(filter, createNew, at: Self.ingress).fault != nil)
        }
        #expect(RouteRequest.lookup(RouteQuery(to: "192.0.2.1", from: "fd00::1")).fault != nil)
    }
}
