internal import CPseudowireObject
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// Looks for what a configuration needs on this machine, and collects everything that is missing or taken.
struct Survey {
    /// Where a pseudowire will be.
    struct Place {
        var access: Link
        var underlays: [Link]
        /// The interface that the route to the peer names today.
        var wayOut: LinkIndex?
        var attached: Set<UInt32>

        /// Whether `auto` means to finish frames here.
        func finishes(_ offload: PseudowireConfiguration.Offload) -> Bool {
            switch offload {
            case .keep: false
            case .finish: true
            case .auto: underlays.contains { $0.kind == "veth" }
            }
        }

        func isAttached(_ link: Link) -> Bool { attached.contains(link.index.rawValue) }
    }

    private let client: RouteClient
    private var records: [Record]
    private(set) var faults: [ConfigurationFault] = []

    init(_ client: RouteClient, _ records: [Record]) {
        self.client = client
        self.records = records
    }

    mutating func refuse(_ field: String, _ message: String) {
        faults.append(ConfigurationFault(.refusal, field, message))
    }

    /// What was planned just now is there for what is planned next.
    mutating func add(_ record: Record) {
        records.append(record)
    }

    /// The place of a new pseudowire, or nil after noting what is wrong.
    mutating func place(_ configuration: PseudowireConfiguration) throws(PseudowireError) -> Place? {
        let before = faults.count
        faults += configuration.faults
        for record in records {
            let other = record.configuration
            if other.name == configuration.name {
                refuse("NAME", "\"\(other.name)\" exists already; choose another, or delete it first")
            }
            if other.session.local == configuration.session.local {
                refuse("session-id", "\(other.session.local) is the session of \(other.name) already; choose another")
            }
        }
        let access = try accessInterface(configuration)
        let underlays = try underlayInterfaces(configuration, access: access)
        guard let access, faults.count == before else { return nil }
        return Place(
            access: access, underlays: underlays.links, wayOut: underlays.wayOut,
            attached: Set(records.flatMap(\.underlays)))
    }

    private mutating func accessInterface(_ configuration: PseudowireConfiguration) throws(PseudowireError) -> Link? {
        guard PseudowireConfiguration.faultOfInterfaceName(configuration.access) == nil,
            let link = try interface(configuration.access, field: "access")
        else { return nil }
        if let holder = records.first(where: { $0.access == link.index.rawValue }) {
            refuse("access", "\(link.name) is the access interface of \(holder.configuration.name) already")
        } else if let user = records.first(where: { $0.underlays.contains(link.index.rawValue) }) {
            refuse("access", "\(link.name) is an underlay of \(user.configuration.name); it cannot be both")
        }
        return link
    }

    private mutating func underlayInterfaces(
        _ configuration: PseudowireConfiguration, access: Link?
    ) throws(PseudowireError) -> (links: [Link], wayOut: LinkIndex?) {
        let client = client
        let route = try netlink { () throws(NetlinkError) in
            try client.routes.lookup(to: configuration.tunnel.peer, from: nil)
        }
        var links: [Link] = []
        for name in configuration.underlays where PseudowireConfiguration.faultOfInterfaceName(name) == nil {
            if let link = try interface(name, field: "underlay") { links.append(link) }
        }
        if configuration.underlays.isEmpty {
            links = try discovered(configuration.tunnel, route).filter { $0.index != access?.index }
        }
        for link in links {
            if let holder = records.first(where: { $0.access == link.index.rawValue }) {
                refuse("underlay", "\(link.name) is the access interface of \(holder.configuration.name)")
            }
        }
        // One reason is enough for one option.
        if let out = route?.outputInterface, out == access?.index, !faults.contains(where: { $0.field == "access" }) {
            refuse("access", "\(configuration.access) is the way to the peer \(configuration.tunnel.peer)")
        }
        return (links, route?.outputInterface ?? links.first?.index)
    }

    /// Where the peer's packets can be expected if nobody says: where the route to it leads, and where our address is.
    ///
    /// Empty as long as there is neither.
    private func discovered(
        _ tunnel: PseudowireConfiguration.Tunnel, _ route: Route?
    ) throws(PseudowireError) -> [Link] {
        let client = client
        return try netlink { () throws(NetlinkError) in
            var indexes: [LinkIndex] = []
            if let out = route?.outputInterface { indexes.append(out) }
            for address in try client.addresses.list() where address.prefix.address == tunnel.local {
                if !indexes.contains(address.link) { indexes.append(address.link) }
            }
            var links: [Link] = []
            for index in indexes {
                if let link = try client.links.get(index), !link.flags.contains(.loopback) { links.append(link) }
            }
            return links
        }
    }

    /// An Ethernet interface by name.
    private mutating func interface(_ name: String, field: String) throws(PseudowireError) -> Link? {
        let client = client
        guard let link = try netlink({ () throws(NetlinkError) in try client.links.find(named: name) }) else {
            let names = try netlink { () throws(NetlinkError) in try client.links.list() }
                .filter { !$0.flags.contains(.loopback) && $0.alias != Splitter.alias }.map(\.name)
            let list = names.isEmpty ? "there is none" : "there is \(names.prefix(12).joined(separator: ", "))"
            refuse(field, "no interface \"\(name)\" here; \(list)")
            return nil
        }
        if link.flags.contains(.loopback) || link.hardwareType != 1 {  // ARPHRD_ETHER
            refuse(field, "\(name) is no Ethernet interface")
        } else if link.alias == Splitter.alias {
            refuse(field, "\(name) is part of the datapath itself")
        }
        return link
    }
}
