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
    }

    private final class Victims {
        let others: Set<PseudowireConfiguration>
        /// What can be there: some on ports, some with interfaces, some by VLAN.
        let choice: [PseudowireConfiguration]

        init(hasBystander: Bool) {
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

        func command(_ present: Set<PseudowireConfiguration>, _ numbers: inout Numbers) -> Command {
            let names = Set(present.map(\.name))
            let missing = choice.filter { !names.contains($0.name) }
            let ours = present.subtracting(others)
            switch Int.random(in: 0..<6, using: &numbers) {
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
        let victims = Victims(hasBystander: hasBystander)
        var numbers = Numbers(state: Self.seed &+ (hasBystander ? 1 : 0))
        var present = victims.others
        var usual: [String: Double] = [:]
        var killed = 0
        var finished = 0
        var done = 0
        while done < Self.rounds / 2 {
            try arena.undisturbed {
                for _ in 0..<min(10, Self.rounds / 2 - done) {
                    done += 1
                    let command = victims.command(present, &numbers)
                    let verb = command.words.first ?? ""
                    let place = "round \(done), seed \(Self.seed): \(command.words.joined(separator: " "))"
                    let process = try start(command, arena)
                    // One in eight lives; of the others half are killed at any instant of their usual time, half while they
                    // change something.
                    let isSpared = usual[verb] == nil || Int.random(in: 0..<8, using: &numbers) == 0
                    let instant = Double.random(in: 0...1, using: &numbers)
                    let isAimed = Bool.random(using: &numbers)
                    if !isSpared {
                        let usual = usual[verb] ?? 0.1
                        if isAimed { waitForChange(arena, atMost: usual) }
                        usleep(UInt32(instant * usual * (isAimed ? 300_000 : 1_000_000)))
                        process.kill()
                    }
                    let outcome = process.wait()
                    if outcome.wasKilled {
                        killed += 1
                    } else {
                        #expect(outcome.status == 0, "\(place): \(outcome.errors)")
                        usual[verb] = usual[verb].map { ($0 * 3 + process.duration) / 4 } ?? process.duration
                    }
                    _ = try arena.manager.pseudowires()
                    if try arena.manager.unfinished() != nil { finished += 1 }
                    try arena.manager.refresh()
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
        print("\(done) commands, \(killed) of them killed, \(finished) of them in the middle")
        #expect(killed > done / 4 && finished > 0)
        try arena.takeDown()
    }

    /// Until a command has begun to change something.
    private func waitForChange(_ arena: FaultArena, atMost seconds: Double) {
        let directory = arena.manager.directory
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end, access("\(directory.path)/\(Journal.name)", F_OK) != 0,
            access(directory.draft, F_OK) != 0
        { usleep(50) }
    }

    private func start(_ command: Command, _ arena: FaultArena) throws -> FaultCommand.Running {
        var words = command.words
        let file = try command.document.map { try DocumentFile($0) }
        if let file { words[1] = file.path }
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
