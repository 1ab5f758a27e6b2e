import CPseudowireMNL
import InternetAddress
import Testing

@testable import RouteNetlink

/// IPsec policies, as a 6.18 kernel tells of them.
@Suite struct IPsecPolicyTests {
    /// `src 192.0.2.21/32 dst 192.0.2.0/24 proto udp sport 1701 dport 1701 dir out priority 7 mark 0x10 mask 0xf0`,
    /// ESP.
    static let output = """
        14010000 13000200 01000000 a67c0000 c0000200 00000000 00000000 00000000
        c0000215 00000000 00000000 00000000 06a5ffff 06a5ffff 02001820 11000000
        00000000 00000000 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff
        ffffffff ffffffff 00000000 00000000 00000000 00000000 00000000 00000000
        00000000 00000000 00000000 00000000 00000000 00000000 f3f0066b 00000000
        00000000 00000000 07000000 01000000 01000000 00000000 44000500 c0000216
        00000000 00000000 00000000 00000000 32000000 02000000 c0000215 00000000
        00000000 00000000 01000000 00000000 ffffffff ffffffff ffffffff 0a001000
        00000000 00000000 0c001500 10000000 f0000000
        """

    /// `src 2001:db8::/32 dst ::/0 proto 115 dir in action block if_id 42 ptype sub`.
    static let input = """
        cc000000 13000200 01000000 a67c0000 00000000 00000000 00000000 00000000
        20010db8 00000000 00000000 00000000 00000000 00000000 0a000020 73000000
        00000000 00000000 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff
        ffffffff ffffffff 00000000 00000000 00000000 00000000 00000000 00000000
        00000000 00000000 00000000 00000000 00000000 00000000 f3f0066b 00000000
        00000000 00000000 00000000 08000000 00010000 00000000 0a001000 01000000
        00000000 08001f00 2a000000
        """

    /// `in accept fwd accept out block`.
    static let defaults = "14000000 28000000 01000000 a67c0000 02020100"

    private static let expected = [
        IPsecPolicy(
            IPsecSelector(
                from: "192.0.2.21/32", to: "192.0.2.0/24", protocol: 17, sourcePort: 1701, destinationPort: 1701),
            .output, priority: 7, mark: 0x10, markMask: 0xf0, templateCount: 1),
        IPsecPolicy(
            IPsecSelector(from: "2001:db8::/32", to: "::/0", protocol: 115), .input, action: .block, interfaceID: 42,
            isSubPolicy: true),
    ]

    @Test func `reads policies and defaults`() throws {
        let policies = try ParserTests.parse([Self.output, Self.input]) { message throws(MalformedMessage) in
            try IPsecPolicy(message)
        }
        #expect(policies == Self.expected)
        #expect(policies.map(\.forbidsPlainPackets) == [true, true])
        #expect(
            "\(Self.expected[0])" == "dir out src 192.0.2.21/32 dst 192.0.2.0/24 proto 17 sport 1701 dport 1701 "
                + "priority 7 mark 16 mask 240")
        let defaults = try ParserTests.parse([Self.defaults]) { message throws(MalformedMessage) in
            try IPsecDefaults(message)
        }
        #expect(defaults.map { [$0.blocksInput, $0.blocksForward, $0.blocksOutput] } == [[false, false, true]])
    }

    @Test func `a prefix that is too long for its family, and a message cut anywhere, are refused or read as less`()
        throws
    {
        var wrong = bytes(Self.output)
        wrong[16 + 43] = 33
        #expect(throws: MalformedMessage.self) {
            try forEachMessage(wrong) { message throws(MalformedMessage) in _ = try IPsecPolicy(message) }
        }
        let whole = bytes(Self.output)
        for length in 16..<whole.count {
            var cut = Array(whole[..<length])
            withUnsafeBytes(of: UInt32(length)) { cut.replaceSubrange(0..<4, with: $0) }
            do throws(MalformedMessage) {
                try forEachMessage(cut) { message throws(MalformedMessage) in
                    let policy = try IPsecPolicy(message)
                    if let policy, length < 16 + 168 + 4 + 64 { #expect(policy.templateCount == 0) }
                }
                #expect(length >= 16 + 168)
            } catch {
                #expect(length < 16 + 168, "\(length): \(error.what)")
            }
        }
    }

    @Test func `asks as ip does`() {
        #expect(hex(IPsecRequest.list().bytes) == "10000000" + "1500" + "0503" + "0000000000000000")
    }
}

extension KernelTests {
    @Suite struct IPsecPolicies {
        @Test func `lists what ip has added`() throws {
            let client = try RouteClient(in: .anonymous())
            func ip(_ words: String) throws {
                _ = try witness("sh", "-c", "ip xfrm policy \(words)", in: client.namespace)
            }
            #expect(try client.ipsecPolicies.list() == [])
            #expect(try client.ipsecPolicies.defaults() == IPsecDefaults())
            try ip(
                "add src 192.0.2.21/32 dst 192.0.2.0/24 proto udp sport 1701 dport 1702 dir out priority 7 "
                    + "mark 0x10 mask 0xf0 tmpl src 192.0.2.21 dst 192.0.2.22 proto esp mode transport")
            try ip("add src 2001:db8::/32 dst ::/0 dir fwd action block if_id 42")
            try ip("setdefault out block")
            let found = try client.ipsecPolicies.list().sorted { $0.priority < $1.priority }
            #expect(
                found == [
                    IPsecPolicy(
                        IPsecSelector(from: "2001:db8::/32", to: "::/0"), .forward, action: .block, interfaceID: 42),
                    IPsecPolicy(
                        IPsecSelector(
                            from: "192.0.2.21/32", to: "192.0.2.0/24", protocol: 17, sourcePort: 1701,
                            destinationPort: 1702), .output, priority: 7, mark: 0x10, markMask: 0xf0, templateCount: 1),
                ])
            let defaults = try client.ipsecPolicies.defaults()
            #expect(defaults.blocksOutput && !defaults.blocksInput && !defaults.blocksForward)
        }

        @Test func `reads a list that does not fit one datagram`() throws {
            let client = try RouteClient(in: .anonymous())
            // One run of ip: a batch.
            let lines = (0..<500).map {
                "xfrm policy add src 10.0.\($0 / 250).\($0 % 250)/32 dst 10.9.9.9/32 dir out action block"
            }
            _ = try witness(
                "sh", "-c", "printf '%s\\n' \(lines.map { "'\($0)'" }.joined(separator: " ")) | ip -batch -",
                in: client.namespace)
            let found = try client.ipsecPolicies.list()
            #expect(found.count == 500)
            #expect(Set(found.map(\.selector.source)).count == 500)
        }
    }
}
