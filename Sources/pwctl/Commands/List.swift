internal import ArgumentParser
internal import Pseudowire

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the pseudowires.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.reader()
        let wires = try Report.failures { () throws(PseudowireError) in try manager.pseudowires() }
        if output.json {
            print(try JSONText.of(wires.map(PseudowireView.init)))
            return
        }
        guard !wires.isEmpty else {
            Report.toStandardError("no pseudowires in \(common.namespace)")
            return
        }
        var table = TextTable(["NAME", "ACCESS", "ENCAP", "LOCAL", "PEER", "SESSION", "PEER-SESSION", "HEALTH"])
        for wire in wires {
            let tunnel = wire.configuration.tunnel
            table.add([
                wire.name, wire.configuration.access, tunnel.encapsulation.rawValue, tunnel.local.description,
                tunnel.peer.description, wire.configuration.session.local.description,
                wire.configuration.session.peer.description, wire.health.state.rawValue,
            ])
        }
        print(table.text)
    }
}
