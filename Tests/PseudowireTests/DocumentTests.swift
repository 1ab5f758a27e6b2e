import Testing

@testable import Pseudowire

@Suite("documents")
struct DocumentTests {
    static let good = """
        { pseudowires: [ { name: "pw0", access: "eth1", local: "192.0.2.21", peer: "192.0.2.22",
        "session-id": 1012, "peer-session-id": 1021 } ] }
        """

    private func faults(_ text: String) -> [String] {
        do throws(ConfigurationFaults) {
            _ = try PseudowireDocument(parsing: text)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    /// A document of two, the second one with these members beside those that it needs.
    private static func second(_ members: String, session: String = "7") -> String {
        """
        { pseudowires: [
        { name: "a", access: "eth1", local: "192.0.2.21", peer: "192.0.2.22", "session-id": 6, "peer-session-id": 1 },
        { \(members), local: "192.0.2.21", peer: "192.0.2.22", "session-id": \(session), "peer-session-id": 1 } ] }
        """
    }

    @Test("an interface that is made with a pseudowire may be another one's access interface, as it is exported")
    func stitched() throws {
        func wire(_ number: Int, _ words: String) -> String {
            """
            { name: "pw\(number)", \(words), local: "192.0.2.1", peer: "192.0.2.2", "session-id": \(number),
              "peer-session-id": 2 }
            """
        }
        func text(_ words: [String]) -> String {
            "{ pseudowires: [ \(words.enumerated().map { wire($0 + 1, $1) }.joined(separator: ", ")) ] }"
        }
        let document = try PseudowireDocument(parsing: text(["interface: 'cust0'", "access: 'cust0'"]))
        #expect(try PseudowireDocument(parsing: document.text) == document)
        for words in [["interface: 'cust0'", "interface: 'cust0'"], ["access: 'cust0'", "access: 'cust0'"]] {
            #expect(throws: ConfigurationFaults.self) { _ = try PseudowireDocument(parsing: text(words)) }
        }
    }

    @Test(
        "each thing that can be wrong is named with its place and its cure",
        arguments: [
            ("", "1:1: there is nothing here"), ("[]", "1:1: an object is needed"),
            ("{}", "1:1: \"pseudowires\" is missing"), ("{pseudowires: 3}", "1:15: pseudowires: a list is needed"),
            ("{pseudowires: [3]}", "1:16: pseudowires[0]: an object is needed"),
            ("{pseudowire: []}", "1:2: pseudowire: is no key; the nearest is \"pseudowires\""),
            ("{pseudowires: [], \"max-sessions\": 0}", "1:35: max-sessions: \"0\" is not a number from 1"),
            ("{pseudowires: [], \"max-sessions\": [9]}", "1:35: max-sessions: must be a number from 1"),
            (
                "{pseudowires: [], \"max-sessions\": '09'}",
                "1:35: max-sessions: \"09\" is not a number from 1 to 16777216, written without a sign or leading zeros"
            ),
            (
                second("name: 'b', access: 'eth2', acces: 'x'"),
                "3:30: pseudowires[1].acces: is no key; the nearest is \"access\""
            ),
            (
                second("name: 'a', access: 'eth2'"),
                "3:9: pseudowires[1].name: \"a\" is the name of pseudowires[0] already"
            ),
            (
                second("name: 'b', access: 'eth2'", session: "6"),
                "3:85: pseudowires[1].session-id: 6 is the session of pseudowires[0]"
            ),
            (
                second("name: 'b', access: 'eth1'"),
                "3:22: pseudowires[1].access: pseudowires[0] carries all frames of eth1"
            ),
            (second("name: 'b', access: 'eth1', vlan: 5"), "3:22: pseudowires[1].access: pseudowires[0] carries all"),
            (
                second("name: 'b', access: 'eth2', 'expect-cookie': ['01234567', '01234567']"),
                "3:47: pseudowires[1].expect-cookie: names a cookie twice"
            ),
            (
                second("name: 'b', access: 'eth2', 'expect-cookie': ['01234567', '0123456789abcdef']"),
                "3:47: pseudowires[1].expect-cookie: all cookies"
            ),
            (
                second("name: 'b', access: 'eth2', 'expect-cookie': 1234567"),
                "3:47: pseudowires[1].expect-cookie: is the number 1234567; a text in quotes"
            ),
            (
                second("name: '\(String(repeating: "x", count: 32))', access: 'eth2'"),
                "3:9: pseudowires[1].name: \"\(String(repeating: "x", count: 32))\" has 32 characters; at most 31"
            ),
            (
                second("name: 'b', access: 'eth0123456789abcd'"),
                "3:22: pseudowires[1].access: \"eth0123456789abcd\" has 17 characters"
            ),
            (
                second("name: 'b', access: 'eth2'", session: "4294967296"),
                "3:85: pseudowires[1].session-id: \"4294967296\" is no session id; 1 to 4294967295"
            ),
            (
                second("name: 'b', access: 'eth2'", session: "true"),
                "3:85: pseudowires[1].session-id: is true; a number or a text in quotes is needed"
            ),
            (second("name: 'b', access: 'eth2', ttl: null"), "3:35: pseudowires[1].ttl: is null; a number"),
            (second("name: 'b', access: 'eth2', icmp: false"), "3:36: pseudowires[1].icmp: is false; a text in quotes"),
            (
                second("name: 'b', access: 'eth2', vlan: 4095"),
                "3:36: pseudowires[1].vlan: \"4095\" is neither any, none nor a number"
            ),
            (second("name: 'b', access: 'eth2', mtu: -1"), "3:35: pseudowires[1].mtu: \"-1\" is neither auto nor"),
            (
                second("name: 'b', interface: 'lan0', access: 'eth2'"),
                "3:25: pseudowires[1].interface: makes an interface, access names one"
            ),
            (second("name: 'b'"), "3:1: pseudowires[1].access: is missing"),
            (second("access: 'eth2'"), "3:1: pseudowires[1].name: is missing; 1 to 31 letters"),
            (second("name: '', access: 'eth2'"), "3:9: pseudowires[1].name: is empty; 1 to 31 letters"),
            (
                second("name: 'b', access: 'eth2', vlan: '007'"),
                "3:36: pseudowires[1].vlan: \"007\" is neither any, none nor a number from 1 to 4094, written without"
            ),
            (
                second("name: 'b', access: 'eth2', ttl: '+7'"),
                "3:35: pseudowires[1].ttl: \"+7\" is not a number from 1 to 255, written without a sign"
            ),
            (
                second("name: 'b', access: 'eth2', 'flow-label': 'zero'"),
                "3:44: pseudowires[1].flow-label: has no meaning over IPv4"
            ),
            (
                second("name: 'b', access: 'eth2', 'port-entropy': 'send', encap: 'ip'"),
                "3:46: pseudowires[1].port-entropy: has no meaning with encap ip; leave it out or use encap udp"
            ),
            (
                good.replacing("192.0.2.22", with: "2001:db8::22"),
                "1:76: pseudowires[0].peer: 2001:db8::22 is IPv6 but local 192.0.2.21 is IPv4"
            ),
            (good.replacing("\"192.0.2.22\"", with: "192.0.2.22"), "1:76: 192.0.2.22 is no number"),
            (good.replacing("\"session-id\"", with: "session-id"), "2:1: a key with '-' in it needs quotes"),
        ])
    func mistakes(text: String, sentence: String) {
        let found = faults(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(sentence) == true, "\(found) instead of \(sentence)")
    }

    @Test(
        "a number is the same with and without quotes, and as at a shell: decimal digits, or hexadecimal ones after 0x")
    func numbers() throws {
        for (text, value) in [("64", 64 as UInt8), ("0x40", 64), ("0X0a", 10)] {
            for written in [text, "'\(text)'"] {
                let document = try PseudowireDocument(
                    parsing: Self.second("name: 'b', access: 'eth2', ttl: \(written)"))
                #expect(document.pseudowires.last?.ttl == value)
            }
        }
        for text in ["9", "'9'", "0x9"] {
            let document = try PseudowireDocument(parsing: "{ pseudowires: [], 'max-sessions': \(text) }")
            #expect(document.maxSessions == 9)
        }
        for text in ["'09'", "+9", "9.0", "1e1"] {
            #expect(faults("{ pseudowires: [], 'max-sessions': \(text) }").count == 1, "\(text)")
        }
        for text in ["+7", "-7", "7.0", "1e1"] {
            #expect(faults(Self.second("name: 'b', access: 'eth2', ttl: \(text)")).count == 1, "\(text)")
        }
        for text in ["007", "+7", "0x", "0x+7", "-0", " 7", "7.0", "1e1", "00", "٧"] {
            #expect(faults(Self.second("name: 'b', access: 'eth2', ttl: '\(text)'")).count == 1, "\(text)")
        }
    }

    /// For every option, one value that is not the usual one, and what else it needs.
    static let options: [(PseudowireOption, [PseudowireOption: [String]])] = PseudowireOption.allCases.map { option in
        switch option {
        case .access: (option, [.access: ["eth\"9"]])
        case .interface: (option, [.access: [], .interface: ["lan0"]])
        case .local: (option, [.local: ["192.0.2.99"]])
        case .peer: (option, [.peer: ["192.0.2.98"]])
        case .sessionID: (option, [.sessionID: ["4294967295"]])
        case .peerSessionID: (option, [.peerSessionID: ["4294967294"]])
        case .encap: (option, [.encap: ["ip"]])
        case .localPort: (option, [.localPort: ["65535"]])
        case .peerPort: (option, [.peerPort: ["1"]])
        case .underlay: (option, [.underlay: ["eth7", "eth8"]])
        case .sendCookie: (option, [.sendCookie: ["00000001"]])
        case .expectCookie: (option, [.expectCookie: ["0000000000000001", "89abcdef01234567"]])
        case .sublayer: (option, [.sublayer: ["none"]])
        case .sequence: (option, [.sequence: ["both"]])
        case .vlan: (option, [.vlan: ["none"]])
        case .vlanProtocol: (option, [.vlan: ["7"], .vlanProtocol: ["802.1ad"]])
        case .vlanTag: (option, [.vlan: ["7"], .vlanTag: ["8"]])
        case .mtu: (option, [.mtu: ["68"]])
        case .oversize: (option, [.oversize: ["outer"]])
        case .icmp: (option, [.icmp: ["off"]])
        case .mssClamp: (option, [.mssClamp: ["off"]])
        case .df: (option, [.df: ["clear"]])
        case .udpChecksum: (option, [.udpChecksum: ["full"]])
        case .ttl: (option, [.ttl: ["255"]])
        case .dscp: (option, [.dscp: ["inherit"]])
        case .ecn: (option, [.ecn: ["normal"]])
        case .flowLabel: (option, [.local: ["2001:db8::1"], .peer: ["2001:db8::2"], .flowLabel: ["zero"]])
        case .portEntropy: (option, [.portEntropy: ["both"]])
        case .offload: (option, [.offload: ["keep"]])
        case .attach: (option, [.attach: ["clsact"]])
        case .coalesce: (option, [.coalesce: ["off"]])
        }
    }

    @Test("what is written is read back, for every option", arguments: options.map(\.0))
    func identity(option: PseudowireOption) throws {
        var words = OptionsTests.good()
        for (option, values) in try #require(Self.options.first { $0.0 == option }).1 { words[option] = values }
        let wire = try words.resolve()
        #expect(PseudowireOptions(wire)[option] == words[option])
        let document = PseudowireDocument([wire], maxSessions: 9)
        #expect(try PseudowireDocument(parsing: document.text) == document, "\(document.text)")
        // And back to the usual value, which must be another one.
        if ![.access, .interface, .local, .peer, .sessionID, .peerSessionID].contains(option) {
            var usual = words.changed(by: PseudowireOptions(name: "pw0"), unset: [option])
            if option == .vlan { usual[.vlanTag] = [] }
            #expect(try usual.resolve() != wire)
        }
    }

    @Test("naming the one interface takes the other one back")
    func alternatives() {
        var changes = PseudowireOptions(name: "pw0")
        changes.interface = "lan0"
        let changed = OptionsTests.good().changed(by: changes)
        #expect(changed.access == nil)
        #expect(changed.interface == "lan0")
    }
}
