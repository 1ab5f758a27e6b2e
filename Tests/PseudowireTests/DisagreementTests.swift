import CPseudowireObject
import Testing

@testable import Pseudowire

@Suite("what the last minute's packets say about the peer")
struct DisagreementTests {
    private static let now: UInt64 = 1_000_000_000_000

    private func judged(
        _ reason: pw_drop_reason, ago: UInt64 = 1, rxFrames: UInt64 = 0, isHeard: Bool = true,
        _ change: (inout PseudowireConfiguration) -> Void = { _ in }
    ) -> Disagreement {
        var wire = ValueTests.wires[0]
        change(&wire)
        var statistics = Statistics()
        statistics.rxFrames = rxFrames
        statistics.drops = [
            DropCount(
                reason: DropReason(rawValue: reason.rawValue), count: 1, lastSeen: Self.now - ago * 1_000_000_000)
        ]
        return Disagreement(wire, statistics, isHeard: isHeard, now: Self.now)
    }

    @Test("a mismatch is named with its cure, for a minute")
    func mismatches() {
        #expect(judged(PW_DROP_SUBLAYER_MISMATCH).fatal?.contains("uses no L2-specific sublayer") == true)
        let other = judged(PW_DROP_SUBLAYER_MISMATCH) { $0.session.sublayer = .none }
        #expect(other.fatal?.contains("uses the default L2-specific sublayer") == true)
        #expect(judged(PW_DROP_COOKIE_LENGTH).fatal?.contains("--expect-cookie") == true)
        #expect(judged(PW_DROP_SEQUENCE_MISSING).fatal?.contains("--sequence") == true)
        #expect(judged(PW_DROP_VLAN) { $0.vlan = .id(100) }.fatal?.contains("VLAN 100") == true)
        #expect(judged(PW_DROP_SUBLAYER_MISMATCH, ago: 59).fatal != nil)
        #expect(judged(PW_DROP_SUBLAYER_MISMATCH, ago: 60).fatal == nil)
    }

    @Test("a wrong cookie means something only if no right one ever came")
    func cookie() {
        #expect(judged(PW_DROP_COOKIE).fatal != nil)
        #expect(judged(PW_DROP_COOKIE, rxFrames: 1).fatal == nil)
    }

    @Test("numbers that nobody asked for are only remarked upon; other drops say nothing")
    func harmless() {
        let unexpected = judged(PW_DROP_SEQUENCE_UNEXPECTED)
        #expect(unexpected.fatal == nil)
        #expect(unexpected.remarks.count == 1)
        let route = judged(PW_DROP_NO_ROUTE)
        #expect(route.fatal == nil)
        #expect(route.remarks.isEmpty)
    }

    @Test("a peer that ICMP calls unreachable is called so until a frame of its comes, for a minute")
    func unreachable() {
        #expect(judged(PW_DROP_UNREACHABLE, isHeard: false).remarks.first?.contains("do not reach the peer") == true)
        #expect(judged(PW_DROP_UNREACHABLE, ago: 60, isHeard: false).remarks.isEmpty)
        #expect(judged(PW_DROP_UNREACHABLE, isHeard: true).remarks.isEmpty)
    }
}
