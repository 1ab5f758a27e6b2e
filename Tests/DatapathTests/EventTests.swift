import BPF
import CPseudowireObject
import Glibc
import InternetAddress
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

@Suite("events", .enabled(if: geteuid() == 0, "needs root"))
struct EventTests {
    @Test("a refused packet is shown as it came; a flood of them is counted, not shown", arguments: Cell.basic)
    func reported(cell: Cell) throws {
        let object = try DatapathObject.open(maxSessions: 16).load()
        let decap = try object.program(DatapathObject.decap)
        let sessions: Map<UInt32, pw_decap> = try object.map("sessions")
        let drops: Map<UInt32, UInt64> = try object.map("drops")
        let events: Map<Nothing, Nothing> = try object.map("events")
        try sessions.update(key: 1012, value: pw_decap(cell.configuration, slot: 1, access: 1))
        let reader = try RingBufferReader(descriptor: events.fileDescriptor, name: "events")
        #expect(try reader.records().isEmpty)

        var codec = cell.codec(outbound: false)
        codec.outer.source = cell.family == .v4 ? "192.0.2.99" : "2001:db8::99"
        let packet = try codec.encapsulate(frame: Sample.all[3].frame)
        _ = try decap.testRun(cell.ethernet + packet)
        let event = try #require(try reader.records().compactMap(PacketEvent.init(record:)).first)
        #expect(event.reason.identifier == "source_address")
        #expect(event.session == 1012)
        #expect(event.addresses?.source == codec.outer.source)
        #expect(event.addresses?.destination == codec.outer.destination)
        #expect(event.ports?.destination == (cell.encapsulation == .udp ? 1701 : nil))
        #expect(event.length == packet.count)
        #expect(event.octets == Array(packet.prefix(64)))

        var unknown = cell.codec(outbound: false)
        unknown.header.session = 4711
        unknown.outer.destinationPort = cell.encapsulation == .udp ? 1701 : 0
        let other = cell.ethernet + (try unknown.encapsulate(frame: Sample.all[0].frame))
        for _ in 0..<1000 { _ = try decap.testRun(other) }
        let shown = try reader.records().compactMap(PacketEvent.init(record:))
        #expect(shown.allSatisfy { $0.reason.identifier == "unknown_session" && $0.session == 4711 })
        // A thousand take less than a second or two, on one CPU or the other.
        #expect(shown.count >= Int(PW_EVENTS_PER_SECOND) && shown.count <= 8 * Int(PW_EVENTS_PER_SECOND))
        let reason = try #require(DropReason.allCases.first { $0.identifier == "unknown_session" })
        #expect(try (drops.valuesPerCPU(of: reason.rawValue) ?? []).reduce(0, +) == 1000)
    }
}
