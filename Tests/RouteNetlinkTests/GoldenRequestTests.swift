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
        links + addresses + routes + neighbors + trafficControl + namespaceIDs + moreLinks + moreRoutes + moreQdiscs
        + moreFilters + ethtool + kinds + named + forwarding
        + proxies + queries

    static let links: [Golden] = [
        Golden(
            command: "ip link add v0 type veth peer name v1 netns t2",
            theirs: """
                5c000000 1000 0506 00000000 00000000                    # RTM_NEWLINK, CREATE|EXCL|ACK|REQUEST
                0000 0000 00000000 00000000 00000000                    # ifinfomsg
                0700 0300 763000 00                                     # IFLA_IFNAME v0
                3400 1200                                               # IFLA_LINKINFO
                  0800 0100 76657468                                    #   IFLA_INFO_KIND veth, without NUL
                  2800 0200  2400 0100                                  #   IFLA_INFO_DATA, VETH_INFO_PEER
                    0000 0000 00000000 00000000 00000000                #     ifinfomsg of the peer
                    0800 1c00 04000000                                  #     IFLA_NET_NS_FD
                    0700 0300 763100 00                                 #     IFLA_IFNAME v1
                """,
            moreFlags: echo
        ) { LinkRequest.create(.veth("v0", peer: .init(name: "v1", namespace: 4))) },
        Golden(
            command: "ip link add br0 type bridge",
            theirs: """
                38000000 1000 0506 00000000 00000000
                0000 0000 00000000 00000000 00000000
                0800 0300 62723000
                1000 1200  0a00 0100 627269646765 0000
                """,
            moreFlags: echo
        ) { LinkRequest.create(.bridge("br0")) },
        Golden(
            command: "ip link set v0 up mtu 1400 address 02:00:00:00:00:01 alias hello",
            theirs: """
                40000000 1000 0500 00000000 00000000
                0000 0000 02000000 01000000 01000000                    # IFF_UP, and only it in the change mask
                0800 0400 78050000
                0a00 0100 020000000001 0000
                0900 1400 68656c6c6f 000000
                """
        ) {
            LinkRequest.update(
                index2, LinkUpdate(isUp: true, mtu: 1400, address: "02:00:00:00:00:01", alias: "hello"))
        },
        Golden(
            command: "ip link set v0 name w0",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0700 0300 773000 00
                """
        ) { LinkRequest.update(index2, LinkUpdate(name: "w0")) },
        Golden(
            command: "ip link set w0 master br0",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0800 0a00 03000000
                """
        ) { LinkRequest.update(index2, LinkUpdate(master: index3)) },
        Golden(
            command: "ip link set w0 nomaster",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0800 0a00 00000000
                """
        ) { LinkRequest.update(index2, LinkUpdate(master: .some(nil))) },
        Golden(
            command: "ip link set br0 mtu 70000",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 03000000 00000000 00000000
                0800 0400 70110100
                """
        ) { LinkRequest.update(index3, LinkUpdate(mtu: 70000)) },
        Golden(
            command: "ip link set v0 mode dormant",
            theirs: """
                28000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0500 1100 01 000000                                     # IFLA_LINKMODE
                """
        ) { LinkRequest.update(index2, LinkUpdate(linkMode: .dormant)) },
        Golden(
            command: "ip link set v0 state up mode default",
            theirs: """
                30000000 1000 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                0500 1000 06 000000                                     # IFLA_OPERSTATE
                0500 1100 00 000000                                     # IFLA_LINKMODE
                """
        ) { LinkRequest.update(index2, LinkUpdate(linkMode: .default, operationalState: .up)) },
        Golden(
            command: "ip link del w0",
            theirs: """
                20000000 1100 0500 00000000 00000000
                0000 0000 02000000 00000000 00000000
                """
        ) { LinkRequest.delete(index2) },
    ]

    static let addresses: [Golden] = [
        Golden(
            command: "ip addr add 10.0.0.1/24 dev br0",
            theirs: """
                28000000 1400 0506 00000000 00000000
                02 18 00 00 03000000                                    # ifaddrmsg
                0800 0200 0a000001  0800 0100 0a000001                  # IFA_LOCAL, IFA_ADDRESS
                """
        ) { address("10.0.0.1/24", []) },
        Golden(
            command: "ip addr add fd00::1/64 dev br0 nodad",
            theirs: """
                40000000 1400 0506 00000000 00000000
                0a 40 02 00 03000000
                1400 0200 fd000000000000000000000000000001
                1400 0100 fd000000000000000000000000000001
                """
        ) { address("fd00::1/64", .noDuplicateDetection) },
        Golden(
            command: "ip addr add fd00::9/64 dev br0 nodad noprefixroute",
            theirs: """
                48000000 1400 0506 00000000 00000000
                0a 40 00 00 03000000                                    # flags exceed the header's byte
                1400 0200 fd000000000000000000000000000009
                0800 0800 02020000                                      # IFA_FLAGS
                1400 0100 fd000000000000000000000000000009
                """,
            isAnyOrder: true
        ) { address("fd00::9/64", [.noDuplicateDetection, .noPrefixRoute]) },
    ]

    static func address(_ prefix: IPPrefix, _ flags: AddressFlags) -> Request {
        AddressRequest.change(
            Int(RTM_NEWADDR), createNew, prefix, index3, flags: flags, peer: nil, scope: .universe)
    }

    /// `ip route` signs its routes as boot's.
    static func booted(_ route: Route) -> Route {
        var route = route
        route.origin = .boot
        return route
    }

    static func newRoute(_ route: Route, _ flags: Int32 = createNew) -> Request {
        RouteRequest.change(Int(RTM_NEWROUTE), flags, booted(route))
    }

    static let routes: [Golden] = [
        Golden(
            command: "ip route add default via 10.0.0.254",
            theirs: """
                24000000 1800 0506 00000000 00000000
                02 00 00 00 fe 03 00 01 00000000                        # rtmsg
                0800 0500 0a0000fe
                """
        ) { newRoute(.default(via: "10.0.0.254")) },
        Golden(
            command: "ip route add default via fd00::2 dev br0",
            theirs: """
                38000000 1800 0506 00000000 00000000
                0a 00 00 00 fe 03 00 01 00000000
                1400 0500 fd000000000000000000000000000002
                0800 0400 03000000
                """
        ) { newRoute(.default(via: "fd00::2", link: index3)) },
        Golden(
            command: "ip route add 192.0.2.0/24 via 10.9.9.9 dev br0 onlink",
            theirs: """
                34000000 1800 0506 00000000 00000000
                02 18 00 00 fe 03 00 01 04000000                        # RTNH_F_ONLINK
                0800 0100 c0000200
                0800 0500 0a090909
                0800 0400 03000000
                """
        ) { newRoute(Route(to: "192.0.2.0/24", via: "10.9.9.9", link: index3, isOnLink: true)) },
        Golden(
            command: "ip route add 203.0.113.0/24 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3",
            theirs: """
                48000000 1800 0506 00000000 00000000
                02 18 00 00 fe 03 00 01 00000000
                0800 0100 cb007100
                2400 0900
                  1000 00 01 00000000  0800 0500 0a000002               # rtnexthop, RTA_GATEWAY
                  1000 00 00 00000000  0800 0500 0a000003
                """
        ) {
            newRoute(
                Route(
                    to: "203.0.113.0/24",
                    nextHops: [.init(gateway: "10.0.0.2", weight: 2), .init(gateway: "10.0.0.3")]))
        },
        Golden(
            command: "ip route replace 203.0.113.128/25 dev br0 scope link src 10.0.0.1 metric 50",
            theirs: """
                3c000000 1800 0505 00000000 00000000
                02 19 00 00 fe 03 fd 01 00000000
                0800 0100 cb007180
                0800 0700 0a000001
                0800 0600 32000000
                0800 0400 03000000
                """
        ) {
            newRoute(
                Route(to: "203.0.113.128/25", link: index3, preferredSource: "10.0.0.1", priority: 50),
                createOrReplace)
        },
    ]

    static let neighbors: [Golden] = [
        Golden(
            command: "ip neigh add 10.0.0.50 lladdr 02:00:00:00:00:50 dev br0 nud permanent",
            theirs: """
                30000000 1c00 0506 00000000 00000000
                02 00 0000 03000000 8000 00 00                          # ndmsg
                0800 0100 0a000032
                0a00 0200 020000000050 0000
                """
        ) {
            NeighborRequest.change(
                createNew, Neighbor(address: "10.0.0.50", link: index3, macAddress: "02:00:00:00:00:50"))
        },
        Golden(
            command: "ip neigh replace fd00::50 lladdr 02:00:00:00:00:50 dev br0 nud permanent",
            theirs: """
                3c000000 1c00 0505 00000000 00000000
                0a 00 0000 03000000 8000 00 00
                1400 0100 fd000000000000000000000000000050
                0a00 0200 020000000050 0000
                """
        ) {
            NeighborRequest.change(
                createOrReplace, Neighbor(address: "fd00::50", link: index3, macAddress: "02:00:00:00:00:50"))
        },
        // iproute2 states its default state, permanent, in a deletion too, where we state none.
        Golden(
            command: "ip neigh del 10.0.0.50 dev br0",
            theirs: """
                24000000 1d00 0500 00000000 00000000
                02 00 0000 03000000 8000 00 00
                0800 0100 0a000032
                """,
            exceptAt: [24: 0]
        ) { NeighborRequest.name(Int(RTM_DELNEIGH), "10.0.0.50", index3) },
    ]

    static let trafficControl: [Golden] = [
        Golden(
            command: "tc qdisc add dev w0 clsact",
            theirs: """
                30000000 2400 0506 00000000 00000000
                00000000 03000000 0000ffff f1ffffff 00000000            # tcmsg
                0b00 0100 636c7361637400 00
                """
        ) { QdiscRequest.clsact(Int(RTM_NEWQDISC), createNew, index3) },
        Golden(
            command: "tc qdisc del dev w0 clsact",
            theirs: """
                30000000 2500 0500 00000000 00000000
                00000000 03000000 0000ffff f1ffffff 00000000
                0b00 0100 636c7361637400 00
                """
        ) { QdiscRequest.clsact(Int(RTM_DELQDISC), 0, index3) },
        // It does not ask for an acknowledgement of a dump (0301); the kernel sends none for either.
        Golden(
            command: "tc qdisc show dev w0",
            theirs: "24000000 2600 0103 00000000 00000000 00000000 03000000 00000000 00000000 00000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { QdiscRequest.list(index3) },
        Golden(
            command: "tc filter add dev w0 ingress prio 1 handle 1 bpf da pinned $P",
            theirs: """
                58000000 2c00 0506 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0003 0100           # protocol all, priority 1
                0800 0100 62706600
                2c00 0200
                  0800 0600 04000000                                    # TCA_BPF_FD
                  1500 0700 6c6162706173733a5b2a66736f626a5d00 000000   # TCA_BPF_NAME labpass:[*fsobj]
                  0800 0800 01000000                                    # TCA_BPF_FLAGS
                """,
            moreFlags: echo
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 1, handle: 1), createNew, at: ingress)
        },
        Golden(
            command: "tc filter replace dev w0 ingress prio 1 handle 1 bpf da pinned $P",
            theirs: """
                58000000 2c00 0504 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0003 0100
                0800 0100 62706600
                2c00 0200
                  0800 0600 04000000
                  1500 0700 6c6162706173733a5b2a66736f626a5d00 000000
                  0800 0800 01000000
                """,
            moreFlags: echo
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 1, handle: 1), NLM_F_CREATE, at: ingress)
        },
        Golden(
            command: "tc filter add dev w0 egress chain 5 prio 3 handle 9 bpf da pinned $P",
            theirs: """
                60000000 2c00 0506 00000000 00000000
                00000000 03000000 09000000 f3ffffff 0003 0300
                0800 0b00 05000000
                0800 0100 62706600
                2c00 0200
                  0800 0600 04000000
                  1500 0700 6c6162706173733a5b2a66736f626a5d00 000000
                  0800 0800 01000000
                """,
            moreFlags: echo
        ) {
            FilterRequest.put(
                BPFFilter(program: 4, name: "labpass:[*fsobj]", priority: 3, handle: 9, chain: 5), createNew,
                at: egress)
        },
        // It asks with an echo (0x8) instead of an acknowledgement (0x4).
        Golden(
            command: "tc filter get dev w0 ingress prio 1 handle 1 protocol all bpf",
            theirs: """
                2c000000 2e00 0900 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0003 0100
                0800 0100 62706600
                """,
            exceptAt: [6: 5]
        ) { FilterRequest.name(Int(RTM_GETTFILTER), priority: 1, handle: 1, chain: 0, at: ingress) },
        // It leaves the protocol open (0000) where we say that ours is for all (0003).
        Golden(
            command: "tc filter del dev w0 ingress prio 1 handle 1 bpf",
            theirs: """
                2c000000 2d00 0500 00000000 00000000
                00000000 03000000 01000000 f2ffffff 0000 0100
                0800 0100 62706600
                """,
            exceptAt: [33: 3]
        ) { FilterRequest.name(Int(RTM_DELTFILTER), priority: 1, handle: 1, chain: 0, at: ingress) },
        Golden(
            command: "tc filter show dev w0 egress",
            theirs: "24000000 2e00 0103 00000000 00000000 00000000 03000000 00000000 f3ffffff 00000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { FilterRequest.list(index3, parent: egress.direction.parent) },
    ]

    static let namespaceIDs: [Golden] = [
        Golden(
            command: "ip netns set t2 77",
            theirs: """
                24000000 5800 0500 00000000 00000000
                00 000000                                               # rtgenmsg
                0800 0300 06000000                                      # NETNSA_FD
                0800 0100 4d000000                                      # NETNSA_NSID
                """
        ) { NamespaceIDRequest.assign(NamespaceID(rawValue: 77), 6) },
        Golden(
            command: "ip netns list-id, of one namespace",
            theirs: "1c000000 5a00 0100 00000000 00000000 00 000000 0800 0300 06000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { NamespaceIDRequest.get(6) },
        Golden(
            command: "ip netns list-id",
            theirs: "14000000 5a00 0103 00000000 00000000 00 000000",
            moreFlags: UInt16(NLM_F_ACK)
        ) { NamespaceIDRequest.list() },
    ]

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
