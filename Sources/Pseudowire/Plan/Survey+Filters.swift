internal import CPseudowireObject
internal import RouteNetlink

/// Where filters go: an interface has one of each kind, whoever shares it.
extension Survey {
    /// Refuses what this kernel or a driver lacks, and two wishes for one interface.
    mutating func checkAttachment(
        _ configuration: PseudowireConfiguration, _ links: [Link]
    ) throws(PseudowireError) {
        let attach = configuration.attach
        if attach == .tcx, !AttachmentHook.hasTCX {
            refuse("attach", "this kernel has no tcx, which came with Linux 6.6; leave it out, or choose clsact")
            return
        }
        for link in links {
            guard let wish = wishes[link.index.rawValue], wish.attach != attach else { continue }
            refuse(
                "attach",
                """
                \(link.name) has one filter for all pseudowires, and \(wish.name) wants it at \(wish.attach.rawValue); \
                choose the same, or leave it out
                """)
            return
        }
        guard attach == .xdp else { return }
        for link in links {
            if case .impossible(let reason, let cure) = try judge(link) {
                refuse("attach", "there can be no XDP program on \(link.name): \(reason); \(cure)")
            }
        }
    }

    private func judge(_ link: Link) throws(PseudowireError) -> Acceleration {
        let isOurs = ports[link.index.rawValue]?.hasXDP == true
        let drivers = cache.drivers
        return try netlink { () throws(NetlinkError) in try drivers.judge(link, isOurs: isOurs) }
    }

    /// What it takes to have a pseudowire's filters, and the XDP programs before them, where they are wanted; those
    /// that are there are moved.
    mutating func filters(
        of record: Record, at place: Place
    ) throws(PseudowireError) -> (decap: [Action], encap: [Action]) {
        let wish = record.configuration.attach
        // They were planned, or found, for the one before.
        if wish == .auto, record.access != 0, filtered?.access == record.access,
            filtered?.underlays == record.underlays
        {
            return ([], [])
        }
        filtered = wish == .auto ? (record.access, record.underlays) : nil
        var decap: [Action] = []
        for link in place.underlays {
            decap += try filter(.underlay, link, link.name, isThere: try hasDecap(link), wish)
        }
        var encap: [Action] = []
        if let access = place.access ?? place.hidden {
            encap = try filter(.access, access, record.accessName, isThere: try hasEncap(access), wish)
        } else {
            // It is still to be made, and will be nobody else's.
            let hook = wish.hook ?? (AttachmentHook.hasTCX ? .tcx : .clsact)
            encap = [.attach(.access, interface: 0, name: record.accessName, hook: hook)]
            if wish == .xdp {
                encap.append(.attachXDP(.access, interface: 0, name: record.accessName, isAsked: true))
            }
        }
        return (decap, encap)
    }

    private mutating func filter(
        _ role: Attachment.Role, _ link: Link, _ name: String, isThere: Bool, _ own: PseudowireConfiguration.Attach
    ) throws(PseudowireError) -> [Action] {
        let interface = link.index.rawValue
        let wish = own == .auto ? wishes[interface]?.attach ?? .auto : own
        var port = ports[interface] ?? pw_port()
        let present = port[role]
        // A filter that a half-made pseudowire left is put in its place again.
        let hook =
            if let wanted = wish.hook { wanted } else if let present { present } else {
                try AttachmentHook.preferred(on: interface, client)
            }
        var actions: [Action] = []
        if isThere, let present {
            if present != hook { actions = [.moveFilter(role, interface: interface, name: name, to: hook)] }
        } else {
            let isOurs = present == hook ? try filters?.has(role, on: link) ?? false : false
            actions = [
                isOurs
                    ? .reattach(role, interface: interface, name: name, hook: hook)
                    : .attach(role, interface: interface, name: name, hook: hook)
            ]
        }
        port[role] = hook
        var isAccelerated = wish == .xdp
        if wish == .auto { isAccelerated = try judge(link) == .chosen }
        if isAccelerated, !port.hasXDP(role) {
            actions.append(.attachXDP(role, interface: interface, name: name, isAsked: wish == .xdp))
            port.flags |= role.xdpFlag
        } else if !isAccelerated, port.hasXDP(role) {
            actions.insert(.detachXDP(role, interface: interface, name: name), at: 0)
            port.flags &= ~role.xdpFlag
        }
        ports[interface] = port
        return actions
    }
}
