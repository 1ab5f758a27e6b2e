internal import ArgumentParser
internal import Pseudowire

struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a pseudowire.",
        discussion: """
            Needed are --local, --peer, --session-id, --peer-session-id, and --access or --interface. Session ids and cookies belong to their receiver: --session-id and --expect-cookie are what the peer sends \
            to us, --peer-session-id and --send-cookie what we send to it. Numbers are decimal, without leading zeros, or \
            hexadecimal after 0x.
            """)

    @Argument(help: ArgumentHelp("What to call it here.", valueName: "NAME"))
    var name: String

    @OptionGroup var wire: WireOptions

    @Option(
        help: ArgumentHelp(
            """
            How many pseudowires there can be here; the first one decides (default: 65536). Room for one takes some 250 \
            octets of kernel memory, one that is there some 660 more.
            """, valueName: "N"))
    var maxSessions: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.manager()
        try common.change(manager) { () throws(PseudowireError) in
            var options = wire.options(name)
            options.maxSessions = maxSessions
            return try manager.plan(adding: options)
        }
    }
}
