import BPF
import Glibc
import InternetAddress
import Pseudowire
import PseudowireTestbed
import RouteNetlink

/// What so many pseudowires in one namespace cost.
struct SessionScale: Codable, Sendable {
    let sessions: Int
    /// Seconds that `PseudowireManager.apply` takes, from a namespace that has none; the document is in memory.
    let seconds: [Double]
    /// Octets that the kernel says each map has (`memlock` of its descriptor's information), by name.
    let maps: [String: Double]
    /// Octets by which slabs, per-CPU memory and mapped pages of the whole kernel have grown: with what its allocator
    /// rounds up, and whatever else happened.
    let kernel: Double
    /// Seconds that the kernel takes for as many entries in maps of the same sizes, and nothing else.
    let floor: Double
    /// What the programs cost for frames of all of them in turn.
    let programs: [ProgramCost]
    /// The same for frames of one of them.
    let busy: [ProgramCost]

    /// Of all maps.
    var octetsPerSession: Double { maps.values.reduce(0, +) / Double(sessions) }

    /// How many there are in each row of the table.
    static let counts = [1, 1000, 100_000, 1_000_000]

    /// - Parameters:
    ///   - rounds: how often they are configured; 100,000 and more are once, since that takes long.
    ///   - runs: of each program.
    static func measure(
        _ counts: [Int] = counts, rounds: Int, runs: Int, progress: (String) -> Void
    ) throws -> [SessionScale] {
        try counts.map { count in
            progress("\(count) sessions")
            // What is left of a namespace that is no more is removed by the next command, wherever; the kernel takes
            // some seconds to free it, and what is measured next is not to share the machine with that.
            defer {
                try? PseudowireManager().refresh()
                KernelMemory.settle()
            }
            return try measure(count, rounds: count < 100_000 ? rounds : 1, runs: runs)
        }
    }

    private static func measure(_ count: Int, rounds: Int, runs: Int) throws -> SessionScale {
        let city = try City(count)
        let clock = ContinuousClock()
        var seconds: [Double] = []
        var kernel = 0.0
        var maps: [String: Double] = [:]
        var programs: (inTurn: [ProgramCost], same: [ProgramCost]) = ([], [])
        for round in 0..<rounds {
            let before = KernelMemory.now()
            do {
                let document = city.document(room: UInt32(count))
                seconds.append(try clock.measure { try city.manager.apply(document) } / .seconds(1))
            }
            if round == rounds - 1 {
                // What is freed is freed some time later.
                sleep(1)
                kernel = KernelMemory.now() - before
                maps = try KernelMemory.maps(of: city.directory)
                programs = try city.programs(runs: runs)
            }
            if round < rounds - 1 { try city.manager.teardown() }
        }
        return SessionScale(
            sessions: count, seconds: seconds, maps: maps, kernel: kernel, floor: try KernelMemory.fill(count),
            programs: programs.inTurn, busy: programs.same)
    }
}
