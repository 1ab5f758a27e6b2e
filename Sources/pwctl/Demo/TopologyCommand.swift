internal import ArgumentParser
internal import InternetAddress
internal import Pseudowire
internal import PseudowireTestbed
internal import RouteNetlink

/// `pwctl topology`.
struct TopologyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Four network namespaces in a row, to play with.",
        discussion: """
            pwctl topology up
            pwctl create pw0 --netns pw-1 --access veth10 --local 192.0.2.21 --peer 192.0.2.22 \
            --session-id 1012 --peer-session-id 1021
            pwctl create pw0 --netns pw-2 --access veth23 --local 192.0.2.22 --peer 192.0.2.21 \
            --session-id 1021 --peer-session-id 1012
            ip netns exec pw-0 ping 192.0.1.103
            pwctl topology down
            """,
        subcommands: [Up.self, Down.self, Show.self])

    /// What all three take.
    struct Options: ParsableArguments {
        @Option(help: ArgumentHelp("What the names of the four namespaces begin with.", valueName: "TEXT"))
        var prefix = "pw-"

        func validate() throws {
            do { try NetworkNamespace.validate(name: prefix + "0") } catch {
                throw ValidationError("--prefix: \"\(prefix)\" cannot begin a name: \(error.message ?? "\(error)")")
            }
        }
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "up", abstract: "Build it.")

        @OptionGroup var options: Options

        @Option(help: ArgumentHelp("MTU between the edges, 68 to 65535.", valueName: "N"))
        var underlayMTU = 1500

        @Option(
            help: ArgumentHelp(
                "MTU of the hosts; the default fits L2TPv3 over UDP and IPv6 without cookies.", valueName: "N"))
        var innerMTU = 1426

        func run() throws {
            let interruption = Interruption()
            defer { interruption.end() }
            try TopologyCommand.reporting { () throws(TestbedError) in
                _ = try FourNamespaces.create(named: options.prefix, underlayMTU: underlayMTU, innerMTU: innerMTU)
            }
            print(TopologyDrawing.plain)
            let names = FourNamespaces.names(options.prefix)
            print("\nThe namespaces are \(names.joined(separator: ", ")); 'pwctl help topology' says what to do now.")
        }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "down", abstract: "Take it down, and the pseudowires in it.")

        @OptionGroup var options: Options

        func run() throws {
            let interruption = Interruption()
            defer { interruption.end() }
            let existing = (try? NetworkNamespace.names()) ?? []
            for name in FourNamespaces.names(options.prefix) where existing.contains(name) {
                // What is pinned on the BPF file system outlives a namespace, if only until the next command reaps it.
                // So a failure, for lack of that file system say, is no reason to keep the network.
                do throws(PseudowireError) {
                    let manager = try PseudowireManager(in: .named(name))
                    try manager.change { () throws(PseudowireError) in try manager.planTeardown() }
                } catch {
                    Report.toStandardError("pwctl: \(name) goes without its pseudowires being removed: \(error)")
                }
            }
            try TopologyCommand.reporting { () throws(TestbedError) in
                _ = try FourNamespaces.delete(named: options.prefix)
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Draw it, and say how its interfaces are.")

        @OptionGroup var options: Options

        func run() throws {
            var table = TextTable(["namespace", "interface", "state", "MTU", "addresses"], rightAligned: [3])
            try TopologyCommand.reporting { () throws(TestbedError) in
                let network = try FourNamespaces.open(named: options.prefix)
                for place in FourNamespaces.Place.allCases {
                    for interface in try network.interfaces(of: place) {
                        let addresses = interface.addresses.filter { !$0.address.isLinkLocal }
                        table.add([
                            "\(options.prefix)\(place.rawValue)", interface.name, interface.isUp ? "up" : "down",
                            "\(interface.mtu)", addresses.map(\.description).joined(separator: " "),
                        ])
                    }
                }
            }
            print(TopologyDrawing.plain, table.text, separator: "\n\n")
        }
    }

    /// Runs `body`; a failure becomes a sentence on standard error and exit status 1.
    static func reporting(_ body: () throws(TestbedError) -> Void) throws {
        do throws(TestbedError) { try body() } catch {
            Report.toStandardError("pwctl: \(DemoFailure.testbed(error))")
            throw ExitCode.failure
        }
    }
}
