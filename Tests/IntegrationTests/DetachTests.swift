import Glibc
import Pseudowire
import PseudowireTestbed
import Testing

@Suite("ends that go away under a flood", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct DetachTests {
    @Test(
        "D13 to D16: what is not carried any more goes nowhere else, and the other end hears of it",
        arguments: Cell.all)
    func detached(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell)
        let underlay = try FrameTap(on: "veth21", in: wire.network.edge2)
        let near = try wire.streaming { try wire.first.remove("pw0") }
        // Some crossed before, and those after it are nobody's.
        #expect(near.lost > 0 && near.lost < near.sent, "\(near)")
        let bare = try underlay.frames().filter { $0.bytes.count > 14 && $0.bytes[12] == 0x88 && $0.bytes[13] == 0xb5 }
        #expect(bare.isEmpty)

        try wire.first.add(cell.configuration(at: .edge1))
        #expect(try wire.first.pseudowire(named: "pw0").health.sentence.contains("ICMP") == false)
        let far = try wire.streaming { try wire.second.remove("pw0") }
        #expect(far.lost > 0 && far.lost < far.sent, "\(far)")
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.statistics.drops.map(\.reason.identifier) == ["unreachable"])
        #expect(found.statistics.txDropped == 0)
        #expect(found.health.sentence.contains("ICMP says that packets do not reach the peer"))
        try wire.second.add(cell.configuration(at: .edge2))
        try wire.expectPings()
        try wire.takeDown()
    }
}
