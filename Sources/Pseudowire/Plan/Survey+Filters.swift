internal import CPseudowireObject
internal import RouteNetlink

/// Where filters go: an interface has one of each kind, whoever shares it.
extension Survey {
    /// Refuses a hook that this kernel lacks, and two wishes for one interface.
    mutating func checkHook(_ configuration: PseudowireConfiguration, _ links: [Link]) {
        guard let hook = configuration.attach.hook else { return }
        if hook == .tcx, !AttachmentHook.hasTCX {
            refuse("attach", "this kernel has no tcx, which came with Linux 6.6; leave it out, or choose clsact")
            return
        }
        for link in links {
            guard let wish = wishes[link.index.rawValue], wish.hook != hook else { continue }
            refuse(
                "attach",
                """
                \(link.name) has one filter for all pseudowires, and \(wish.name) wants it at \(wish.hook.rawValue); \
                choose the same, or leave it out
                """)
            return
        }
    }

    /// What it takes to have a pseudowire's filters where they are wanted; those that are there are moved.
    mutating func filters(
        of record: Record, at place: Place
    ) throws(PseudowireError) -> (decap: [Action], encap: [Action]) {
        let wish = record.configuration.attach.hook
        // They were planned, or found, for the one before.
        if wish == nil, record.access != 0, filtered?.access == record.access, filtered?.underlays == record.underlays {
            return ([], [])
        }
        filtered = wish == nil ? (record.access, record.underlays) : nil
        var decap: [Action] = []
        for link in place.underlays {
            decap += try filter(.underlay, link.index.rawValue, link.name, isThere: try hasDecap(link), wish)
        }
        var encap: [Action] = []
        if let access = place.access {
            let isThere = try hasEncap(access)
            encap = try filter(.access, access.index.rawValue, record.accessName, isThere: isThere, wish)
        } else if let hidden = place.hidden {
            encap = try filter(.access, record.access, record.accessName, isThere: try hasEncap(hidden), wish)
        } else {
            // It is still to be made, and will be nobody else's.
            let hook = wish ?? (AttachmentHook.hasTCX ? .tcx : .clsact)
            encap = [.attach(.access, interface: 0, name: record.accessName, hook: hook)]
        }
        return (decap, encap)
    }

    private mutating func filter(
        _ role: Attachment.Role, _ interface: UInt32, _ name: String, isThere: Bool, _ wish: AttachmentHook?
    ) throws(PseudowireError) -> [Action] {
        let wanted = wish ?? wishes[interface]?.hook
        let present = ports[interface]?[role]
        // A filter that a half-made pseudowire left is put in its place again.
        let hook =
            if let wanted { wanted } else if let present { present } else {
                try AttachmentHook.preferred(on: interface, client)
            }
        ports[interface, default: pw_port()][role] = hook
        if isThere, let present {
            return present == hook ? [] : [.moveFilter(role, interface: interface, name: name, to: hook)]
        }
        return [.attach(role, interface: interface, name: name, hook: hook)]
    }
}
