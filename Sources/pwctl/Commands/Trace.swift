internal import ArgumentParser
internal import Glibc
internal import Pseudowire

struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Print packets that were refused or belong to nobody, as they come.",
        discussion: "The datapath reports at most eight a second for each reason and CPU; 'stats' counts all.")

    @Option(help: ArgumentHelp("Stop after so many (default: until interrupted).", valueName: "N"))
    var count: Int?

    @Option(help: ArgumentHelp("Stop after so many seconds (default: until interrupted).", valueName: "SECONDS"))
    var timeout: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count: \(count) is none; 1 or more") }
        if let timeout, timeout < 1 { throw ValidationError("--timeout: \(timeout) is no time; 1 or more seconds") }
    }

    func run() throws {
        let manager = try common.manager()
        let reader = try Report.failures { () throws(PseudowireError) in try manager.eventReader() }
        let clock = ContinuousClock()
        let end = timeout.map { clock.now.advanced(by: .seconds($0)) }
        var printed = 0
        while count.map({ printed < $0 }) ?? true, end.map({ clock.now < $0 }) ?? true {
            let events = try Report.failures { () throws(PseudowireError) in
                try reader.next(within: .milliseconds(500))
            }
            for event in events.prefix((count ?? .max) - printed) {
                print(output.json ? try JSONText.line(EventView(event)) : "\(event)")
                printed += 1
            }
            try Report.flush()
        }
    }
}
