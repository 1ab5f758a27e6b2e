internal import ArgumentParser
internal import Glibc
internal import Pseudowire

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Print counters: of one pseudowire, or of all and of the whole namespace.")

    @Argument(help: ArgumentHelp("Which (default: all).", valueName: "NAME"))
    var name: String?

    @Flag(help: "Print again every second, until interrupted; with --json, one object a line.")
    var watch = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.reader()
        while true {
            try printOnce(manager)
            guard watch else { return }
            try Report.flush()
            sleep(1)
        }
    }

    private func printOnce(_ manager: PseudowireManager) throws {
        let (wires, drops) = try Report.failures { () throws(PseudowireError) -> ([PseudowireStatus], [DropCount]) in
            if let name { return ([try manager.pseudowire(named: name)], []) }
            return (try manager.pseudowires(), try manager.namespaceDrops())
        }
        if output.json {
            let view = StatisticsView(wires, drops)
            return print(try watch ? JSONText.line(view) : JSONText.of(view))
        }
        var table = TextTable(
            ["NAME", "TX-FRAMES", "TX-OCTETS", "TX-DROPPED", "RX-FRAMES", "RX-OCTETS", "RX-DROPPED"],
            rightAligned: Set(1...6))
        for wire in wires {
            let statistics = wire.statistics
            table.add(
                [wire.name]
                    + [
                        statistics.txFrames, statistics.txOctets, statistics.txDropped, statistics.rxFrames,
                        statistics.rxOctets, statistics.rxDropped,
                    ].map { "\($0)" })
        }
        print(table.text)
        for wire in wires {
            for drop in wire.statistics.drops {
                print("\(wire.name): \(drop.count) × \(drop.reason) (\(drop.reason.identifier))")
            }
        }
        for drop in drops where drop.reason.direction == "seen" {
            print("left to the stack: \(drop.count) × \(drop.reason) (\(drop.reason.identifier))")
        }
    }
}
