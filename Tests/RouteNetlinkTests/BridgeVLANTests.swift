import CPseudowireMNL
import SystemPackage
import Testing

@testable import RouteNetlink

/// The VLANs of bridges: what is read, what is refused; the requests are among the recorded ones.
@Suite struct BridgeVLANTests {
    private static func read(_ text: String) throws -> [(LinkIndex, [BridgeVLAN])] {
        var found: [(LinkIndex, [BridgeVLAN])] = []
        try forEachMessage(bytes(text)) { message throws(MalformedMessage) in
            if let (link, vlans) = try BridgeVLANRequest.read(message) { found.append((link, vlans)) }
        }
        return found
    }

    /// As `br_fill_ifinfo` writes them, compressed.
    @Test func `reads single ones and rows`() throws {
        let found = try Self.read(
            """
            44000000 1000 0200 07000000 00000000
            07000100 05000000 43100100 00000000
            0800 0300 70300000
            1c00 1a00  0800 0200 0600 0100  0800 0200 0800 1400  0800 0200 1000 1d00
            """)
        #expect(found.map(\.0.rawValue) == [5])
        #expect(found.first?.1 == [BridgeVLAN(1, isDefault: true, isUntagged: true), BridgeVLAN(20...29)])
    }

    @Test(arguments: [
        // A row that ends before it begins; one without VLANs; a link of another family.
        "2c000000 1000 0200 07000000 00000000 07000100 05000000 43100100 00000000 0c00 1a00 0800 0200 0800 0900",
        "20000000 1000 0200 07000000 00000000 07000100 05000000 43100100 00000000",
        "2c000000 1000 0200 07000000 00000000 00000100 05000000 43100100 00000000 0c00 1a00 0800 0200 0600 0100",
        "2a000000 1000 0200 07000000 00000000 07000100 05000000 43100100 00000000 0a00 1a00 0600 0200 0600",
    ]) func `invents none`(_ text: String) throws {
        #expect(try Self.read(text).isEmpty)
    }

    @Test func `a row that runs backwards is malformed`() {
        #expect(throws: MalformedMessage.self) {
            try Self.read(
                """
                34000000 1000 0200 07000000 00000000 07000100 05000000 43100100 00000000
                1400 1a00  0800 0200 0800 1d00  0800 0200 1000 1400
                """)
        }
    }

    @Test func `refuses what cannot be`() {
        func fault(_ vlan: BridgeVLAN) -> RequestFault? {
            BridgeVLANRequest.change(Int(RTM_SETLINK), vlan, LinkIndex(rawValue: 2), isBridge: false).fault
        }
        #expect(fault(BridgeVLAN(0)) != nil && fault(BridgeVLAN(4095)) != nil)
        #expect(fault(BridgeVLAN(10...11, isDefault: true)) != nil)
        #expect(fault(BridgeVLAN(1...4094)) == nil && fault(BridgeVLAN(10, isDefault: true)) == nil)
    }
}

extension KernelTests {
    @Suite struct BridgeVLANKernelTests {
        /// Where the kernel has VLANs for bridges, they are there as `bridge` sees them; where not, it says so.
        @Test func `gives ports VLANs, or says that the kernel cannot`() throws {
            let cable = try Cable()
            let links = cable.client.links
            let bridge = try links.create(.bridge("br0", isUp: true))
            try links.update(cable.left.index, LinkUpdate(master: bridge.index))
            do throws(NetlinkError) {
                try links.update(bridge.index, LinkUpdate(bridge: BridgeSettings(vlanFiltering: true)))
                try links.addVLAN(BridgeVLAN(10, isDefault: true, isUntagged: true), to: cable.left.index)
            } catch {
                #expect(error.errno == .notSupportedOnSocket, "\(error)")
                #expect(try links.listVLANs().isEmpty)
                return
            }
            try links.addVLAN(BridgeVLAN(20...29), to: cable.left.index)
            try links.addVLAN(BridgeVLAN(20), to: bridge.index, isBridge: true)
            try links.deleteVLAN(BridgeVLAN(25), from: cable.left.index)
            let vlans = try links.listVLANs()
            #expect(
                vlans[cable.left.index] == [
                    BridgeVLAN(1, isUntagged: true), BridgeVLAN(10, isDefault: true, isUntagged: true),
                    BridgeVLAN(20...24), BridgeVLAN(26...29),
                ])
            #expect(vlans[bridge.index]?.contains(BridgeVLAN(20)) == true)
            let rows = try table(witness("bridge", "-j", "-c", "vlan", "show", "dev", "left", in: cable.namespace))
            let listed = try #require(rows.first?["vlans"] as? [[String: Any]])
            #expect(listed.map { $0["vlan"] as? Int } == [1, 10, 20, 26])
        }
    }
}
