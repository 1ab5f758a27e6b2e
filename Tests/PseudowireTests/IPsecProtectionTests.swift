import InternetAddress
import RouteNetlink
import Testing

@testable import Pseudowire

/// Which policies are found to be about a pseudowire's packets: as the kernel would decide.
@Suite("IPsec policies and a pseudowire's outer packets")
struct IPsecProtectionTests {
    private static let wire = PseudowireConfiguration(
        name: "pw0", access: "eth1",
        tunnel: .udp(local: "192.0.2.21", peer: "192.0.2.22", localPort: 1701, peerPort: 1702),
        session: .init(local: 1012, peer: 1021))

    private static func selector(
        _ protocolNumber: UInt8 = 0, _ from: IPPrefix = "192.0.2.0/24", _ to: IPPrefix = "192.0.2.22/32",
        sport: UInt16? = nil, dport: UInt16? = nil
    ) -> IPsecSelector {
        IPsecSelector(from: from, to: to, protocol: protocolNumber, sourcePort: sport, destinationPort: dport)
    }

    private static func conflict(_ policies: [IPsecPolicy], _ wire: PseudowireConfiguration = wire) -> String? {
        IPsecProtection(policies).conflict(wire, wayOut: nil, underlays: [])
    }

    @Test("a policy that encrypts or blocks what goes out, or what comes in")
    func conflicts() throws {
        let out = IPsecPolicy(Self.selector(), .output, templateCount: 1)
        let sentence = try #require(Self.conflict([out]))
        #expect(sentence.contains("leave unencrypted"))
        #expect(sentence.contains("dir out src 192.0.2.0/24 dst 192.0.2.22/32"))
        let back = IPsecSelector(from: "0.0.0.0/0", to: "192.0.2.21/32", protocol: 17)
        #expect(Self.conflict([IPsecPolicy(back, .input, action: .block)])?.contains("unencrypted ones") == true)
    }

    @Test(
        "what is about other packets is none of ours",
        arguments: [
            IPsecPolicy(selector(), .output),
            IPsecPolicy(selector(), .forward, templateCount: 1),
            IPsecPolicy(selector(), .input, templateCount: 1),
            IPsecPolicy(selector(), .output, interfaceID: 1, templateCount: 1),
            IPsecPolicy(selector(), .output, mark: 1, markMask: 1, templateCount: 1),
            IPsecPolicy(selector(115), .output, templateCount: 1),
            IPsecPolicy(selector(0, "192.0.3.0/24"), .output, templateCount: 1),
            IPsecPolicy(selector(0, "192.0.2.0/24", "192.0.2.23/32"), .output, templateCount: 1),
            IPsecPolicy(selector(0, "::/0", "::/0"), .output, templateCount: 1),
            IPsecPolicy(selector(17, sport: 1702), .output, templateCount: 1),
            IPsecPolicy(selector(17, dport: 1701), .output, templateCount: 1),
        ])
    func others(policy: IPsecPolicy) {
        #expect(Self.conflict([policy]) == nil)
    }

    @Test("the lowest priority decides; of two alike the stricter one; the second set is asked too")
    func priority() {
        let encrypt = IPsecPolicy(Self.selector(), .output, priority: 10, templateCount: 1)
        var bypass = IPsecPolicy(Self.selector(17, sport: 1701, dport: 1702), .output, priority: 9)
        #expect(Self.conflict([encrypt, bypass]) == nil)
        bypass.priority = 11
        #expect(Self.conflict([encrypt, bypass]) != nil)
        bypass.priority = 10
        #expect(Self.conflict([bypass, encrypt]) != nil)
        bypass.priority = 9
        var second = encrypt
        second.isSubPolicy = true
        #expect(Self.conflict([second, bypass]) != nil)
    }

    @Test("an allowed port covers no pseudowire that uses any port; a forbidden one does concern it")
    func entropy() {
        var wire = Self.wire
        wire.tunnel.portEntropy = .send
        let encrypt = IPsecPolicy(Self.selector(), .output, priority: 10, templateCount: 1)
        let bypass = IPsecPolicy(Self.selector(17, sport: 1701), .output)
        #expect(Self.conflict([encrypt, bypass], wire) != nil)
        #expect(Self.conflict([bypass], wire) == nil)
        #expect(Self.conflict([IPsecPolicy(Self.selector(17, sport: 9), .output, action: .block)], wire) != nil)
    }

    @Test("protocol 115 has no ports: a policy for a port is not about it")
    func protocol115() {
        var wire = Self.wire
        wire.tunnel = .ip(local: "192.0.2.21", peer: "192.0.2.22")
        #expect(Self.conflict([IPsecPolicy(Self.selector(115), .output, templateCount: 1)], wire) != nil)
        #expect(Self.conflict([IPsecPolicy(Self.selector(dport: 1702), .output, templateCount: 1)], wire) == nil)
    }

    @Test("what no policy fits meets the default")
    func defaults() {
        var defaults = IPsecDefaults()
        defaults.blocksOutput = true
        func conflict(_ policies: [IPsecPolicy]) -> String? {
            IPsecProtection(policies, defaults).conflict(Self.wire, wayOut: nil, underlays: [])
        }
        #expect(conflict([])?.contains("default: block") == true)
        #expect(conflict([IPsecPolicy(Self.selector(), .output)]) == nil)
    }
}
