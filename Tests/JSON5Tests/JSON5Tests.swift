import JSON5
import Testing

@Suite("JSON5, read strictly")
struct JSON5Tests {
    private func value(_ text: String) throws -> JSON5Value { try JSON5.value(of: text).value }

    private func faults(_ text: String) -> [String] { JSON5.read(Array(text.utf8)).faults.map(\.description) }

    @Test("what JSON5 adds to JSON")
    func additions() throws {
        let text = """
            // why
            { a: 'x', "b-c": [1, 0x2A, ], /* and
            so on */ $d: null, é: true, }
            """
        guard case .object(let members) = try value(text) else {
            throw JSON5Fault(position: .init(line: 0, column: 0), message: "")
        }
        #expect(members.map(\.key) == ["a", "b-c", "$d", "é"])
        #expect(members[0].node.value == .string("x"))
        guard case .array(let elements) = members[1].node.value else { return #expect(Bool(false)) }
        #expect(
            elements.map(\.value) == [.number(.init(text: "1", integer: 1)), .number(.init(text: "0x2A", integer: 42))])
        #expect(members[2].position == .init(line: 3, column: 10))
        #expect(members[3].node.position == .init(line: 3, column: 23))
    }

    @Test(
        "numbers keep their digits",
        arguments: [
            ("0", 0 as UInt64?), ("18446744073709551615", .max), ("18446744073709551616", nil),
            ("4294967296", 4_294_967_296),
            ("0xffffffffffffffff", .max), ("0x10000000000000000", nil), ("-1", nil), ("+7", 7), ("1.0", nil),
            ("1e3", nil),
            (".5", nil), ("5.", nil), ("Infinity", nil), ("-Infinity", nil), ("NaN", nil),
        ])
    func numbers(text: String, integer: UInt64?) throws {
        #expect(try value(text) == .number(.init(text: text, integer: integer)))
    }

    @Test("escapes, of the basic plane and beyond")
    func escapes() throws {
        #expect(try value(#""\x41\u00e9\ud83d\ude00\n\0\'""#) == .string("Aé😀\n\0'"))
        #expect(try value("'a\\\nb'") == .string("ab"))
        #expect(try value(JSON5.quoted("\"\\\n\u{1}é")) == .string("\"\\\n\u{1}é"))
    }

    @Test(
        "what is wrong is named with its place, and with what would be right",
        arguments: [
            ("", "1:1: there is nothing here"), ("{a:1} x", "1:7: there is 'x', behind the end"),
            ("{session-id: 1}", "1:2: a key with '-' in it needs quotes: \"session-id\""),
            ("{a: 192.0.2.1}", "1:5: 192.0.2.1 is no number; if it is meant as a text, it needs quotes"),
            ("{a: eth0}", "1:5: a text needs quotes: \"eth0\""), ("{a: 2001:db8::1}", "1:5: 2001:db8::1 is no number"),
            ("{a: 1 b: 2}", "1:7: ',' or '}' is needed"),
            ("{a: 1, a: 2}", "1:8: the key \"a\" is there twice; the first one is at 1:2"),
            ("{a: }", "1:5: a value is needed"), ("{a 1}", "1:4: a ':' is needed"),
            ("[1", "1:1: the array that begins here does not end"),
            ("{", "1:1: the object that begins here does not end"),
            ("'a", "1:1: the text that begins here does not end"),
            ("['a\n]", "1:2: the text that begins here does not end on its line"),
            ("/* a", "1:1: a comment begins here"),
            ("010", "1:1: 010 is no number"), ("0x", "1:1: 0x is no number"),
            (#""\ud800""#, "1:2: this is half of a character"),
            (#""\x4""#, "1:2: \\x needs two"), (#""\1""#, "1:2: a digit may not be escaped"),
            ("[1}", "1:3: ']' is needed"),
            ("[,]", "1:2: a value is needed"),
            (String(repeating: "[", count: 100), "1:65: this is nested more than 64 deep"),
        ])
    func mistakes(text: String, sentence: String) {
        let found = faults(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(sentence) == true, "\(found)")
    }

    @Test("several mistakes are found together, and the rest is read")
    func several() {
        let (node, faults) = JSON5.read(Array("{a: eth0, b: 1 c: 1.2.3, d: 4}".utf8))
        #expect(faults.map(\.position.column) == [5, 16, 19])
        guard case .object(let members)? = node?.value else { return #expect(Bool(false)) }
        #expect(members.map(\.key) == ["a", "b", "c", "d"])
        #expect(members.map { $0.node.value == .invalid } == [true, false, true, false])
    }

    @Test("text that is not UTF-8 is refused where it stops being so")
    func encoding() {
        let (node, faults) = JSON5.read([0x5b, 0x31, 0x2c, 0x0a, 0x31, 0xff, 0x5d])
        #expect(node == nil)
        #expect(faults.map(\.position) == [.init(line: 2, column: 2)])
    }

    @Test("200,000 mutated texts: each is read or refused, no place lies outside the text")
    func mutations() {
        let seed = Array(
            "{pseudowires:[{name:'pw0',\"session-id\":0x7f,a:[1,-2.5e3,null,true],/*c*/b:\"\\u00e9\\n\"},// d\n]}".utf8)
        let pool = Array("{}[]:,'\"\\/*-+.xu0189aeEfN \n\r\té".utf8) + [0, 0x7f, 0xff, 0xe2, 0x80, 0xa8]
        var state: UInt64 = 20_260_101
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var accepted = 0
        for _ in 0..<200_000 {
            var text = seed
            for _ in 0...random(4) where !text.isEmpty {
                let place = random(text.count)
                switch random(4) {
                case 0: text[place] = pool[random(pool.count)]
                case 1: text.insert(pool[random(pool.count)], at: place)
                case 2: text.remove(at: place)
                default: text.removeSubrange(place..<min(text.count, place + random(20)))
                }
            }
            let (node, faults) = JSON5.read(text)
            if faults.isEmpty { accepted += 1 }
            let lines = text.count + 1
            if node == nil && faults.isEmpty
                || faults.contains(where: { $0.position.line > lines || $0.position.column > lines })
            {
                Issue.record("\(text)")
            }
        }
        // Both ways are taken, else nothing was tried.
        #expect(accepted > 10_000 && accepted < 190_000, "\(accepted)")
    }
}
