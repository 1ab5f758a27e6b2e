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

/// Where a filter of ours sits: the ingress hook of an interface, with a priority and a handle that are ours alone.
enum Attachment {
    /// Which of the two filters.
    enum Role: Hashable, Sendable {
        case access
        case underlay

        var flag: UInt32 { UInt32(self == .access ? PW_PORT_ACCESS : PW_PORT_UNDERLAY) }
        var filterName: String { self == .access ? "pseudowire_encap" : "pseudowire_decap" }
        /// L2TP's port number: unlikely to be anyone else's choice, and easy to recognise in a listing.
        var priority: UInt16 { 1701 }
        var handle: UInt32 { self == .access ? 1 : 2 }
    }

    static func hook(_ interface: UInt32) -> TrafficHook {
        TrafficHook(link: LinkIndex(rawValue: interface), direction: .ingress)
    }

    /// The program that an interface's filter of ours runs, or nil if there is none at our place.
    static func programID(_ role: Role, on interface: UInt32, _ client: RouteClient) throws(PseudowireError) -> UInt32?
    {
        do {
            return try client.filters.get(priority: role.priority, handle: role.handle, at: hook(interface))?.programID
        } catch {
            // No clsact, or no such interface: no filter. Anything else says nothing about filters.
            guard error.isNotFound || error.errno == .invalidArgument else { throw .netlink(error) }
            return nil
        }
    }

    /// The program that belongs on an interface.
    static func program(_ role: Role, on link: Link, _ state: DatapathState) -> UInt32 {
        switch role {
        case .access: state.encap.id
        case .underlay: link.hasEthernetHeader ? state.decap.id : state.decapL3.id
        }
    }

    /// Puts a filter on an interface, and the clsact qdisc under it if there was none.
    ///
    /// A filter of ours that is there already, left by a command that died, is adopted; anything else at our place is
    /// refused.
    static func attach(
        _ role: Role, to interface: UInt32, state: DatapathState, _ client: RouteClient
    ) throws(PseudowireError) {
        guard
            let link = try netlink({ () throws(NetlinkError) in try client.links.get(LinkIndex(rawValue: interface)) })
        else { throw .refused("interface \(interface) vanished") }
        let before = try bpf { () throws(BPFError) in try state.ports[interface] }
        var port = before ?? pw_port()
        Octets.write(link.name.utf8, to: &port.name)
        port.flags |= role.flag
        let hadClsact = try hasClsact(link.index, client)
        if !hadClsact { port.flags |= UInt32(PW_PORT_OWNS_CLSACT) }
        // A card hands over only frames for its own address unless it is asked for all, as a bridge asks its ports.
        let wantsAll = role == .access && !link.flags.contains(.promiscuous)
        if wantsAll { port.flags |= UInt32(PW_PORT_OWNS_PROMISC) }
        // What is to be put back is written down before it is changed: a command may die at any point.
        try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: port) }
        do throws(PseudowireError) {
            try FaultPoint.portWritten.reach()
            _ = try netlink { () throws(NetlinkError) in try client.qdiscs.ensureClsact(on: link.index) }
            try FaultPoint.clsactMade.reach()
            try addFilter(role, to: link, state, client)
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
                try? detach(role, from: interface, state: state, client)
            }
            throw error
        }
    }

    private static func addFilter(
        _ role: Role, to link: Link, _ state: DatapathState, _ client: RouteClient
    ) throws(PseudowireError) {
        let interface = link.index.rawValue
        let descriptor =
            switch role {
            case .access: state.encap.fileDescriptor
            case .underlay: link.hasEthernetHeader ? state.decap.fileDescriptor : state.decapL3.fileDescriptor
            }
        let filter = BPFFilter(
            program: descriptor, name: role.filterName, priority: role.priority, handle: role.handle)
        do throws(NetlinkError) {
            _ = try client.filters.add(filter, at: hook(interface))
        } catch {
            guard error.isAlreadyPresent, try programID(role, on: interface, client) == program(role, on: link, state)
            else {
                throw error.isAlreadyPresent
                    ? .refused(
                        """
                        \(link.name) has a filter of somebody else's at priority \(role.priority) handle \
                        \(role.handle), where this program's belongs
                        """)
                    : .netlink(error)
            }
        }
    }

    /// Takes our filter off an interface and puts back what we had changed.
    ///
    /// An interface that is gone is no error.
    static func detach(
        _ role: Role, from interface: UInt32, state: DatapathState, _ client: RouteClient
    ) throws(PseudowireError) {
        guard var port = try bpf({ () throws(BPFError) in try state.ports[interface] }) else { return }
        let index = LinkIndex(rawValue: interface)
        let link = try netlink { () throws(NetlinkError) in try client.links.get(index) }
        if let link {
            if try programID(role, on: interface, client) == program(role, on: link, state) {
                try netlink { () throws(NetlinkError) in
                    try client.filters.delete(priority: role.priority, handle: role.handle, at: hook(interface))
                }
                try FaultPoint.filterRemoved.reach()
            }
            if role == .access, port.flags & UInt32(PW_PORT_OWNS_PROMISC) != 0, link.flags.contains(.promiscuous) {
                try netlink { () throws(NetlinkError) in
                    var update = LinkUpdate()
                    update.isPromiscuous = false
                    try client.links.update(index, update)
                }
                try FaultPoint.promiscuityCleared.reach()
            }
            let isLast = port.flags & UInt32(PW_PORT_ACCESS | PW_PORT_UNDERLAY) == role.flag
            if isLast, port.flags & UInt32(PW_PORT_OWNS_CLSACT) != 0 {
                try removeClsactIfUnused(on: index, client)
                try FaultPoint.clsactRemoved.reach()
            }
        }
        port.flags &= ~role.flag
        if role == .access { port.flags &= ~UInt32(PW_PORT_OWNS_PROMISC) }
        if port.flags & UInt32(PW_PORT_ACCESS | PW_PORT_UNDERLAY) == 0 {
            try bpf { () throws(BPFError) in _ = try state.ports.remove(key: interface) }
        } else {
            try bpf { () throws(BPFError) in try state.ports.update(key: interface, value: port) }
        }
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
