import CPseudowireObject
import Testing

@testable import Pseudowire

@Suite("what an event's octets say")
struct PacketEventTests {
    private static func event(_ octets: [UInt8]) throws -> PacketEvent {
        var event = pw_event()
        event.length = UInt32(octets.count)
        withUnsafeMutableBytes(of: &event.octets) { $0.copyBytes(from: octets.prefix(Int(PW_EVENT_OCTETS))) }
        return try #require(PacketEvent(record: withUnsafeBytes(of: event) { Array($0) }))
    }

    /// UDP from 192.0.2.1 to 192.0.2.2, ports 258 and 772.
    private static func packet(words: UInt8 = 5, flags: UInt8 = 0, offset: UInt8 = 0, protocol: UInt8 = 17) -> [UInt8] {
        [0x40 | words, 0, 0, 60, 0, 0, flags, offset, 64, `protocol`, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]
            + [UInt8](repeating: 7, count: max(0, Int(words) * 4 - 20)) + [1, 2, 3, 4, 0, 40, 0, 0]
    }

    @Test("ports stand behind the options of an IPv4 header; a later piece, or another protocol, has none")
    func ports() throws {
        for words: UInt8 in 5...8 {
            let ports = try #require(try Self.event(Self.packet(words: words)).ports)
            #expect(ports == (258, 772))
        }
        #expect(try Self.event(Self.packet(flags: 0x40)).ports?.source == 258)
        #expect(try Self.event(Self.packet(flags: 0x20)).ports?.source == 258)
        #expect(try Self.event(Self.packet(flags: 0x20, offset: 185)).ports == nil)
        #expect(try Self.event(Self.packet(flags: 0x01)).ports == nil)
        #expect(try Self.event(Self.packet(protocol: 115)).ports == nil)
        // A header that says that it is longer than what is there.
        #expect(try Self.event(Self.packet(words: 15).prefix(40).map(\.self)).ports == nil)
        for count in 0..<24 { #expect(try Self.event(Array(Self.packet().prefix(count))).ports == nil) }
    }

    @Test("of IPv6 without extension headers as well")
    func portsOverIPv6() throws {
        func packet(_ next: UInt8) -> [UInt8] {
            [0x60, 0, 0, 0, 0, 8, next, 64] + [UInt8](repeating: 1, count: 32) + [1, 2, 3, 4, 0, 8, 0, 0]
        }
        let ports = try #require(try Self.event(packet(17)).ports)
        #expect(ports == (258, 772))
        #expect(try Self.event(packet(44)).ports == nil)
        #expect(try Self.event(Array(packet(17).prefix(43))).ports == nil)
    }
}
