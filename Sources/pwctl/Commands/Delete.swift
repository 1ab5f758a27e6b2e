internal import ArgumentParser
internal import Pseudowire

struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete pseudowires: all that are named, or, if one of them does not exist, none.")

    @Argument(help: ArgumentHelp("Which.", valueName: "NAME"))
    var names: [String]

    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.manager()
        try common.change(manager) { () throws(PseudowireError) in try manager.plan(removing: names) }
    }
}
