internal import ArgumentParser
internal import Pseudowire

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a pseudowire: what it should be, how it is, what it has carried and dropped.")

    @Argument(help: ArgumentHelp("Which.", valueName: "NAME"))
    var name: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let manager = try common.manager()
        let wire = try Report.failures { () throws(PseudowireError) in try manager.pseudowire(named: name) }
        if output.json {
            print(try JSONText.of(PseudowireView(wire)))
            return
        }
        let configuration = wire.configuration
        let tunnel = configuration.tunnel
        let session = configuration.session
        var rows: [(String, String)] = [
            ("name", wire.name),
            ("health", "\(wire.health)"),
            ("access", configuration.access),
            ("encap", tunnel.encapsulation.rawValue),
            ("local", tunnel.encapsulation == .udp ? "\(tunnel.local) port \(tunnel.localPort)" : "\(tunnel.local)"),
            ("peer", tunnel.encapsulation == .udp ? "\(tunnel.peer) port \(tunnel.peerPort)" : "\(tunnel.peer)"),
            ("session-id", "\(session.local)"),
            ("peer-session-id", "\(session.peer)"),
            ("send-cookie", session.sending == .empty ? "none" : "\(session.sending)"),
            (
                "expect-cookie",
                session.expecting.isEmpty ? "none" : session.expecting.map(\.description).joined(separator: ", ")
            ),
            ("sublayer", session.sublayer.rawValue),
        ]
        if tunnel.encapsulation == .udp {
            rows.append(
                ("udp-checksum", "\(tunnel.udpChecksum.rawValue) (\(configuration.fillsUDPChecksum ? "full" : "zero"))")
            )
        }
        rows += [
            ("ttl", "\(configuration.ttl)"),
            ("dscp", "\(configuration.dscp)"),
            ("offload", "\(configuration.offload.rawValue) (\(wire.finishesFrames ? "finish" : "keep"))"),
            ("underlay", wire.underlays.isEmpty ? "none yet" : wire.underlays.joined(separator: ", ")),
            ("next hop", wire.nextHop ?? "no route"),
            ("mtu", wire.mtu.map(String.init) ?? "unknown"),
            (
                "tx",
                "\(wire.statistics.txFrames) frames, \(wire.statistics.txOctets) octets, \(wire.statistics.txDropped) dropped"
            ),
            (
                "rx",
                "\(wire.statistics.rxFrames) frames, \(wire.statistics.rxOctets) octets, \(wire.statistics.rxDropped) dropped"
            ),
        ]
        for drop in wire.statistics.drops {
            rows.append(("\(drop.reason.direction) drop", "\(drop.count) × \(drop.reason)"))
        }
        let width = rows.map(\.0.count).max() ?? 0
        for (key, value) in rows {
            print("\(key)\(String(repeating: " ", count: width - key.count))  \(value)")
        }
    }
}
