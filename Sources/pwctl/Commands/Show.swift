internal import ArgumentParser
internal import Pseudowire

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a pseudowire: what it should be, how it is, what it has carried and dropped.")

    @Argument(help: ArgumentHelp("Which.", valueName: "NAME"))
    var name: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.reader()
        let wire = try Report.failures { () throws(PseudowireError) in try manager.pseudowire(named: name) }
        if output.json {
            print(try JSONText.of(PseudowireView(wire)))
            return
        }
        let rows = PseudowireRows(wire).rows
        let width = rows.map(\.0.count).max() ?? 0
        for (key, value) in rows {
            print("\(key)\(String(repeating: " ", count: width - key.count))  \(value)")
        }
    }
}
