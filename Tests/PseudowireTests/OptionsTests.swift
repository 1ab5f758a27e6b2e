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

    /// One thing done wrong, and the option that should be named for it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let field: String
        let change: @Sendable (inout PseudowireOptions) -> Void

        init(_ field: String, _ change: @escaping @Sendable (inout PseudowireOptions) -> Void) {
            self.field = field
            self.change = change
        }

        var testDescription: String { field }
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
            Mistake("session-id") { $0.sessionID = "0" }, Mistake("session-id") { $0.sessionID = "4294967296" },
            Mistake("session-id") { $0.sessionID = "x" }, Mistake("session-id") { $0.sessionID = nil },
            Mistake("session-id") { $0.sessionID = "-1" },
            Mistake("peer-session-id") { $0.peerSessionID = "0x100000000" },
            Mistake("peer-session-id") { $0.peerSessionID = "" },
            Mistake("local") { $0.local = "192.0.2.300" }, Mistake("local") { $0.local = nil },
            Mistake("local") { $0.local = "0.0.0.0" },
            Mistake("local") { $0.local = "127.0.0.1" }, Mistake("local") { $0.local = "224.0.0.1" },
            Mistake("peer") { $0.peer = "192.0.2.21" }, Mistake("peer") { $0.peer = "2001:db8::1" },
            Mistake("peer") { $0.peer = "peer" },
            Mistake("peer") { $0.peer = "255.255.255.255" },
            Mistake("access") { $0.access = nil }, Mistake("access") { $0.access = "" },
            Mistake("access") { $0.access = "eth/1" },
            Mistake("access") { $0.access = "sixteen-letters-" },
            Mistake("encap") { $0.encap = "gre" }, Mistake("sublayer") { $0.sublayer = "atm" },
            Mistake("udp-checksum") { $0.udpChecksum = "half" }, Mistake("local-port") { $0.localPort = "65536" },
            Mistake("peer-port") { $0.peerPort = "0" }, Mistake("ttl") { $0.ttl = "0" },
            Mistake("ttl") { $0.ttl = "256" },
            Mistake("dscp") { $0.dscp = "64" }, Mistake("send-cookie") { $0.sendCookie = "123" },
            Mistake("send-cookie") { $0.sendCookie = "" }, Mistake("expect-cookie") { $0.expectCookie = ["0123456g"] },
            Mistake("expect-cookie") { $0.expectCookie = ["01234567", "0123456789abcdef"] },
            Mistake("expect-cookie") { $0.expectCookie = ["01234567", "01234567"] },
            Mistake("expect-cookie") { $0.expectCookie = ["00000001", "00000002", "00000003"] },
            Mistake("NAME") { $0.name = "" }, Mistake("NAME") { $0.name = "a b" },
            Mistake("NAME") { $0.name = String(repeating: "n", count: 32) },
            Mistake("underlay") { $0.underlay = ["eth1"] }, Mistake("underlay") { $0.underlay = ["eth0", "eth0"] },
            Mistake("local-port") {
                $0.encap = "ip"; $0.localPort = "1701"
            },
            Mistake("udp-checksum") {
                $0.encap = "ip"; $0.udpChecksum = "full"
            },
        ])
    func mistakes(mistake: Mistake) {
        let found = faults(mistake.change)
        #expect(found.map(\.field) == [mistake.field])
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
