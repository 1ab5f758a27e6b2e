internal import RouteNetlink

extension Survey {
    /// A name for an interface must be free, here and in what was planned just now.
    mutating func checkNewName(_ configuration: PseudowireConfiguration) throws(PseudowireError) {
        let name = configuration.access
        guard PseudowireConfiguration.faultOfInterfaceName(name) == nil else { return }
        let client = client
        if madeInterfaces.contains(name) {
            refuse("interface", "\(name) is an interface of another pseudowire's; choose another name")
        } else if try netlink({ () throws(NetlinkError) in try client.links.find(named: name) }) != nil {
            refuse("interface", "\(name) exists already; choose another name, or carry its frames with --access")
        } else if (Splitter.pair.names + Joiner.pair.names).contains(name) {
            refuse("interface", "\(name) is what an interface of the datapath's own is called; choose another name")
        }
    }

    /// The hidden end's name is ours to choose, but may be taken.
    mutating func checkHiddenName(_ record: Record) throws(PseudowireError) {
        guard record.configuration.makesInterface else { return }
        let client = client
        let name = record.accessName
        if name == record.configuration.access {
            refuse("interface", "\(name) is the name that its hidden end needs; choose another")
        } else if try netlink({ () throws(NetlinkError) in try client.links.find(named: name) }) != nil {
            refuse("interface", "there is an interface \(name) that is not ours; its name is needed")
        }
    }

    mutating func accessInterface(_ configuration: PseudowireConfiguration) throws(PseudowireError) -> Link? {
        guard PseudowireConfiguration.faultOfInterfaceName(configuration.access) == nil,
            let link = try interface(configuration.access, field: "access")
        else { return nil }
        if let user = underlayUsers[link.index.rawValue] {
            refuse("access", "\(link.name) is an underlay of \(user); it cannot be both")
        }
        refuseSharing(of: link, configuration.vlan)
        return link
    }

    /// Pseudowires can share an access interface if no frame could belong to two of them.
    mutating func refuseSharing(of link: Link, _ vlan: PseudowireConfiguration.VLANSelection) {
        guard let held = holders[link.index.rawValue] else { return }
        if let name = held.all {
            refuse("access", "\(link.name) is the access interface of \(name) already, with all its frames")
        } else if vlan == .any {
            refuse(
                "vlan",
                "\(held.first.name) carries \(held.first.vlan.phrase) of \(link.name) already; "
                    + "give this one a VLAN of its own")
        } else if let name = held[vlan] {
            refuse("vlan", "\(name) carries \(vlan.phrase) of \(link.name) already; choose another")
        }
    }
}

/// Who carries what of one access interface.
final class AccessHolders {
    /// The first one that was noted.
    let first: (vlan: PseudowireConfiguration.VLANSelection, name: String)
    /// Who carries all frames.
    private(set) var all: String?
    private var byVLAN: [PseudowireConfiguration.VLANSelection: String] = [:]

    init(_ vlan: PseudowireConfiguration.VLANSelection, _ name: String) {
        first = (vlan, name)
        note(vlan, name)
    }

    func note(_ vlan: PseudowireConfiguration.VLANSelection, _ name: String) {
        if vlan == .any { all = name } else { byVLAN[vlan] = name }
    }

    subscript(_ vlan: PseudowireConfiguration.VLANSelection) -> String? { vlan == .any ? all : byVLAN[vlan] }
}
