import CWorkload
import Glibc

/// How long a command takes from its start to its end.
struct CommandTime: Codable, Sendable {
    static let list = "pwctl list, 10,000 pseudowires"
    static let start = "pwctl --version"
    static let witness = "ip link show lo"

    let name: String
    let values: [Double]

    var milliseconds: Spread { Spread(values) ?? .none }

    /// Commands in turn, `rounds` times.
    static func measure(_ commands: [(name: String, arguments: [String])], rounds: Int) throws -> [CommandTime] {
        var values = [[Double]](repeating: [], count: commands.count)
        for round in 0...rounds {
            for index in commands.indices {
                let seconds = try time(commands[index].arguments)
                // The first round only warms up.
                if round > 0 { values[index].append(seconds * 1000) }
            }
        }
        return zip(commands, values).map { CommandTime(name: $0.name, values: $1) }
    }

    /// Without Foundation, which takes some fifty milliseconds to notice that a child has ended.
    private static func time(_ arguments: [String]) throws -> Double {
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var elapsed = 0.0
        let status = workload_command(&words, &elapsed)
        guard status == 0 else { throw Failure("\(arguments.joined(separator: " ")): \(status)") }
        return elapsed
    }
}
