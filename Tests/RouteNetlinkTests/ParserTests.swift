import CPseudowireMNL
import InternetAddress
import Testing

@testable import RouteNetlink

/// What the parsers make of real answers, and that nothing at all makes them trap.
@Suite struct ParserTests {
    /// Everything that one message can be read as.
    static func read(_ datagram: [UInt8]) -> [String] {
        var seen: [String] = []
        forEachMessage(datagram) { message in
            func note<Value>(_ read: (borrowing Message) throws(MalformedMessage) -> Value?) {
                do throws(MalformedMessage) {
                    if let value = try read(message) { seen.append("\(value)") }
                } catch { seen.append(error.what) }
            }
            note { message throws(MalformedMessage) in try Link(message) }
            note { message throws(MalformedMessage) in try InterfaceAddress(message) }
            note { message throws(MalformedMessage) in try Route(message) }
            note { message throws(MalformedMessage) in try Neighbor(message) }
            note { message throws(MalformedMessage) in try Qdisc(message) }
            note { message throws(MalformedMessage) in try Rule(message) }
            note { message throws(MalformedMessage) in try NamespaceID(message) }
            note { message throws(MalformedMessage) in try FilterInfo(message) }
            note { message throws(MalformedMessage) in try IPsecPolicy(message) }
            note { message throws(MalformedMessage) in try IPsecDefaults(message) }
            note { message throws(MalformedMessage) in ExtendedAcknowledgement(message) }
            note { message throws(MalformedMessage) in LinkFeatures(message) }
        }
        return seen
    }

    static func parse<Value>(
        _ captured: [String], _ read: (borrowing Message) throws(MalformedMessage) -> Value?
    ) throws -> [Value] {
        var values: [Value] = []
        for text in captured {
            try forEachMessage(bytes(text)) { message throws(MalformedMessage) in
                if let value = try read(message) { values.append(value) }
            }
        }
        return values
    }

    static let captured =
        CapturedReplies.links + CapturedReplies.addresses + CapturedReplies.routes + CapturedReplies.neighbors
        + CapturedReplies.qdiscs + CapturedReplies.filters + AcknowledgementTests.answers.map(\.answer)

    @Test func `reads links`() throws {
        let links = try Self.parse(CapturedReplies.links) { message throws(MalformedMessage) in try Link(message) }
        #expect(links.map(\.name) == ["v1", "v0", "br0"])
        let v0 = try #require(links.first { $0.name == "v0" })
        #expect(v0.index.rawValue == 3)
        #expect(v0.peer?.rawValue == 2)
        #expect(v0.linkNamespaceID == nil)
        #expect(v0.kind == "veth")
        #expect(v0.alias == "hello")
        #expect(v0.mtu == 1400)
        #expect(v0.address == "02:00:00:00:00:01")
        #expect(v0.alternativeNames == ["averylongalternativename"])
        #expect(v0.flags.isSuperset(of: [.up, .running, .lowerUp, .broadcast, .multicast]))
        #expect(v0.minMTU == 68)
        #expect(v0.maxMTU == 65535)
        #expect(v0.hardwareType == 1)
        #expect(v0.operationalState == .up)
        #expect(v0.statistics != nil)
        #expect(v0.gsoMaxSize == 65536)
        #expect(v0.master == nil)
        let v1 = try #require(links.first { $0.name == "v1" })
        #expect(v1.master?.rawValue == 4)
        #expect(v1.promiscuity == 1)
        #expect(v1.alias == nil)
    }

    @Test func `reads addresses`() throws {
        let found = try Self.parse(CapturedReplies.addresses) { message throws(MalformedMessage) in
            try InterfaceAddress(message)
        }
        #expect(found.count == 7)
        #expect(found.contains { $0.prefix == "10.0.0.1/24" && $0.peer == nil && $0.label == "v0" })
        #expect(found.contains { $0.prefix == "10.1.1.1/32" && $0.peer == "10.1.1.2" })
        let v6 = try #require(found.first { $0.prefix == "fd00::1/64" })
        #expect(v6.flags == [.noDuplicateDetection, .noPrefixRoute, .permanent])
        #expect(found.first { $0.prefix == "127.0.0.1/8" }?.scope == .host)
    }

    @Test func `reads routes`() throws {
        let routes = try Self.parse(CapturedReplies.routes) { message throws(MalformedMessage) in try Route(message) }
        #expect(routes.count == 12)
        let limited = try #require(routes.first { $0.destination == "192.0.2.0/24" })
        #expect(limited.gateway == "10.0.0.2")
        #expect(limited.mtu == 1300)
        #expect(limited.outputInterface?.rawValue == 3)
        let several = try #require(routes.first { $0.destination == "203.0.113.0/24" })
        #expect(several.nextHops.map(\.gateway) == ["10.0.0.2", "10.0.0.3"])
        #expect(several.nextHops.map(\.weight) == [2, 1])
        #expect(several.gateway == nil)
        let mixed = try #require(routes.first { $0.destination == "198.51.100.0/24" })
        #expect(mixed.gateway == "fd00::2")
        #expect(mixed.table == 1000)
        #expect(mixed.isOnLink)
        #expect(mixed.family == .v4)
        #expect(routes.first { $0.destination == "198.18.0.0/15" }?.type == .blackhole)
    }

    @Test func `reads neighbors`() throws {
        let found = try Self.parse(CapturedReplies.neighbors) { message throws(MalformedMessage) in
            try Neighbor(message)
        }
        #expect(found.count == 3)
        let fixed = try #require(found.first { $0.address == "10.0.0.50" })
        #expect(fixed.macAddress == "02:00:00:00:00:50")
        #expect(fixed.state == .permanent)
        #expect(fixed.link.rawValue == 3)
    }

    @Test func `reads qdiscs and filters, not the entry that heads a priority`() throws {
        let qdiscs = try Self.parse(CapturedReplies.qdiscs) { message throws(MalformedMessage) in try Qdisc(message) }
        #expect(qdiscs.map(\.kind) == ["noqueue", "noqueue", "noqueue", "clsact"])
        #expect(qdiscs.last?.parent == Qdisc.clsactParent)
        #expect(qdiscs.last?.handle == 0xffff_0000)
        let filters = try Self.parse(CapturedReplies.filters) { message throws(MalformedMessage) in
            try FilterInfo(message)
        }
        #expect(filters.count == 1)
        #expect(CapturedReplies.filters.count == 2)
        let filter = try #require(filters.first)
        #expect(filter.kind == "bpf")
        #expect(filter.name == "probe")
        #expect(filter.isDirectAction)
        #expect(filter.protocol == 3)
        #expect(filter.priority == 1)
        #expect(filter.handle == 1)
        #expect(filter.programID ?? 0 > 0)
        #expect(filter.programTag?.count == 8)
    }

    @Test func `reads statistics of any size`() {
        for size in 0...208 {
            // Counter n holds n + 1.
            let raw: [UInt8] = (0..<size).map { index in index % 8 == 0 ? UInt8(index / 8 + 1) : 0 }
            let statistics = LinkStatistics(raw.span.bytes)
            let first: UInt64 = size >= 8 ? 1 : 0
            let last: UInt64 = size >= 200 ? 25 : 0
            #expect(statistics.receivedPackets == first)
            #expect(statistics.receiveOtherHost == last)
        }
    }

    @Test func `survives truncation at every length`() {
        for text in Self.captured {
            let whole = bytes(text)
            for length in 0..<whole.count {
                _ = Self.read(Array(whole[..<length]))
                // The outer length says that all is well; only the inside is cut.
                var patched = Array(whole[..<length])
                guard length >= 16 else { continue }
                withUnsafeBytes(of: UInt32(length)) { for (index, byte) in $0.enumerated() { patched[index] = byte } }
                _ = Self.read(patched)
            }
        }
    }

    @Test func `an attribute of length zero ends the walk`() {
        let raw = bytes("0000 0300 0800 0400 78050000")
        var cursor = AttributeCursor(raw.span.bytes)
        let isEmpty = cursor.next() == nil
        #expect(isEmpty)
    }

    @Test func `an integer of another size is refused by name`() {
        let message = bytes("26000000 1000 0000 07000000 00000000 0000 0100 03000000 00000000 00000000 0600 0400 7805")
        #expect(Self.read(message).contains("attribute 4 has 2 bytes where 4 belong"))
    }
}

/// The same numbers in every run, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
