internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// Has XDP programs before the filters of those interfaces where the records want them, and nowhere else.
    ///
    /// What cannot be attached fails nothing: health tells.
    func mendAcceleration(_ state: DatapathState, _ records: [Record]) throws(PseudowireError) {
        let ports = try state.portList
        guard !ports.isEmpty else { return }
        let client = client
        let links = try netlink { () throws(NetlinkError) in try client.links.list() }
        let byIndex = Dictionary(links.map { ($0.index.rawValue, $0) }) { first, _ in first }
        let wishes = Self.wishes(records)
        let drivers = DriverSurvey(client)
        let filters = FilterPresence(state, self)
        for (interface, port) in ports {
            guard let link = byIndex[interface] else { continue }
            for role in [Attachment.Role.access, .underlay] where port[role] != nil {
                let wish = wishes[interface] ?? .auto
                let isWanted: Bool
                switch wish {
                case .xdp: isWanted = link.hasEthernetHeader
                case .tcx, .clsact: isWanted = false
                case .auto:
                    // Who cannot be asked has not said no.
                    guard let judgement = try? drivers.judge(link, isOurs: port.hasXDP) else { continue }
                    isWanted = judgement == .chosen
                }
                if isWanted {
                    let present = try Attachment.xdpProgramID(role, on: interface, self)
                    if port.hasXDP(role), present == state.programs.xdp(role)?.program.id { continue }
                    // Without our filter it is another device, which has got the number of the one that was ours.
                    guard try filters.has(role, on: link) else { continue }
                    try? Attachment.attachXDP(role, to: interface, state, self)
                } else {
                    try? Attachment.detachXDP(role, from: interface, state, self)
                }
            }
        }
        try noteDrivers(state, wishes)
    }

    /// What is asked for of each interface; an interface where nothing is asked for is not in it.
    private static func wishes(_ records: [Record]) -> [UInt32: PseudowireConfiguration.Attach] {
        var wishes: [UInt32: PseudowireConfiguration.Attach] = [:]
        for record in records where record.configuration.attach != .auto {
            for interface in record.underlays + [record.access] { wishes[interface] = record.configuration.attach }
        }
        return wishes
    }

    /// Writes down which drivers send what an XDP program redirects to them, whose frames an interface takes, and where
    /// floods end: with an XDP program that somebody has asked for.
    ///
    /// A veth does while its other end has GRO on, or an XDP program: so this is asked after ours are attached, and
    /// again by every command. Where nobody says so (Linux 6.1, for most drivers), nothing is redirected.
    func noteDrivers(
        _ state: DatapathState, _ wishes: [UInt32: PseudowireConfiguration.Attach]? = nil
    ) throws(PseudowireError) {
        let ports = try state.portList
        guard !ports.isEmpty else { return }
        var asked = wishes ?? [:]
        if wishes == nil, ports.values.contains(where: { $0.hasXDP(.underlay) }) {
            asked = Self.wishes(try unsortedRecords(state))
        }
        let client = client
        let drivers = DriverSurvey(client)
        for link in try netlink({ () throws(NetlinkError) in try client.links.list() }) {
            guard let port = ports[link.index.rawValue] else { continue }
            var changed = port
            changed.noteShape(of: link)
            let transmits = (try? drivers.features(of: link))?.contains(.transmit) == true
            changed.set(UInt32(PW_PORT_TRANSMITS), to: transmits)
            changed.set(UInt32(PW_PORT_SHEDS), to: port.hasXDP(.underlay) && asked[link.index.rawValue] == .xdp)
            guard Octets.read(changed) != Octets.read(port) else { continue }
            let (key, value) = (link.index.rawValue, changed)
            try bpf { () throws(BPFError) in try state.ports.update(key: key, value: value) }
        }
    }

    /// Says that our XDP program is not where it was put; frames take the filter then.
    func accelerationDamage(
        _ role: Attachment.Role, on link: Link, isAsked: Bool, _ state: DatapathState
    ) throws(PseudowireError) -> String? {
        let interface = link.index.rawValue
        let port = try bpf { () throws(BPFError) in try state.ports[interface] }
        guard port?[role] != nil, isAsked || port?.hasXDP(role) == true, let held = state.programs.xdp(role) else {
            return nil
        }
        let ours = try Attachment.xdpProgramID(role, on: interface, self)
        if ours == held.program.id { return nil }
        if ours != nil { return "the XDP program on \(link.name) is one of another build; \(Self.cure)" }
        return link.xdp?.first.map {
            "somebody else's XDP program, \(DriverSurvey.describe($0)), is where the one of \(link.name) belongs, and the "
                + "filter carries its frames, more slowly; remove it, and the next command puts ours back"
        }
            ?? "the XDP program on \(link.name) is gone, and the filter carries its frames, more slowly; \(Self.cure)"
    }
}
