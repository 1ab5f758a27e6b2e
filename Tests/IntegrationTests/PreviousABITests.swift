import BPF
import CPseudowireObject
import Foundation
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("a state that an earlier release has left", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct PreviousABITests {
    /// The object of the last release with ABI 3.
    private static func object() throws -> DatapathImage {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/pseudowire-abi3.bpf.o")
        return DatapathImage(Array(try Data(contentsOf: file)))
    }

    /// Makes of a state what that release would have made: its programs on the filters, its values in the maps.
    private static func age(_ manager: PseudowireManager) throws {
        let directory = manager.directory
        guard let lock = try StateLock(directory.base, .exclusive) else { return }
        var outcome: Result<Void, any Error> = .success(())
        try lock.hold { () throws(PseudowireError) in outcome = Result { try ageLocked(manager) } }
        try outcome.get()
    }

    private static func ageLocked(_ manager: PseudowireManager) throws {
        let directory = manager.directory
        let state = try DatapathState(directory)
        let file = try ObjectFile(image: object().octets, name: "abi3")
        try file.setConstant("has_decap_l3", to: UInt32(KernelProbe.hasDecapL3() ? 1 : 0))
        let shrunk: [DatapathObject.MapName: Int] = [.meta: 40, .ports: 24, .pseudowires: 160]
        for map in DatapathObject.MapName.allCases where map != .past {
            if shrunk[map] == nil {
                try file.reuse(RawMap(pinnedAt: directory.pin(map.rawValue)), forMap: map.rawValue)
            } else if let capacity = map.capacity(maxSessions: state.identity.maxSessions) {
                try file.setMaxEntries(capacity, ofMap: map.rawValue)
            }
        }
        let loaded = try file.load()
        try FileSystem.makeDirectory(directory.draft)
        for map in DatapathObject.MapName.allCases where map != .past {
            let target = try loaded.rawMap(map.rawValue)
            if let size = shrunk[map] {
                for (key, value) in try RawMap(pinnedAt: directory.pin(map.rawValue)).entries() {
                    var value = Array(value.prefix(size))
                    if map == .meta { value[4] = 3 }
                    if map == .pseudowires, let place = MemoryLayout<pw_record>.offset(of: \.attach) {
                        value[place] = 0
                    }
                    if map == .ports { value.replaceSubrange(4..<8, with: [0, 0, 0, 0]) }
                    try target.update(key: key, value: value)
                }
            }
            try target.pin(at: "\(directory.draft)/\(map.rawValue)")
        }
        for program in DatapathObject.carriers where program != DatapathObject.join {
            try loaded.program(program).pin(at: "\(directory.draft)/\(program)")
        }
        try ProgramLink(pinnedAt: directory.pin(DatapathObject.alive)).pin(
            at: "\(directory.draft)/\(DatapathObject.alive)")
        try UpgradeExchange.exchange(
            state.portList, state.identity, from: state.programs, to: DatapathPrograms(pinnedIn: directory.draft),
            manager)
        try FileSystem.exchange(directory.path, with: directory.draft)
        try StateDirectory.remove(directory.draft)
        // That release knew of no joiner.
        try Joiner.pair.remove(manager.client)
    }

    @Test(
        "is refused by every command but upgrade, which loses no frame, count, number or pseudowire",
        arguments: Cell.all)
    func upgraded(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell) {
            $0.attach = .clsact
            $0.session.sequencing = .both
            $0.session.sending = "0123456789abcdef"
            $0.session.expecting = ["0123456789abcdef"]
            $0.mtu = 1300
            $0.ttl = 9
        }
        try wire.expectPings()
        let before = try wire.first.export()
        let (nearBefore, farBefore) = try (Self.statistics(wire.first), Self.statistics(wire.second))
        let numbers = try #require(try wire.first.openState()?.sequences[1])
        try Self.age(wire.first)
        try wire.expectPings()
        let identity = try StateIdentity(at: wire.first.directory.path)
        #expect(identity.abi == 3 && identity.generation == 0 && identity.build == nil)
        let error = #expect(throws: PseudowireError.self) { _ = try wire.first.pseudowires() }
        #expect((error.map { "\($0)" } ?? "").contains("'pwctl upgrade' replaces it without losing one"))
        #expect(throws: PseudowireError.self) { try wire.first.teardown() }
        let plan = try wire.first.planUpgrade()
        #expect(!plan.isEmpty && plan.from.abi == 3 && plan.to.abi == StateIdentity.ownABI)
        #expect(Set(plan.maps.filter { !$0.isKept }.map(\.map)) == ["ports", "pseudowires", "past"])

        let outcome = try wire.streamingBothWays { try wire.first.upgrade() }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.health.state == .up, "\(found.health)")
        // How filters were attached nobody had asked: that is 'auto' now, and they stay where they are.
        var expected = before.pseudowires[0]
        expected.attach = .auto
        #expect(try wire.first.export().pseudowires == [expected])
        #expect(found.hooks.values.allSatisfy { $0 == .clsact } && found.hooks.count == 2)
        let (near, far) = try (Self.statistics(wire.first), Self.statistics(wire.second))
        // Counting went on where it was. Two frames that two CPUs number and send at once may overtake each other.
        #expect(
            near.txFrames - nearBefore.txFrames == far.rxFrames + far.rxDropped - farBefore.rxFrames
                - farBefore.rxDropped)
        #expect(
            far.txFrames - farBefore.txFrames == near.rxFrames + near.rxDropped - nearBefore.rxFrames
                - nearBefore.rxDropped)
        #expect(near.txFrames > nearBefore.txFrames + 1000)
        // So did numbering, on both sides: had it begun anew, frames would have been refused.
        let after = try #require(try wire.first.openState()?.sequences[1])
        #expect(after.send - numbers.send == near.txFrames - nearBefore.txFrames)
        #expect(after.receive != numbers.receive)
        #expect(try wire.first.planUpgrade().isEmpty)
        // What that release had not: it is made with the upgrade, and used from the next look on.
        let joiner = try #require(try Joiner.pair.find(wire.first.client))
        #expect(try wire.first.openState()?.identity.joiner == joiner)
        #expect(try wire.filterCount(on: LinkIndex(rawValue: joiner.inner), in: .edge1) == 1)
        try wire.first.refresh()
        #expect(try wire.first.pseudowire(named: "pw0").coalescesSegments)
        try wire.expectPings()
        try wire.takeDown()
    }

    private static func statistics(_ manager: PseudowireManager) throws -> Statistics {
        try manager.pseudowire(named: "pw0").statistics
    }

    @Test("an ABI from which there is no way is refused, with what to do")
    func tooOld() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { $0.attach = .clsact }
        try Self.age(wire.first)
        // A release before the oldest that there is a way from.
        let path = wire.first.directory.pin("meta")
        var meta = try #require(try RawMap(pinnedAt: path).value(of: [0, 0, 0, 0]))
        meta[4] = 2
        try RawMap(pinnedAt: path).update(key: [0, 0, 0, 0], value: meta)
        let error = #expect(throws: PseudowireError.self) { try wire.first.upgrade() }
        #expect((error.map { "\($0)" } ?? "").contains("there is no way from ABI 2"))
        meta[4] = 3
        try RawMap(pinnedAt: path).update(key: [0, 0, 0, 0], value: meta)
        try wire.first.upgrade()
        try wire.takeDown()
    }
}
