import CPseudowireAllocations
import InternetAddress
import RouteNetlinkTestKit
import Testing

@testable import RouteNetlink

/// What reading an answer takes from the heap: nothing but the texts and undecoded bytes that it keeps.
///
/// Texts of up to 15 bytes, and so every interface's name, are kept in the value itself.
@Suite struct AllocationTests {
    /// How often `read` allocates for each message of a datagram, once all is warm.
    private static func count<Value>(
        _ datagram: [UInt8], _ read: (borrowing Message) throws(MalformedMessage) -> Value?
    ) throws -> [Int] {
        var counts: [Int] = []
        counts.reserveCapacity(16)
        for round in 0..<2 {
            try forEachMessage(datagram) { message throws(MalformedMessage) in
                let before = pseudowire_allocations()
                let value = try read(message)
                let after = pseudowire_allocations()
                withExtendedLifetime(value) { if round == 1 { counts.append(after - before) } }
            }
        }
        return counts
    }

    private static func link(_ message: KernelMessage) throws -> [Int] {
        let payload = message.payload
        return try count(ExchangeTests.message(16, payload: payload)) { message throws(MalformedMessage) in
            try Link(message)
        }
    }

    /// Under a sanitizer, whose malloc is its own, nothing is counted.
    private static let isCounting = pseudowire_allocations() >= 0

    @Test func `counts at all`() {
        guard Self.isCounting else { return }
        let before = pseudowire_allocations()
        let array = Array(repeating: before, count: 100)
        #expect(pseudowire_allocations() > before, "\(array.count)")
    }

    @Test func `a link takes what its texts take`() throws {
        guard Self.isCounting else { return }
        let plain = KernelMessage.link(
            2, name: "abcdefghijklmno", kind: "veth", address: "02:00:00:00:00:01", master: 7, alias: "fifteen bytes!!")
        #expect(try Self.link(plain) == [0])
        let remarked = KernelMessage.link(2, name: "eth0", alias: "a remark of more than fifteen bytes")
        #expect(try Self.link(remarked) == [1])
    }

    /// Real answers: hardware addresses, statistics, a bridge's and a port's undecoded bytes, another name.
    @Test func `captured links take what their texts and bytes take`() throws {
        guard Self.isCounting else { return }
        for text in CapturedReplies.links {
            let datagram = bytes(text)
            var expected: [Int] = []
            try forEachMessage(datagram) { message throws(MalformedMessage) in
                guard let link = try Link(message) else { return }
                let texts = [link.name, link.kind ?? "", link.alias ?? "", link.portKind ?? ""] + link.alternativeNames
                expected.append(
                    texts.count { $0.utf8.count > 15 } + [link.kindData, link.portData].count { $0 != nil }
                        + (link.alternativeNames.isEmpty ? 0 : 1))
            }
            let counts = try Self.count(datagram) { message throws(MalformedMessage) in try Link(message) }
            #expect(counts == expected)
        }
    }

    @Test func `addresses and neighbours take nothing`() throws {
        guard Self.isCounting else { return }
        let link = LinkIndex(rawValue: 2)
        let address = KernelMessage.address("2001:db8::1/64", on: 2)
        let addresses = try Self.count(ExchangeTests.message(20, payload: address.payload)) {
            message throws(MalformedMessage) in try InterfaceAddress(message)
        }
        let neighbor = KernelMessage.neighbor(Neighbor(address: "fe80::1", link: link, macAddress: "02:00:00:00:00:01"))
        let neighbors = try Self.count(ExchangeTests.message(28, payload: neighbor.payload)) {
            message throws(MalformedMessage) in try Neighbor(message)
        }
        #expect(addresses == [0])
        #expect(neighbors == [0])
    }
}
