import CPseudowireObject
import Foundation
import Glibc
import L2TP
import PseudowireTestbed
import Testing

@testable import Pseudowire

/// pwctl, killed at any instant whatever: also between two instructions of one step, or in the kernel.
@Suite("commands that are killed at random instants", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct RandomKillTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// FAULT_ROUNDS=1000 takes minutes.
    private static let rounds = environment["FAULT_ROUNDS"].flatMap { Int($0) } ?? 100
    private static let seed = environment["FAULT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)
    private static let pwctl = environment["PWCTL"] ?? ".build/release/pwctl"

    /// The same numbers for the same seed: SplitMix64.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = state
            word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
            return word ^ word >> 31
        }
    }

    /// One command line, and what it makes of the pseudowires that there are.
    private struct Command {
        let words: [String]
        let document: PseudowireDocument?
        let after: Set<PseudowireConfiguration>
        /// Another build's object, for an upgrade to that one: pwctl knows only its own.
        var object: String?

        var isUpgrade: Bool { words.first == "upgrade" }
        /// Commands that take about the same time.
        var kind: String { (words.first ?? "") + (object == nil ? "" : " to another build") }
    }

    private final class Victims {
        let others: Set<PseudowireConfiguration>
        /// What can be there: some on ports, some with interfaces, some by VLAN.
        let choice: [PseudowireConfiguration]
        /// The object of a build with a drop reason more, for which counts must move to another map, and back.
        private let object = FileManager.default.temporaryDirectory
            .appendingPathComponent("pwfault-\(UUID().uuidString).bpf.o")

        init(hasBystander: Bool) throws {
            try Data(UpgradeTests.withAnotherReason().octets).write(to: object)
            others = hasBystander ? [FaultScenario.bystander] : []
            choice = [
                FaultScenario.wire("v0", access: "acc0", session: 20) { $0.underlays = ["veth12", "und0"] },
                FaultScenario.wire("v1", access: "acc1", session: 21),
                FaultScenario.wire("v2", access: "lan0", session: 22) { $0.makesInterface = true },
                FaultScenario.wire("v3", access: "lan1", session: 23) { $0.makesInterface = true },
                FaultScenario.wire("v4", access: "veth10", session: 24) { $0.vlan = .id(4) },
                FaultScenario.wire("v5", access: "veth10", session: 25) { $0.vlan = .id(5) },
            ]
        }

        deinit { try? FileManager.default.removeItem(at: object) }

        func command(_ present: Set<PseudowireConfiguration>, _ numbers: inout Numbers) -> Command {
            let names = Set(present.map(\.name))
            let missing = choice.filter { !names.contains($0.name) }
            let ours = present.subtracting(others)
            switch Int.random(in: 0..<7, using: &numbers) {
            case 0, 1:
                guard let wire = missing.randomElement(using: &numbers) else { break }
                return Command(words: Self.create(wire), document: nil, after: present.union([wire]))
            case 2:
                guard let wire = ours.sorted(by: { $0.name < $1.name }).randomElement(using: &numbers) else { break }
                var changed = wire
                changed.ttl = UInt8.random(in: 1...250, using: &numbers)
                changed.dscp = .fixed(UInt8.random(in: 0...63, using: &numbers))
                return Command(
                    words: [
                        "set", wire.name, "--ttl", "\(changed.ttl)", "--dscp",
                        PseudowireOptions(changed)[.dscp].first ?? "0",
                    ],
                    document: nil, after: present.subtracting([wire]).union([changed]))
            case 3:
                let leaving = ours.filter { _ in Bool.random(using: &numbers) }
                guard !leaving.isEmpty else { break }
                return Command(
                    words: ["delete"] + leaving.map(\.name).sorted(), document: nil, after: present.subtracting(leaving)
                )
            case 4 where others.isEmpty: return Command(words: ["teardown"], document: nil, after: [])
            case 5 where !present.isEmpty:
                let isOther = Bool.random(using: &numbers)
                return Command(
                    words: ["upgrade"] + (isOther ? [] : ["--force"]), document: nil, after: present,
                    object: isOther ? object.path : nil)
            default: break
            }
            var wanted = choice.filter { _ in Bool.random(using: &numbers) }
            for index in wanted.indices where Bool.random(using: &numbers) {
                wanted[index].ttl = UInt8.random(in: 1...250, using: &numbers)
            }
            let after = others.union(wanted)
            return Command(words: ["apply", "-"], document: PseudowireDocument(Array(after)), after: after)
        }

        private static func create(_ wire: PseudowireConfiguration) -> [String] {
            let options = PseudowireOptions(wire)
            return ["create", wire.name]
                + PseudowireOption.allCases.flatMap { option in
                    options[option].flatMap { ["--\(option.rawValue)", $0] }
                }
        }
    }

    @Test("under traffic; every fifty times everything is looked at", arguments: [true, false])
    func rounds(hasBystander: Bool) throws {
        print("FAULT_SEED=\(Self.seed) FAULT_ROUNDS=\(Self.rounds)")
        let arena = try FaultArena(
            FaultScenario(
                testDescription: "random", verb: "refresh", before: [], after: [], hasBystander: hasBystander))
        let victims = try Victims(hasBystander: hasBystander)
        var numbers = Numbers(state: Self.seed &+ (hasBystander ? 1 : 0))
        var present = victims.others
        var usual: [String: Double] = [:]
        var killed = 0
        var finished = 0
        var upgrades = Upgrades()
        var done = 0
        while done < Self.rounds / 2 {
            try undisturbed(arena) {
                for _ in 0..<min(10, Self.rounds / 2 - done) {
                    done += 1
                    let command = victims.command(present, &numbers)
                    let kind = command.kind
                    let generation = try identity(arena)?.generation
                    let place = "round \(done), seed \(Self.seed): \(command.words.joined(separator: " "))"
                    let process = try start(command, arena)
                    // One in eight lives; of the others half are killed at any instant of their usual time, half while
                    // they change something.
                    let isSpared = usual[kind] == nil || Int.random(in: 0..<8, using: &numbers) == 0
                    let instant = Double.random(in: 0...1, using: &numbers)
                    let isAimed = Bool.random(using: &numbers)
                    if !isSpared {
                        let usual = usual[kind] ?? 0.1
                        if isAimed { waitForChange(arena, command, atMost: usual) }
                        // An upgrade tries the new datapath for most of its time.
                        let share = isAimed ? (command.isUpgrade ? 0.1 : 0.3) : 1
                        usleep(UInt32(instant * usual * share * 1_000_000))
                        process.kill()
                    }
                    let outcome = process.wait()
                    if outcome.wasKilled {
                        killed += 1
                    } else {
                        #expect(outcome.status == 0, "\(place): \(outcome.errors)")
                        usual[kind] = usual[kind].map { ($0 * 3 + process.duration) / 4 } ?? process.duration
                    }
                    _ = try arena.manager.pseudowires()
                    let isBegun = try identity(arena)?.upgrade == UInt32(PW_UPGRADE_BEGUN)
                    if try isBegun || arena.manager.unfinished() != nil { finished += 1 }
                    if command.isUpgrade { upgrades.count(outcome.wasKilled, isBegun: isBegun) }
                    try arena.manager.refresh()
                    try expectWhole(arena, place)
                    if command.isUpgrade, let before = generation, let now = try identity(arena)?.generation {
                        let isNew = now == before + 1
                        #expect(isNew || now == before && outcome.wasKilled && !isBegun, "\(place): \(before), \(now)")
                    }
                    let found = Set(try arena.manager.export().pseudowires)
                    let isOld = found == present
                    #expect(isOld || found == command.after, "\(place)")
                    if !outcome.wasKilled { #expect(found == command.after, "\(place)") }
                    present = found
                    #expect(try arena.manager.pseudowires().allSatisfy { $0.health.state != .broken }, "\(place)")
                }
            }
            if done % 50 == 0 { try count(arena, present) }
        }
        print("\(done) commands, \(killed) of them killed, \(finished) of them in the middle; \(upgrades)")
        #expect(killed > done / 4 && finished > 0)
        try arena.takeDown()
    }

    /// What became of the upgrades among the commands.
    private struct Upgrades: CustomStringConvertible {
        private var all = 0
        private var killed = 0
        private var begun = 0

        mutating func count(_ wasKilled: Bool, isBegun: Bool) {
            all += 1
            if wasKilled { killed += 1 }
            if isBegun { begun += 1 }
        }

        var description: String { "\(all) upgrades, \(killed) killed, \(begun) while filters were exchanged" }
    }

    /// While the bystander carries frames both ways, loses none, and counts each.
    private func undisturbed(_ arena: FaultArena, _ body: () throws -> Void) throws {
        guard arena.scenario.hasBystander else { return try body() }
        func counts() throws -> (out: [UInt64], back: [UInt64]) {
            let near = try arena.wire.first.pseudowire(named: "pw0").statistics
            let far = try arena.wire.second.pseudowire(named: "pw0").statistics
            return ([near.txFrames, far.rxFrames + far.rxDropped], [far.txFrames, near.rxFrames + near.rxDropped])
        }
        let before = try counts()
        let outcome = try arena.wire.streamingBothWays(during: body)
        #expect(outcome.out.lost == 0 && outcome.back.lost == 0, "\(outcome)")
        let after = try counts()
        for (before, after) in [(before.out, after.out), (before.back, after.back)] {
            #expect(after[0] - before[0] == after[1] - before[1], "\(before), \(after)")
        }
    }

    private func identity(_ arena: FaultArena) throws -> StateIdentity? {
        let directory = arena.manager.directory
        return directory.exists ? try StateIdentity(at: directory.path) : nil
    }

    /// Nothing is beside the state, and no upgrade is on its way.
    private func expectWhole(_ arena: FaultArena, _ place: String) throws {
        let directory = arena.manager.directory
        for path in [directory.draft, directory.successor] { #expect(!FileSystem.exists(path), "\(place): \(path)") }
        #expect(try identity(arena)?.upgrade ?? 0 == UInt32(PW_UPGRADE_NONE), "\(place)")
    }

    /// Until a command has begun to change something.
    private func waitForChange(_ arena: FaultArena, _ command: Command, atMost seconds: Double) {
        let directory = arena.manager.directory
        let signs =
            command.isUpgrade ? [directory.successor] : ["\(directory.path)/\(Journal.name)", directory.draft]
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end, signs.allSatisfy({ access($0, F_OK) != 0 }) { usleep(50) }
    }

    private func start(_ command: Command, _ arena: FaultArena) throws -> FaultCommand.Running {
        var words = command.words
        let file = try command.document.map { try DocumentFile($0) }
        if let file { words[1] = file.path }
        if let object = command.object {
            return try FaultCommand("upgrade", [object], in: arena.command.namespace).start(.count)
        }
        let process = try FaultCommand.Running(Self.pwctl, words + ["--netns", arena.command.namespace])
        process.keep(file)
        return process
    }

    /// The same pseudowires made anew by commands that live leave the same in every place.
    private func count(_ arena: FaultArena, _ present: Set<PseudowireConfiguration>) throws {
        let found = try arena.census()
        let document = PseudowireDocument(Array(present))
        if arena.scenario.hasBystander {
            try arena.manager.execute(try arena.manager.plan(applying: PseudowireDocument([FaultScenario.bystander])))
        } else {
            try arena.manager.teardown()
        }
        try arena.manager.execute(try arena.manager.plan(applying: document))
        let again = try arena.census()
        #expect(found == again, "\(found.differences(from: again))")
    }
}
