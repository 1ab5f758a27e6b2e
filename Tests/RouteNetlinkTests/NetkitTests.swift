import CPseudowireMNL
import SystemPackage
import Testing

@testable import RouteNetlink

/// Netkit by its bytes, as `drivers/net/netkit.c` reads and writes them, for kernels that do not have it.
@Suite struct NetkitTests {
    private static let pair = LinkSpecification.netkit(
        "nk0", Netkit(mode: .layer2, policy: .pass, peerPolicy: .drop, scrub: Netkit.Scrub.none),
        peer: .init(name: "nk1", namespace: 4, isUp: true), isUp: true)

    @Test func `writes a pair`() {
        #expect(
            hex(LinkRequest.create(Self.pair).bytes)
                == hex(
                    bytes(
                        GoldenRequestTests.withoutComments(
                            """
                            80000000 1000 0d06 00000000 00000000        # RTM_NEWLINK, CREATE|EXCL|ECHO|ACK|REQUEST
                            0000 0000 00000000 01000000 01000000        # IFF_UP
                            0800 0300 6e6b3000
                            5800 1280                                   # IFLA_LINKINFO
                              0b00 0100 6e65746b697400 00               #   IFLA_INFO_KIND netkit
                              4800 0280                                 #   IFLA_INFO_DATA
                                0800 0300 00000000                      #     IFLA_NETKIT_POLICY: NETKIT_PASS
                                0800 0400 02000000                      #     IFLA_NETKIT_PEER_POLICY: NETKIT_DROP
                                0800 0500 00000000                      #     IFLA_NETKIT_MODE: NETKIT_L2
                                0800 0600 00000000                      #     IFLA_NETKIT_SCRUB: NETKIT_SCRUB_NONE
                                2400 0100                               #     IFLA_NETKIT_PEER_INFO
                                  0000 0000 00000000 00000000 00000000  #       ifinfomsg: up once both ends exist
                                  0800 1c00 04000000                    #       IFLA_NET_NS_FD
                                  0800 0300 6e6b3100
                            """))))
    }

    @Test func `names its attributes`() {
        let request = LinkRequest.create(Self.pair).bytes
        let names = lines(request).map { $0.prefix { $0 != " " } }
        #expect(names.contains("IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_NETKIT_SCRUB"))
        #expect(names.contains("IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_NETKIT_PEER_INFO.IFLA_IFNAME"))
    }

    @Test func `reads what it says about itself, and does not say it back`() throws {
        var link = Link(index: LinkIndex(rawValue: 2), name: "nk0")
        link.kind = "netkit"
        link.kindData = bytes(
            """
            0500 0200 01 000000  0800 0300 00000000  0800 0500 01000000  0800 0600 01000000
            0800 0700 00000000  0800 0400 02000000  0600 0800 0000 0000
            """)
        guard case .netkit(let netkit)? = link.info else {
            Issue.record("\(String(describing: link.info))")
            return
        }
        #expect(netkit.isPrimary == true && netkit.mode == .layer3)
        #expect(netkit.policy == .pass && netkit.peerPolicy == .drop)
        #expect(netkit.scrub == .default && netkit.peerScrub == Netkit.Scrub.none)
        let again = LinkRequest.create(.netkit("nk0", netkit, peer: .init(name: "nk1")))
        #expect(!lines(again.bytes).contains { $0.contains("PRIMARY") })
    }
}

extension KernelTests {
    @Suite struct NetkitKernelTests {
        /// Either outcome is one that the kernel promises: made as asked, or refused with its own words.
        @Test func `is made, or refused for lack of the driver`() throws {
            let client = try RouteClient(in: .anonymous())
            do throws(NetlinkError) {
                let made = try client.links.create(.netkit("nk0", Netkit(mode: .layer3), peer: .init(name: "nk1")))
                #expect(made.kind == "netkit")
            } catch {
                #expect(error.errno == .notSupportedOnSocket && error.message == "Unknown device type")
                #expect(try client.links.list().map(\.name) == ["lo"])
            }
        }
    }
}
