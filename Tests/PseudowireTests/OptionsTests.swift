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
        #expect(!wire.makesInterface)
        #expect(wire.session.sequencing == .none)
        #expect(wire.vlan == .any)
        #expect(wire.vlanTag == .keep)
        #expect(wire.mtu == nil)
        #expect(wire.oversize == .fragment)
        #expect(wire.repliesTooBig)
        #expect(wire.clampsMSS)
        #expect(wire.dontFragment)
        #expect(wire.dscp == 0)
        #expect(wire.ecn == .compatibility)
        #expect(wire.flowLabel == .auto)
        #expect(wire.tunnel.portEntropy == .none)
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

    /// Words, and what they come to.
    struct Meaning: Sendable {
        let change: @Sendable (inout PseudowireOptions) -> Void
        let holds: @Sendable (PseudowireConfiguration) -> Bool

        init(
            _ change: @escaping @Sendable (inout PseudowireOptions) -> Void,
            _ holds: @escaping @Sendable (PseudowireConfiguration) -> Bool
        ) {
            self.change = change
            self.holds = holds
        }
    }

    @Test(
        "each option means what it says",
        arguments: [
            Meaning({
                $0.access = nil; $0.interface = "lan0"
            }) { $0.makesInterface && $0.access == "lan0" },
            Meaning({ $0.sequence = "send" }) { $0.session.sequencing == .send },
            Meaning({ $0.sequence = "receive" }) { $0.session.sequencing == .receive },
            Meaning({ $0.sequence = "both" }) { $0.session.sequencing == .both },
            Meaning({
                $0.sequence = "none"; $0.sublayer = "none"
            }) { $0.session.sequencing == .none },
            Meaning({ $0.vlan = "any" }) { $0.vlan == .any }, Meaning({ $0.vlan = "none" }) { $0.vlan == .none },
            Meaning({ $0.vlan = "1" }) { $0.vlan == .id(1, .customer) },
            Meaning({
                $0.vlan = "4094"; $0.vlanProtocol = "802.1ad"
            }) { $0.vlan == .id(4094, .service) },
            Meaning({
                $0.vlan = "5"; $0.vlanProtocol = "802.1Q"
            }) { $0.vlan == .id(5) },
            Meaning({
                $0.vlan = "5"; $0.vlanTag = "keep"
            }) { $0.vlanTag == .keep && $0.overhead.innerTags == 1 },
            Meaning({
                $0.vlan = "5"; $0.vlanTag = "strip"
            }) { $0.vlanTag == .strip && $0.overhead.innerTags == 0 },
            Meaning({
                $0.vlan = "5"; $0.vlanTag = "4094"
            }) { $0.vlanTag == .rewrite(4094) },
            Meaning({ $0.mtu = "auto" }) { $0.mtu == nil }, Meaning({ $0.mtu = "68" }) { $0.mtu == 68 },
            Meaning({ $0.mtu = "65535" }) { $0.mtu == 65535 },
            Meaning({ $0.oversize = "drop" }) { $0.oversize == .drop && $0.forbidsFragments },
            Meaning({ $0.oversize = "outer" }) { $0.oversize == .outer && !$0.forbidsFragments },
            Meaning({
                $0.oversize = "outer"; $0.df = "clear"
            }) { !$0.forbidsFragments },
            Meaning({ $0.icmp = "off" }) { !$0.repliesTooBig }, Meaning({ $0.icmp = "on" }) { $0.repliesTooBig },
            Meaning({ $0.mssClamp = "off" }) { !$0.clampsMSS }, Meaning({ $0.mssClamp = "on" }) { $0.clampsMSS },
            Meaning({ $0.df = "clear" }) { !$0.dontFragment }, Meaning({ $0.df = "set" }) { $0.dontFragment },
            Meaning({ $0.dscp = "inherit" }) { $0.dscp == .inherit }, Meaning({ $0.dscp = "63" }) { $0.dscp == 63 },
            Meaning({ $0.ecn = "normal" }) { $0.ecn == .normal },
            Meaning({
                $0.local = "2001:db8::21"; $0.peer = "2001:db8::22"; $0.flowLabel = "zero"
            }) { $0.flowLabel == .zero },
            Meaning({
                $0.local = "2001:db8::21"; $0.peer = "2001:db8::22"; $0.flowLabel = "auto"
            }) { $0.flowLabel == .auto },
            Meaning({ $0.portEntropy = "send" }) { $0.tunnel.portEntropy == .send },
            Meaning({ $0.portEntropy = "both" }) { $0.tunnel.portEntropy == .both },
        ])
    func meanings(meaning: Meaning) throws {
        var options = Self.good()
        meaning.change(&options)
        #expect(meaning.holds(try options.resolve()))
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
            Mistake("port-entropy") {
                $0.encap = "ip"; $0.portEntropy = "none"
            },
            Mistake("port-entropy") {
                $0.encap = "ip"; $0.portEntropy = "some"
            },
            Mistake("port-entropy") { $0.portEntropy = "on" },
            Mistake("interface") { $0.interface = "lan0" },
            Mistake("interface") {
                $0.access = nil; $0.interface = "sixteen-letters-"
            },
            Mistake("underlay") {
                $0.access = nil; $0.interface = "lan0"; $0.underlay = ["lan0"]
            },
            Mistake("sequence") { $0.sequence = "yes" },
            Mistake("sequence") {
                $0.sequence = "send"; $0.sublayer = "none"
            },
            Mistake("vlan") { $0.vlan = "007" }, Mistake("ttl") { $0.ttl = "+7" }, Mistake("ttl") { $0.ttl = "0x+7" },
            Mistake("dscp") { $0.dscp = "00" }, Mistake("mtu") { $0.mtu = "-0" },
            Mistake("vlan") { $0.vlan = "0" }, Mistake("vlan") { $0.vlan = "4095" }, Mistake("vlan") { $0.vlan = "" },
            Mistake("vlan") {
                $0.vlan = "all"; $0.vlanTag = "strip"; $0.vlanProtocol = "802.1ad"
            },
            Mistake("vlan-protocol") { $0.vlanProtocol = "802.1Q" },
            Mistake("vlan-protocol") {
                $0.vlan = "none"; $0.vlanProtocol = "802.1ad"
            },
            Mistake("vlan-protocol") {
                $0.vlan = "5"; $0.vlanProtocol = "802.1x"
            },
            Mistake("vlan-tag") { $0.vlanTag = "strip" }, Mistake("vlan-tag") { $0.vlanTag = "0" },
            Mistake("vlan-tag") {
                $0.vlan = "none"; $0.vlanTag = "keep"
            },
            Mistake("vlan-tag") {
                $0.vlan = "5"; $0.vlanTag = "4095"
            },
            Mistake("mtu") { $0.mtu = "67" }, Mistake("mtu") { $0.mtu = "65536" }, Mistake("mtu") { $0.mtu = "large" },
            Mistake("oversize") { $0.oversize = "keep" }, Mistake("icmp") { $0.icmp = "yes" },
            Mistake("mss-clamp") { $0.mssClamp = "1400" }, Mistake("df") { $0.df = "on" },
            Mistake("df") {
                $0.oversize = "outer"; $0.df = "set"
            },
            Mistake("df") {
                $0.local = "2001:db8::21"; $0.peer = "2001:db8::22"; $0.df = "clear"
            },
            Mistake("flow-label") { $0.flowLabel = "auto" }, Mistake("flow-label") { $0.flowLabel = "zero" },
            Mistake("flow-label") { $0.flowLabel = "1" },
            Mistake("ecn") { $0.ecn = "on" }, Mistake("dscp") { $0.dscp = "copy" },
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

    @Test("a configuration built in a program is checked as text is")
    func built() {
        func fields(_ change: (inout PseudowireConfiguration) -> Void) -> [String] {
            var wire = ValueTests.wires[0]
            change(&wire)
            return wire.faults.map(\.field)
        }
        #expect(fields { $0.vlan = .id(0) } == ["vlan"])
        #expect(fields { $0.vlan = .id(4095, .service) } == ["vlan"])
        #expect(fields { $0.vlanTag = .strip } == ["vlan-tag"])
        #expect(
            fields {
                $0.vlan = .id(1)
                $0.vlanTag = .rewrite(4095)
            } == ["vlan-tag"])
        #expect(fields { $0.mtu = 0 } == ["mtu"])
        #expect(fields { $0.dscp = 64 } == ["dscp"])
        #expect(fields { $0.flowLabel = .zero } == ["flow-label"])
        #expect(
            fields {
                $0.tunnel = .ip(local: "2001:db8::21", peer: "2001:db8::22")
                $0.tunnel.portEntropy = .send
                $0.dontFragment = false
            } == ["port-entropy", "df"])
    }
}
