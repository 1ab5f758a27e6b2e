import Testing

@testable import Pseudowire

@Suite("options, as people write them")
struct OptionsTests {
    static func good() -> PseudowireOptions {
        var options = PseudowireOptions(name: "pw0")
        options.access = "eth1"
        options.local = "192.0.2.21"
        options.peer = "192.0.2.22"
        options.sessionID = "1012"
        options.peerSessionID = "1021"
        return options
    }

    private func faults(_ change: (inout PseudowireOptions) -> Void) -> [ConfigurationFault] {
        var options = Self.good()
        change(&options)
        do throws(ConfigurationFaults) {
            _ = try options.resolve()
            return []
        } catch {
            return error.faults
        }
    }

    @Test("the least that is needed, and its defaults")
    func defaults() throws {
        let wire = try Self.good().resolve()
        #expect(wire.name == "pw0")
        #expect(wire.tunnel == .udp(local: "192.0.2.21", peer: "192.0.2.22", localPort: 1701, peerPort: 1701))
        #expect(wire.session == .init(local: 1012, peer: 1021))
        #expect(wire.session.sublayer == .default)
        #expect(wire.ttl == 64)
        #expect(!wire.fillsUDPChecksum)
    }

    @Test("everything at once")
    func everything() throws {
        var options = Self.good()
        options.local = "2001:db8::21"
        options.peer = "2001:db8::22"
        options.localPort = "5000"
        options.peerPort = "5001"
        options.sendCookie = "01234567"
        options.expectCookie = ["0x89abcdef01234567", "fedcba9876543210"]
        options.sublayer = "none"
        options.udpChecksum = "zero"
        options.ttl = "255"
        options.dscp = "46"
        options.underlay = ["eth0", "eth2"]
        options.sessionID = "0xffffffff"
        let wire = try options.resolve()
        #expect(wire.tunnel.localPort == 5000)
        #expect(wire.session.local.rawValue == .max)
        #expect(wire.session.expecting == ["89abcdef01234567", "fedcba9876543210"])
        #expect(wire.session.sending == "01234567")
        #expect(wire.dscp == 46)
        #expect(wire.underlays == ["eth0", "eth2"])
        #expect(!wire.fillsUDPChecksum)
    }

    @Test(
        "each mistake is named, with its option",
        arguments: [
            ("session-id", { $0.sessionID = "0" }), ("session-id", { $0.sessionID = "4294967296" }),
            ("session-id", { $0.sessionID = "x" }), ("session-id", { $0.sessionID = nil }),
            ("session-id", { $0.sessionID = "-1" }),
            ("peer-session-id", { $0.peerSessionID = "0x100000000" }), ("peer-session-id", { $0.peerSessionID = "" }),
            ("local", { $0.local = "192.0.2.300" }), ("local", { $0.local = nil }), ("local", { $0.local = "0.0.0.0" }),
            ("local", { $0.local = "127.0.0.1" }), ("local", { $0.local = "224.0.0.1" }),
            ("peer", { $0.peer = "192.0.2.21" }), ("peer", { $0.peer = "2001:db8::1" }), ("peer", { $0.peer = "peer" }),
            ("peer", { $0.peer = "255.255.255.255" }),
            ("access", { $0.access = nil }), ("access", { $0.access = "" }), ("access", { $0.access = "eth/1" }),
            ("access", { $0.access = "sixteen-letters-" }),
            ("encap", { $0.encap = "gre" }), ("sublayer", { $0.sublayer = "atm" }),
            ("udp-checksum", { $0.udpChecksum = "half" }), ("local-port", { $0.localPort = "65536" }),
            ("peer-port", { $0.peerPort = "0" }), ("ttl", { $0.ttl = "0" }), ("ttl", { $0.ttl = "256" }),
            ("dscp", { $0.dscp = "64" }), ("send-cookie", { $0.sendCookie = "123" }),
            ("send-cookie", { $0.sendCookie = "" }), ("expect-cookie", { $0.expectCookie = ["0123456g"] }),
            ("expect-cookie", { $0.expectCookie = ["01234567", "0123456789abcdef"] }),
            ("expect-cookie", { $0.expectCookie = ["01234567", "01234567"] }),
            ("expect-cookie", { $0.expectCookie = ["00000001", "00000002", "00000003"] }),
            ("NAME", { $0.name = "" }), ("NAME", { $0.name = "a b" }),
            ("NAME", { $0.name = String(repeating: "n", count: 32) }),
            ("underlay", { $0.underlay = ["eth1"] }), ("underlay", { $0.underlay = ["eth0", "eth0"] }),
            ("local-port", { $0.encap = "ip"; $0.localPort = "1701" }),
            ("udp-checksum", { $0.encap = "ip"; $0.udpChecksum = "full" }),
        ] as [(String, @Sendable (inout PseudowireOptions) -> Void)])
    func mistakes(field: String, change: @Sendable (inout PseudowireOptions) -> Void) {
        let found = faults(change)
        #expect(found.map(\.field) == [field])
        #expect(found.allSatisfy { $0.kind == .usage })
    }

    @Test("all mistakes of one request are reported together")
    func together() {
        let found = faults {
            $0.sessionID = "0"
            $0.peer = "192.0.2.21"
            $0.ttl = "0"
            $0.access = nil
            $0.name = "a b"
            $0.sendCookie = "xyz"
        }
        #expect(Set(found.map(\.field)) == ["session-id", "peer", "ttl", "access", "NAME", "send-cookie"])
        #expect(found.count == 6)
    }
}
