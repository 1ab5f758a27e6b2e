internal import CPseudowireObject
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// Looks for what a configuration needs on this machine, and collects everything that is missing or taken.
struct Survey {
    /// Where a pseudowire will be.
    struct Place {
        /// Nil where it is made with the pseudowire.
        var access: Link?
        var underlays: [Link]
        /// The interface that the route to the peer names today.
        var wayOut: LinkIndex?
        /// What the path to the peer takes today; nil without a route.
        var pathMTU: Int?
        /// Whether there is a route to the peer and our address is on an interface.
        var isConnected: Bool

        /// Whether `auto` means to finish frames here.
        func finishes(_ offload: PseudowireConfiguration.Offload) -> Bool {
            switch offload {
            case .keep: false
            case .finish: true
            case .auto: underlays.contains { $0.kind == "veth" }
            }
        }

        /// How an interface for the customer is to be: as long as no path is known, as if it were an Ethernet.
        func shape(_ configuration: PseudowireConfiguration) -> CustomerPort.Shape {
            CustomerPort.Shape(mtu: configuration.interfaceMTU(path: pathMTU ?? 1500), isDormant: !isConnected)
        }
    }

    let client: RouteClient
    private(set) var records: [Record]
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
        let access = try configuration.makesInterface ? nil : accessInterface(configuration)
        if configuration.makesInterface { try checkNewName(configuration) }
        let underlays = try underlayInterfaces(configuration, access: access)
        guard faults.count == before, access != nil || configuration.makesInterface else { return nil }
        return Place(
            access: access, underlays: underlays.links, wayOut: underlays.wayOut, pathMTU: underlays.pathMTU,
            isConnected: underlays.pathMTU != nil && underlays.hasLocalAddress)
    }

    /// Whether a whole pseudowire has put our filter there already.
    func hasDecap(_ link: Link) -> Bool {
        records.contains { $0.isReady && $0.underlays.contains(link.index.rawValue) }
    }

    /// The same of the other filter.
    func hasEncap(_ link: Link) -> Bool {
        records.contains { $0.isReady && $0.access == link.index.rawValue }
    }

    static let strangeHeader = "has a link header that is not Ethernet's; name another interface"

    /// An interface by name, of a kind that can be what it is to be.
    mutating func interface(_ name: String, field: String) throws(PseudowireError) -> Link? {
        let client = client
        guard let link = try netlink({ () throws(NetlinkError) in try client.links.find(named: name) }) else {
            let names = try netlink { () throws(NetlinkError) in try client.links.list() }
                .filter { !$0.flags.contains(.loopback) && !Self.isHidden($0) }.map(\.name)
            let list = names.isEmpty ? "there is none" : "there is \(names.prefix(12).joined(separator: ", "))"
            refuse(field, "no interface \"\(name)\" here; \(list)")
            return nil
        }
        if link.flags.contains(.loopback) || (field == "access" && !link.hasEthernetHeader) {
            refuse(field, "\(name) is no Ethernet interface")
        } else if !link.canBeUnderlay {
            refuse(field, "\(name) \(Self.strangeHeader)")
        } else if Self.isHidden(link) {
            refuse(field, "\(name) is part of the datapath itself")
        } else {
            return link
        }
        // One reason is enough for one option.
        return nil
    }

    private static func isHidden(_ link: Link) -> Bool {
        link.alias == Splitter.alias || link.alias == CustomerPort.alias
    }
}
