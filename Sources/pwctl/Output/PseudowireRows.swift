internal import Pseudowire

/// A pseudowire for people to read, a row for each thing: options by their names, then how it is.
struct PseudowireRows {
    private(set) var rows: [(String, String)] = []

    init(_ wire: PseudowireStatus) {
        let configuration = wire.configuration
        add("name", wire.name)
        add("health", "\(wire.health)")
        add(configuration.makesInterface ? "interface" : "access", configuration.access)
        addEnds(configuration)
        addFrames(configuration)
        addOuterPackets(configuration)
        add("offload", "\(configuration.offload.rawValue) (\(wire.finishesFrames ? "finish" : "keep"))")
        add("coalesce", "\(configuration.coalesce.rawValue) (\(wire.coalescesSegments ? "on" : "off"))")
        let hooks = wire.hooks.sorted { $0.key < $1.key }.map { name, hook in
            "\(name) \(wire.acceleration[name]?.isOn == true ? "xdp+" : "")\(hook.rawValue)"
        }
        add("attach", "\(configuration.attach.rawValue) (\(hooks.joined(separator: ", ")))")
        for (name, state) in wire.acceleration.sorted(by: { $0.key < $1.key }) {
            if let reason = state.reason { add("no xdp", "\(name): \(reason)") }
        }
        add("underlay", wire.underlays.isEmpty ? "none yet" : wire.underlays.joined(separator: ", "))
        add("next hop", wire.nextHop ?? "no route")
        let limit = configuration.mtu.map { " (at most \($0))" } ?? " (auto)"
        add("mtu", (wire.mtu.map(String.init) ?? "unknown") + limit)
        addStatistics(wire.statistics)
    }

    private mutating func add(_ key: String, _ value: String) {
        rows.append((key, value))
    }

    private mutating func addEnds(_ configuration: PseudowireConfiguration) {
        let tunnel = configuration.tunnel
        let session = configuration.session
        let isUDP = tunnel.encapsulation == .udp
        add("encap", tunnel.encapsulation.rawValue)
        add("local", isUDP ? "\(tunnel.local) port \(tunnel.localPort)" : "\(tunnel.local)")
        add("peer", isUDP ? "\(tunnel.peer) port \(tunnel.peerPort)" : "\(tunnel.peer)")
        add("session-id", "\(session.local)")
        add("peer-session-id", "\(session.peer)")
        add("send-cookie", session.sending == .empty ? "none" : "\(session.sending)")
        let cookies = session.expecting.map(\.description).joined(separator: ", ")
        add("expect-cookie", cookies.isEmpty ? "none" : cookies)
        add("sublayer", session.sublayer.rawValue)
        add("sequence", session.sequencing.rawValue)
    }

    private mutating func addFrames(_ configuration: PseudowireConfiguration) {
        add("vlan", "\(configuration.vlan)")
        if case .id(_, let kind) = configuration.vlan {
            add("vlan-protocol", kind.rawValue)
            add("vlan-tag", "\(configuration.vlanTag)")
        }
        add("oversize", configuration.oversize.rawValue)
        add("icmp", configuration.repliesTooBig ? "on" : "off")
        add("mss-clamp", configuration.clampsMSS ? "on" : "off")
    }

    private mutating func addOuterPackets(_ configuration: PseudowireConfiguration) {
        let tunnel = configuration.tunnel
        if tunnel.encapsulation == .udp {
            add("udp-checksum", "\(tunnel.udpChecksum.rawValue) (\(configuration.fillsUDPChecksum ? "full" : "zero"))")
            add("port-entropy", tunnel.portEntropy.rawValue)
        }
        if tunnel.local.family == .v4 {
            add("df", configuration.forbidsFragments ? "set" : "clear")
        } else {
            add("flow-label", configuration.flowLabel.rawValue)
        }
        add("ttl", "\(configuration.ttl)")
        add("dscp", "\(configuration.dscp)")
        add("ecn", configuration.ecn.rawValue)
    }

    private mutating func addStatistics(_ statistics: Statistics) {
        add("tx", "\(statistics.txFrames) frames, \(statistics.txOctets) octets, \(statistics.txDropped) dropped")
        add("rx", "\(statistics.rxFrames) frames, \(statistics.rxOctets) octets, \(statistics.rxDropped) dropped")
        if statistics.replies > 0 { add("replies", "\(statistics.replies) ICMP messages to the customer's hosts") }
        for drop in statistics.drops {
            let what =
                ["tx", "rx"].contains(drop.reason.direction) ? "\(drop.reason.direction) drop" : drop.reason.direction
            add(what, "\(drop.count) × \(drop.reason)")
        }
    }
}
