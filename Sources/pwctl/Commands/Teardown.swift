internal import ArgumentParser
internal import Pseudowire

struct Teardown: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "teardown",
        abstract: "Remove everything that is ours from a namespace, and only that.",
        discussion: "What namespaces that are no more have left on the BPF file system goes as well.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.manager()
        try common.change(manager) { () throws(PseudowireError) in try manager.planTeardown() }
    }
}
