internal import BPF
internal import CPseudowireObject
internal import RouteNetlink
internal import SystemPackage

extension Link {
    /// Whether its packets begin with an Ethernet header.
    var hasEthernetHeader: Bool { hardwareType == 1 }  // ARPHRD_ETHER

    /// Whether packets come to a filter in a shape that the datapath knows: with an Ethernet header or with none.
    ///
    /// Not GRE and SIT: their outer headers are still there.
    var canBeUnderlay: Bool {
        // ARPHRD_PPP, RAWIP, TUNNEL, TUNNEL6, NONE: the last is what tun and WireGuard are.
        !flags.contains(.loopback) && (hasEthernetHeader || [512, 519, 768, 769, 0xfffe].contains(hardwareType))
    }
}

extension pw_port {
    mutating func set(_ flag: UInt32, to isOn: Bool) { flags = isOn ? flags | flag : flags & ~flag }

    /// Writes down whether its packets begin with an Ethernet header, by which the datapath may write one itself, and
    /// whose are for this host.
    mutating func noteShape(of link: Link) {
        set(UInt32(PW_PORT_ETHERNET), to: link.hasEthernetHeader)
        Octets.write(link.address?.bytes ?? [UInt8](repeating: 0, count: 6), to: &address)
    }
}

/// Where a filter of ours sits: the ingress hook of an interface, with a priority and a handle that are ours alone.
enum Attachment {
    /// Which of the two filters.
    enum Role: Hashable, Sendable {
        case access
        case underlay

        var flag: UInt32 { UInt32(self == .access ? PW_PORT_ACCESS : PW_PORT_UNDERLAY) }
        /// The same for the XDP program before it.
        var xdpFlag: UInt32 { UInt32(self == .access ? PW_PORT_ACCESS_XDP : PW_PORT_UNDERLAY_XDP) }
        /// What the filter does, in plans.
        var word: String { self == .access ? "encap" : "decap" }
        var filterName: String { self == .access ? "pseudowire_encap" : "pseudowire_decap" }
        /// L2TP's port number: unlikely to be anyone else's choice, and easy to recognise in a listing.
        var priority: UInt16 { 1701 }
        var handle: UInt32 { self == .access ? 1 : 2 }
    }

    static func hook(_ interface: UInt32) -> TrafficHook {
        TrafficHook(link: LinkIndex(rawValue: interface), direction: .ingress)
    }

    /// Puts a filter on an interface.
    ///
    /// What is to be put back is written down before it is changed: a command may die at any point.
    static func attach(
        _ role: Role, to interface: UInt32, at hook: AttachmentHook, _ state: DatapathState,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let client = manager.client
        let link = try require(interface, client)
        let before = try bpf { () throws(BPFError) in try state.ports[interface] }
        var port = before ?? pw_port()
        // The one before may have had a longer name.
        port.name = pw_port().name
        Octets.write(link.name.utf8, to: &port.name)
        port[role] = hook
        port.noteShape(of: link)
        let isQdiscNew = hook == .clsact ? try !hasClsact(link.index, client) : false
        if isQdiscNew { port.flags |= UInt32(PW_PORT_OWNS_CLSACT) }
        // A card hands over only frames for its own address unless it is asked for all, as a bridge asks its ports.
        let wantsAll = role == .access && !link.flags.contains(.promiscuous)
        if wantsAll { port.flags |= UInt32(PW_PORT_OWNS_PROMISC) }
        let value = port
        try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: value) }
        do throws(PseudowireError) {
            try FaultPoint.portWritten.reach()
            try put(role, on: link, at: hook, &port, isQdiscNew: isQdiscNew, state, manager)
            try FaultPoint.filterAdded.reach()
            if wantsAll {
                try netlink { () throws(NetlinkError) in
                    var update = LinkUpdate()
                    update.isPromiscuous = true
                    try client.links.update(link.index, update)
                }
                try FaultPoint.promiscuitySet.reach()
            }
        } catch {
            // One that was there before is not ours to take away.
            if let before, before.flags & role.flag != 0 {
                try? state.ports.update(key: interface, value: before)
            } else {
                try? detach(role, from: interface, state, manager)
            }
            throw error
        }
    }

    /// Moves a filter from one hook to the other.
    ///
    /// For a moment it is at both, and frames that are ours meet the one on the tcx hook alone, whichever came first:
    /// what it does not consume, the other one does not either. A clsact qdisc of our making stays as long as we use
    /// the interface: when a qdisc is made or removed, the kernel stops the interface's transmit queues, and what is
    /// sent meanwhile is lost (`qdisc_graft` in net/sched/sch_api.c).
    static func move(
        _ role: Role, on interface: UInt32, to hook: AttachmentHook, _ state: DatapathState,
        _ manager: PseudowireManager
    ) throws(PseudowireError) {
        let client = manager.client
        let link = try require(interface, client)
        guard var port = try bpf({ () throws(BPFError) in try state.ports[interface] }) else { return }
        let isQdiscNew = try claimClsact(&port, link, hook, state, client)
        try FaultPoint.portWritten.reach()
        // What is at the right one already was moved back when it had moved by half.
        if port[role] != hook {
            try put(role, on: link, at: hook, &port, isQdiscNew: isQdiscNew, state, manager)
            try FaultPoint.filterAdded.reach()
            // From here on the old one is what is left over.
            port[role] = hook
            let value = port
            try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: value) }
            try FaultPoint.filterMoved.reach()
        }
        try take(role, from: interface, at: hook.other, state, manager)
    }

    /// Writes down that the qdisc will be one of our making, if there is none yet and it is needed; says whether that
    /// is so.
    private static func claimClsact(
        _ port: inout pw_port, _ link: Link, _ hook: AttachmentHook, _ state: DatapathState, _ client: RouteClient
    ) throws(PseudowireError) -> Bool {
        guard hook == .clsact, try !hasClsact(link.index, client) else { return false }
        port.flags |= UInt32(PW_PORT_OWNS_CLSACT)
        let (key, value) = (link.index.rawValue, port)
        try bpf { () throws(BPFError) in try state.ports.update(key: key, value: value) }
        return true
    }

    /// Takes our filter off an interface and puts back what we had changed.
    ///
    /// An interface that is gone is no error.
    static func detach(
        _ role: Role, from interface: UInt32, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) {
        guard var port = try bpf({ () throws(BPFError) in try state.ports[interface] }) else { return }
        let client = manager.client
        let index = LinkIndex(rawValue: interface)
        let link = try netlink { () throws(NetlinkError) in try client.links.get(index) }
        // Another device may have got the index: it has neither our filter nor the name that ours had.
        var isOurs = link.map { $0.name == Octets.text(port.name) } ?? false
        if let link, !isOurs { isOurs = try hasFilter(on: link, port, state, manager) }
        try takeXDP(role, from: interface, &port, manager)
        // A command that died while it moved the filter may have left it at both.
        for hook in AttachmentHook.allCases { try take(role, from: interface, at: hook, state, manager) }
        port[role] = nil
        if isOurs, let link {
            if role == .access, port.flags & UInt32(PW_PORT_OWNS_PROMISC) != 0, link.flags.contains(.promiscuous) {
                try netlink { () throws(NetlinkError) in
                    var update = LinkUpdate()
                    update.isPromiscuous = false
                    try client.links.update(index, update)
                }
                try FaultPoint.promiscuityCleared.reach()
            }
            try releaseClsact(&port, index, client)
        }
        if role == .access { port.flags &= ~UInt32(PW_PORT_OWNS_PROMISC) }
        if port.flags & UInt32(PW_PORT_ACCESS | PW_PORT_UNDERLAY) == 0 {
            try bpf { () throws(BPFError) in _ = try state.ports.remove(key: interface) }
        } else {
            try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: port) }
        }
    }

    static func require(_ interface: UInt32, _ client: RouteClient) throws(PseudowireError) -> Link {
        guard
            let link = try netlink({ () throws(NetlinkError) in try client.links.get(LinkIndex(rawValue: interface)) })
        else { throw .refused("interface \(interface) vanished") }
        return link
    }

    private static func hasFilter(
        on link: Link, _ port: pw_port, _ state: DatapathState, _ manager: PseudowireManager
    ) throws(PseudowireError) -> Bool {
        for role in [Role.access, .underlay] {
            guard let hook = port[role] else { continue }
            let present = try programID(role, on: link.index.rawValue, at: hook, manager)
            if present == state.programs.id(role, on: link) { return true }
        }
        return false
    }

    /// Removes a qdisc of our making once no filter of ours needs it.
    private static func releaseClsact(
        _ port: inout pw_port, _ index: LinkIndex, _ client: RouteClient
    ) throws(PseudowireError) {
        guard port.flags & UInt32(PW_PORT_OWNS_CLSACT) != 0, port[.access] != .clsact, port[.underlay] != .clsact else {
            return
        }
        try removeClsactIfUnused(on: index, client)
        try FaultPoint.clsactRemoved.reach()
        port.flags &= ~UInt32(PW_PORT_OWNS_CLSACT)
    }

    /// Somebody may have come to use the qdisc that we made; then it is theirs now.
    private static func removeClsactIfUnused(on index: LinkIndex, _ client: RouteClient) throws(PseudowireError) {
        guard try hasClsact(index, client) else { return }
        try netlink { () throws(NetlinkError) in
            for direction in [TrafficDirection.ingress, .egress] {
                guard try client.filters.list(at: TrafficHook(link: index, direction: direction)).isEmpty else {
                    return
                }
            }
            try client.qdiscs.deleteClsact(on: index)
        }
    }

    private static func hasClsact(_ index: LinkIndex, _ client: RouteClient) throws(PseudowireError) -> Bool {
        try netlink { () throws(NetlinkError) in try client.qdiscs.list(on: index) }.contains { $0.kind == "clsact" }
    }
}
