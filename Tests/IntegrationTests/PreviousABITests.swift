import BPF
import CPseudowireObject
import Foundation
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("a state that an earlier release has left", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct PreviousABITests {
    /// The last release with an ABI.
    struct Release: Sendable, CustomTestStringConvertible {
        let abi: UInt32
        /// Maps whose values were shorter, or said the ABI.
        let sizes: [DatapathObject.MapName: Int]
        let absentMaps: Set<DatapathObject.MapName>
        let absentPrograms: Set<String>
        /// What an upgrade from it cannot keep.
        let renewed: Set<String>

        var testDescription: String { "ABI \(abi)" }

        func object() throws -> DatapathImage {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/pseudowire-abi\(abi).bpf.o")
            return DatapathImage(Array(try Data(contentsOf: file)))
        }

        private static let xdp: Set<String> = [DatapathObject.encapXDP, DatapathObject.decapXDP]
        static let all = [
            Release(
                abi: 3, sizes: [.meta: 40, .ports: 24, .pseudowires: 160], absentMaps: [.past],
                absentPrograms: xdp.union([DatapathObject.join]), renewed: ["ports", "pseudowires", "past"]),
            Release(
                abi: 4, sizes: [.meta: MemoryLayout<pw_meta>.size], absentMaps: [], absentPrograms: xdp, renewed: []),
        ]
    }

    /// Makes of a state what that release would have made: its programs on the filters, its values in the maps.
    private static func age(_ manager: PseudowireManager, to release: Release) throws {
        let directory = manager.directory
        guard let lock = try StateLock(directory.base, .exclusive) else { return }
        var outcome: Result<Void, any Error> = .success(())
        try lock.hold { () throws(PseudowireError) in outcome = Result { try ageLocked(manager, release) } }
        try outcome.get()
    }

    private static func ageLocked(_ manager: PseudowireManager, _ release: Release) throws {
        let directory = manager.directory
        let state = try DatapathState(directory)
        let file = try ObjectFile(image: release.object().octets, name: "abi\(release.abi)")
        try file.setConstant("has_decap_l3", to: UInt32(KernelProbe.hasDecapL3() ? 1 : 0))
        let shrunk = release.sizes
        let maps = DatapathObject.MapName.allCases.filter { !release.absentMaps.contains($0) }
        for map in maps {
            if shrunk[map] == nil {
                try file.reuse(RawMap(pinnedAt: directory.pin(map.rawValue)), forMap: map.rawValue)
            } else if let capacity = map.capacity(maxSessions: state.identity.maxSessions) {
                try file.setMaxEntries(capacity, ofMap: map.rawValue)
            }
        }
        let loaded = try file.load()
        try FileSystem.makeDirectory(directory.draft)
        for map in maps {
            let target = try loaded.rawMap(map.rawValue)
            if let size = shrunk[map] {
                for (key, value) in try RawMap(pinnedAt: directory.pin(map.rawValue)).entries() {
                    var value = Array(value.prefix(size))
                    if map == .meta { value[4] = UInt8(release.abi) }
                    if map == .pseudowires, let place = MemoryLayout<pw_record>.offset(of: \.attach) {
                        value[place] = 0
                    }
                    if map == .ports { value.replaceSubrange(4..<8, with: [0, 0, 0, 0]) }
                    try target.update(key: key, value: value)
                }
            }
            try target.pin(at: "\(directory.draft)/\(map.rawValue)")
        }
        for program in DatapathObject.carriers where !release.absentPrograms.contains(program) {
            try loaded.program(program).pin(at: "\(directory.draft)/\(program)")
        }
        try ProgramLink(pinnedAt: directory.pin(DatapathObject.alive)).pin(
            at: "\(directory.draft)/\(DatapathObject.alive)")
        try UpgradeExchange.exchange(
            state.portList, state.identity, from: state.programs, to: DatapathPrograms(pinnedIn: directory.draft),
            manager)
        try FileSystem.exchange(directory.path, with: directory.draft)
        try StateDirectory.remove(directory.draft)
        if release.absentPrograms.contains(DatapathObject.join) { try Joiner.pair.remove(manager.client) }
    }

    @Test(
        "is refused by every command but upgrade, which loses no frame, count, number or pseudowire",
        arguments: Cell.all, Release.all)
    func upgraded(cell: Cell, release: Release) throws {
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
        try Self.age(wire.first, to: release)
        try wire.expectPings()
        let identity = try StateIdentity(at: wire.first.directory.path)
        #expect(identity.abi == release.abi && identity.generation == 0 && (identity.build == nil) == (release.abi < 4))
        let error = #expect(throws: PseudowireError.self) { _ = try wire.first.pseudowires() }
        #expect((error.map { "\($0)" } ?? "").contains("'pwctl upgrade' replaces it without losing one"))
        #expect(throws: PseudowireError.self) { try wire.first.teardown() }
        let plan = try wire.first.planUpgrade()
        #expect(!plan.isEmpty && plan.from.abi == release.abi && plan.to.abi == StateIdentity.ownABI)
        #expect(Set(plan.maps.filter { !$0.isKept }.map(\.map)) == release.renewed)

        let outcome = try wire.streamingBothWays { try wire.first.upgrade() }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.health.state == .up, "\(found.health)")
        // How filters were attached nobody had asked before ABI 4: that is 'auto' now, and they stay where they are.
        var expected = before.pseudowires[0]
        if release.abi < 4 { expected.attach = .auto }
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
        // What an earlier release had not: it is made with the upgrade, and used from the next look on.
        let joiner = try #require(try Joiner.pair.find(wire.first.client))
        #expect(try wire.first.openState()?.identity.joiner == joiner)
        #expect(try wire.filterCount(on: LinkIndex(rawValue: joiner.inner), in: .edge1) == 1)
        try wire.first.refresh()
        #expect(try wire.first.pseudowire(named: "pw0").coalescesSegments)
        // So are XDP programs, where they are asked for.
        var changes = PseudowireOptions(name: "pw0")
        changes.attach = "xdp"
        try wire.first.execute(try wire.first.plan(changing: changes))
        #expect(try wire.first.pseudowire(named: "pw0").acceleration.values.allSatisfy(\.isOn))
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
        try Self.age(wire.first, to: Release.all[0])
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
