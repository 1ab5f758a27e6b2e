import BPF
import CPseudowireObject
import Foundation
import InternetAddress
import L2TP
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("replacing the datapath while it carries frames", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct UpgradeTests {
    /// How many times the filters' programs are exchanged under load.
    private static let swaps = ProcessInfo.processInfo.environment["UPGRADE_SWAPS"].flatMap(Int.init) ?? 10_000

    static let hooks: [PseudowireConfiguration.Attach] =
        AttachmentHook.hasTCX ? [.clsact, .tcx] : [.clsact]

    @Test("no frame is lost while programs are exchanged thousands of times, in either direction", arguments: hooks)
    func swaps(attach: PseudowireConfiguration.Attach) throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0]) { $0.attach = attach }
        let manager = wire.first
        let upgrade = try Upgrade(manager, to: .embedded)
        try Self.locked(manager) { try upgrade.stage(.embedded) }
        let old = try DatapathState(manager.directory)
        let new = try DatapathState(manager.directory, at: manager.directory.successor)
        let ports = try old.portList
        #expect(ports.count == 2)
        var (done, sent) = (0, 0)
        while done < Self.swaps {
            // Not for longer than the receivers' queues last.
            let end = ContinuousClock.now.advanced(by: .seconds(8))
            let outcome = try wire.streamingBothWays {
                while done < Self.swaps, ContinuousClock.now < end {
                    let (from, to) = done % 2 == 0 ? (old.programs, new.programs) : (new.programs, old.programs)
                    try UpgradeExchange.exchange(ports, old.identity, from: from, to: to, manager)
                    done += 1
                    if done % 997 == 0 {
                        for (interface, port) in ports {
                            for role in [Attachment.Role.access, .underlay] {
                                guard let hook = port[role] else { continue }
                                let present = try Attachment.programID(role, on: interface, at: hook, manager)
                                #expect(present == (role == .access ? to.encap.id : to.decap.id))
                            }
                        }
                    }
                }
            }
            #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
            sent += outcome.out.sent + outcome.back.sent
        }
        print("SEE \(attach.rawValue): \(done) times \(ports.count + 2) filters exchanged under \(sent) frames")
        if done % 2 == 1 {
            try UpgradeExchange.exchange(ports, old.identity, from: new.programs, to: old.programs, manager)
        }
        try StateDirectory.remove(manager.directory.successor)
        try wire.expectPings()
        try wire.takeDown()
    }

    /// What one end has sent the other one has taken in, in both directions.
    private static func expectConserved(_ wire: borrowing Wire, _ location: SourceLocation = #_sourceLocation) throws {
        let near = try wire.first.pseudowire(named: "pw0").statistics
        let far = try wire.second.pseudowire(named: "pw0").statistics
        #expect(near.txFrames == far.rxFrames + far.rxDropped, sourceLocation: location)
        #expect(far.txFrames == near.rxFrames + near.rxDropped, sourceLocation: location)
        #expect(near.txOctets == far.rxOctets && far.txOctets == near.rxOctets, sourceLocation: location)
    }

    @Test("whole upgrades lose no frame and no count, whichever maps have to be made anew", arguments: Cell.all, hooks)
    func upgrades(cell: Cell, attach: PseudowireConfiguration.Attach) throws {
        let wire = try Wire()
        try wire.connect(cell) {
            $0.attach = attach
            $0.session.sequencing = .both
            $0.session.expecting = ["01234567"]
            $0.session.sending = "01234567"
        }
        let all = Set(DatapathObject.MapName.allCases)
        let outcome = try wire.streamingBothWays {
            for renewing in [[], all, all] {
                try wire.first.upgrade(to: .embedded, renewing: renewing)
                try wire.second.upgrade(to: .embedded, renewing: renewing)
            }
        }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        try Self.expectConserved(wire)
        let found = try wire.first.pseudowire(named: "pw0")
        #expect(found.health.state == .up, "\(found.health)")
        #expect(found.statistics.txFrames >= UInt64(outcome.out.sent))
        #expect(found.statistics.rxFrames >= UInt64(outcome.back.sent))
        // The lead that the new datapath takes over the old one's numbers is a gap to the peer, and nothing worse.
        #expect(Set(found.statistics.drops.map(\.reason.identifier)).isSubset(of: ["sequence_gap"]))
        #expect(found.statistics.rxDropped == 0)
        let identity = try StateIdentity(at: wire.first.directory.path)
        #expect(identity.generation == 3)
        #expect(identity.build == DatapathImage.embedded.build)
        #expect(!FileSystem.exists(wire.first.directory.successor))
        // A slot that is given away takes none of the past with it.
        try wire.first.remove("pw0")
        try wire.second.remove("pw0")
        try wire.takeDown()
    }

    @Test("a count made before an upgrade is there afterwards, reasons included, and is forgotten with its pseudowire")
    func past() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        // A second one keeps the state when the first goes.
        var other = Cell.all[0].configuration(at: .edge1)
        other.name = "pw1"
        other.session.local = 77
        other.access = "veth10"
        other.vlan = .id(9)
        try wire.first.remove("pw0")
        var one = Cell.all[0].configuration(at: .edge1)
        one.vlan = .none
        one.session.expecting = ["01234567"]
        try wire.first.add(one)
        try wire.first.add(other)
        // The peer sends no cookie: everything is dropped, and counted.
        _ = try Echo(to: FourNamespaces.Place.host0.address(.v4), count: 3, timeout: .milliseconds(200))
            .run(in: wire.network.host3)
        let before = try wire.first.pseudowire(named: "pw0").statistics
        #expect(before.rxDropped >= 1)
        let totals = try wire.first.namespaceDrops()
        for _ in 0..<3 {
            try wire.first.upgrade(to: .embedded, renewing: [.counters, .drops, .sessionDrops])
            let after = try wire.first.pseudowire(named: "pw0").statistics
            #expect(after.rxDropped >= before.rxDropped && after.rxDropped < before.rxDropped + 20)
            #expect(after.drops.map(\.reason) == before.drops.map(\.reason))
            #expect(after.drops.map(\.count).reduce(0, +) == after.rxDropped)
            #expect(try wire.first.namespaceDrops().map(\.reason) == totals.map(\.reason))
        }
        try wire.first.remove("pw0")
        try wire.first.add(one)
        #expect(try wire.first.pseudowire(named: "pw0").statistics.rxDropped < 20)
        #expect(try wire.first.openState()?.countedBefore().counters[1] == nil)
        try wire.takeDown()
    }

    @Test("a datapath that writes one octet otherwise fails its proof, and nothing has changed")
    func defect() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let manager = wire.first
        let before = try Self.census(manager)
        let defective = try Self.compiled(
            replacing: "__builtin_memset(eth, 0, 12)", by: "__builtin_memset(eth, 2, 12)", in: "headers.h")
        let outcome = try wire.streamingBothWays {
            let error = #expect(throws: PseudowireError.self) { try manager.upgrade(to: defective) }
            let sentence = error.map { "\($0)" } ?? ""
            #expect(sentence.contains("failed its proof"))
            #expect(sentence.contains("pw_encap writes 2 at octet 0, not 0"), "\(sentence)")
        }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0)
        #expect(try Self.census(manager) == before)
        // One that the verifier refuses, and one that is no object at all.
        let refused = try Self.compiled(
            replacing: "if ((void *)(eth + 1) > end)\n        return PW_DROP_NO_ROOM;", by: "", in: "headers.h")
        #expect(throws: PseudowireError.self) { try manager.upgrade(to: refused) }
        #expect(throws: PseudowireError.self) { try manager.upgrade(to: DatapathImage([1, 2, 3])) }
        #expect(try Self.census(manager) == before)
        try wire.takeDown()
    }

    @Test("a state of a later release is refused by every command, with what to do, and is left alone")
    func later() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let manager = wire.first
        let state = try #require(try manager.openState())
        var meta = try state.description
        meta.abi_version += 1
        try state.meta.update(key: 0, value: meta)
        let before = try Self.census(manager)
        for attempt: () throws -> Void in [
            { try manager.upgrade() }, { _ = try manager.planUpgrade() }, { _ = try manager.pseudowires() },
            { try manager.remove("pw0") }, { try manager.teardown() },
        ] {
            let error = #expect(throws: PseudowireError.self) { try attempt() }
            #expect((error.map { "\($0)" } ?? "").contains("of a later release"))
        }
        #expect(try Self.census(manager) == before)
        try wire.expectPings()
        meta.abi_version -= 1
        try state.meta.update(key: 0, value: meta)
        try wire.takeDown()
    }

    @Test("a build that knows more reasons, and back: refused while that would lose a count")
    func reasons() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let richer = try Self.withAnotherReason()
        let outcome = try wire.streamingBothWays {
            try wire.first.upgrade(to: richer)
            let state = try #require(try wire.first.openState())
            let known = PW_DROP_REASON_COUNT.rawValue
            #expect(state.drops.info.maxEntries == known + 1)
            #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
            try state.drops.updateOnEveryCPU(key: known, value: 1)
            let before = try Self.census(wire.first)
            let error = #expect(throws: PseudowireError.self) { try wire.first.upgrade(to: .embedded) }
            #expect((error.map { "\($0)" } ?? "").contains("reasons that this release does not know"))
            #expect(try Self.census(wire.first) == before)
            try state.drops.updateOnEveryCPU(key: known, value: 0)
            try wire.first.upgrade(to: .embedded)
        }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        #expect(try StateIdentity(at: wire.first.directory.path).generation == 2)
        try wire.takeDown()
    }

    @Test("a record that this release cannot read is refused before anything is done")
    func unreadable() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let state = try #require(try wire.first.openState())
        let record = try #require(try state.pseudowires[pw_name("pw0")])
        var strange = record
        strange.attach = 9
        try state.pseudowires.update(key: pw_name("pw0"), value: strange)
        let before = try Self.census(wire.first)
        let error = #expect(throws: PseudowireError.self) { try wire.first.upgrade(evenIfCurrent: true) }
        #expect((error.map { "\($0)" } ?? "").contains("pw0 has options that this release does not know"))
        #expect(try Self.census(wire.first) == before)
        try state.pseudowires.update(key: pw_name("pw0"), value: record)
        try wire.takeDown()
    }

    /// Where a command that upgrades may be killed.
    enum Death: CaseIterable {
        case staging, staged, begun, halfExchanged, exchanged, carriedOver, committed
    }

    @Test("a command killed anywhere leaves the old datapath or the new one, and the next command makes it one of them")
    func killed() throws {
        for renewing in [[], Set(DatapathObject.MapName.allCases)] {
            for death in Death.allCases {
                let wire = try Wire()
                try wire.connect(Cell.all[0])
                try wire.expectPings()
                let outcome = try wire.streamingBothWays {
                    try Self.locked(wire.first) { try Self.die(at: death, wire.first, renewing) }
                    try wire.expectPings(sizes: [56], "between")
                    // Any command that changes something, or nothing.
                    try wire.first.refresh()
                }
                #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(death) \(outcome)")
                let found = try wire.first.pseudowire(named: "pw0")
                #expect(found.health.state == .up, "\(death): \(found.health)")
                let identity = try StateIdentity(at: wire.first.directory.path)
                let isOld = death == .staging || death == .staged
                #expect(identity.generation == (isOld ? 0 : 1), "\(death)")
                #expect(identity.upgrade == UInt32(PW_UPGRADE_NONE))
                #expect(!FileSystem.exists(wire.first.directory.successor), "\(death)")
                #expect(!FileSystem.exists(wire.first.directory.draft), "\(death)")
                try Self.expectConserved(wire)
                try wire.takeDown()
            }
        }
    }

    /// As commands do it: others may remove what is half made.
    private static func locked(_ manager: PseudowireManager, _ body: () throws -> Void) throws {
        var outcome: Result<Void, any Error> = .success(())
        guard let lock = try StateLock(manager.directory.base, .exclusive) else { return }
        try lock.hold { () throws(PseudowireError) in outcome = Result(catching: body) }
        try outcome.get()
    }

    @Test(
        "a process killed at any point, or refused by the kernel there: every command finds the old datapath or the new one"
    )
    func processKilled() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let command = FaultCommand("upgrade", in: wire.network.path(of: .edge1))
        let points = try command.points()
        #expect(
            Set(points).isSuperset(of: [
                .upgradeProved, .upgradeStaged, .upgradeBegun, .filterExchanged, .upgradeCarried, .upgradeCommitted,
                .upgradeReaped,
            ]))
        #expect(points.filter { $0 == .filterExchanged }.count == 4)
        var generation: UInt64 = 1
        let outcome = try wire.streamingBothWays {
            for number in points.indices {
                for mode in [FaultCommand.Mode.kill(number), .fail(number), .failFrom(number)] {
                    let place = "\(mode) at \(points[number])"
                    let outcome = try command.run(mode)
                    if case .kill = mode {
                        #expect(outcome.wasKilled, "\(place)")
                    } else {
                        #expect(outcome.status == 1, "\(place): \(outcome)")
                    }
                    // Whoever only looks is served, and all filters carry frames.
                    #expect(try wire.first.pseudowires().count == 1, "\(place)")
                    try wire.first.refresh()
                    let found = try wire.first.pseudowire(named: "pw0")
                    #expect(found.health.state == .up, "\(place): \(found.health)")
                    let identity = try StateIdentity(at: wire.first.directory.path)
                    #expect(identity.generation == generation || identity.generation == generation + 1, "\(place)")
                    #expect(identity.upgrade == UInt32(PW_UPGRADE_NONE), "\(place)")
                    #expect(!FileSystem.exists(wire.first.directory.successor), "\(place)")
                    #expect(!FileSystem.exists(wire.first.directory.draft), "\(place)")
                    generation = identity.generation
                }
            }
        }
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        try Self.expectConserved(wire)
        try wire.takeDown()
    }

    private static func die(
        at death: Death, _ manager: PseudowireManager, _ renewing: Set<DatapathObject.MapName>
    ) throws {
        let directory = manager.directory
        let upgrade = try Upgrade(manager, to: .embedded, renewing: renewing)
        if death == .staging {
            try FileSystem.makeDirectory(directory.draft)
            try DatapathObject.open(maxSessions: 16).load().program(DatapathObject.encap)
                .pin(at: "\(directory.draft)/\(DatapathObject.encap)")
            return
        }
        try upgrade.stage(.embedded)
        if death == .staged { return }
        try upgrade.begin()
        if death == .begun { return }
        let new = try DatapathState(directory, at: directory.successor)
        let old = try DatapathPrograms(pinnedIn: directory.path)
        var ports = try new.portList
        if death == .halfExchanged { ports = ports.filter { $0.value[.underlay] != nil } }
        let exchange = try UpgradeExchange(manager)
        let counts = UpgradeCounts(
            from: directory.path, abi: StateIdentity.ownABI, to: new, exchange.renewed)
        try counts.startNumbers()
        try UpgradeExchange.exchange(ports, new.identity, from: old, to: new.programs, manager)
        if death == .halfExchanged || death == .exchanged { return }
        usleep(100_000)
        try counts.carryOver()
        if death == .carriedOver { return }
        try FileSystem.exchange(directory.path, with: directory.successor)
    }

    /// What must not change: which programs run where, which pins there are and what for, what the maps say.
    private static func census(_ manager: PseudowireManager) throws -> [String] {
        let directory = manager.directory
        var lines: [String] = []
        for name in try FileSystem.entries(of: directory.base)
        where name.hasSuffix(String(directory.namespaceCookie, radix: 16)) {
            for pin in try FileSystem.entries(of: "\(directory.base)/\(name)") {
                let path = "\(directory.base)/\(name)/\(pin)"
                if let map = try? RawMap(pinnedAt: path) { lines.append("\(path) map \(map.info.id)") }
                if let program = try? Program(pinnedAt: path) { lines.append("\(path) program \(program.id)") }
                if let link = try? ProgramLink(pinnedAt: path) {
                    lines.append("\(path) link \(try link.info().id) \(try link.info().programID)")
                }
            }
        }
        for link in try manager.client.links.list() {
            let filters = try manager.client.filters.list(at: TrafficHook(link: link.index, direction: .ingress))
            lines += filters.map { "\(link.name) \($0.priority) \($0.handle) \($0.programID ?? 0)" }
        }
        return lines
    }

    /// A build that knows one drop reason more.
    static func withAnotherReason() throws -> DatapathImage {
        let last = "X(UNREACHABLE, \"seen\", \"ICMP says that packets do not reach the peer\")"
        return try compiled(replacing: last, by: last + " X(NEWER, \"rx\", \"later\")", in: "abi/pseudowire_abi.h")
    }

    /// The datapath, compiled anew with something in it changed.
    static func compiled(replacing text: String, by other: String, in file: String) throws -> DatapathImage {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../")
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("upgrade-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        try FileManager.default.copyItem(at: root.appendingPathComponent("bpf"), to: scratch)
        let source = scratch.appendingPathComponent(file)
        let before = try String(contentsOf: source, encoding: .utf8)
        let after = before.replacingOccurrences(of: text, with: other)
        try #require(after != before)
        try after.write(to: source, atomically: true, encoding: .utf8)
        let object = scratch.appendingPathComponent("changed.o")
        let make = Process()
        make.executableURL = URL(fileURLWithPath: "/usr/bin/make")
        make.arguments = ["-s", "-C", scratch.path, "OUT=\(object.path)"]
        try make.run()
        make.waitUntilExit()
        try #require(make.terminationStatus == 0)
        return DatapathImage(Array(try Data(contentsOf: object)))
    }
}
