internal import ArgumentParser
internal import Pseudowire

struct SetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change a pseudowire in place, without losing a frame; what is not named stays as it is.",
        discussion: """
            A cookie is changed without loss by three commands: --expect-cookie OLD --expect-cookie NEW here, \
            --send-cookie NEW at the peer, --expect-cookie NEW here.
            """)

    @Argument(help: ArgumentHelp("Which.", valueName: "NAME"))
    var name: String

    @OptionGroup var wire: WireOptions

    @Option(help: ArgumentHelp("Give this option its usual value; may be repeated.", valueName: "OPTION"))
    var unset: [String] = []

    @OptionGroup var common: CommonOptions

    func validate() throws {
        for option in unset where PseudowireOption(rawValue: option) == nil {
            let known = PseudowireOption.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--unset: \"\(option)\" is none of \(known)")
        }
    }

    func run() throws {
        let manager = try common.manager()
        try common.change(manager) { () throws(PseudowireError) in
            try manager.plan(changing: wire.options(name), unset: unset.compactMap(PseudowireOption.init(rawValue:)))
        }
    }
}
