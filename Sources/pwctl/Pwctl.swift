internal import ArgumentParser

/// The command line: parses, calls one function of the library, prints.
@main
struct Pwctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pwctl",
        abstract: "L2TPv3 Ethernet pseudowires with an eBPF datapath.",
        discussion: """
            pwctl create pw0 --access eth1 --local 192.0.2.21 --peer 192.0.2.22 --session-id 1012 --peer-session-id 1021

            carries every Ethernet frame that arrives on eth1 to 192.0.2.22, and what comes back out of eth1. The kernel \
            does it: no process stays behind.
            """,
        version: "0.1.0",
        subcommands: [
            Create.self, SetCommand.self, Apply.self, Export.self, List.self, Show.self, Stats.self, Trace.self,
            Delete.self,
            UpgradeCommand.self, Teardown.self, DoctorCommand.self,
            AgentCommand.self, DemoCommand.self, TopologyCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
            try Report.flush()
        } catch {
            exit(withError: error)
        }
    }
}
