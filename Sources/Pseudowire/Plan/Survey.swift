internal import CPseudowireObject
internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// Looks for what a configuration needs on this machine, and collects everything that is missing or taken.
struct Survey {
    /// Where a pseudowire will be: one object for all that are at one.
    final class Place {
        /// Nil where it is made with the pseudowire.
        let access: Link?
        /// The hidden end of one that was made with the pseudowire before; such a place is its alone.
        var hidden: Link?
        let underlays: [Link]
        let underlayIndexes: [UInt32]
        /// The interface that the route to the peer names today.
        let wayOut: LinkIndex?
        /// What the path to the peer takes today; nil without a route.
        let pathMTU: Int?
        /// Whether there is a route to the peer and our address is on an interface.
        let isConnected: Bool

        init(_ access: Link?, _ found: Underlays) {
            self.access = access
            underlays = found.links
            underlayIndexes = found.links.map(\.index.rawValue)
            wayOut = found.wayOut
            pathMTU = found.pathMTU
            isConnected = found.pathMTU != nil && found.hasLocalAddress
        }

        /// Whether `auto` means to finish frames here.
        func finishes(_ offload: PseudowireConfiguration.Offload) -> Bool {
            switch offload {
            case .keep: false
            case .finish: true
            case .auto: underlays.contains { $0.kind == "veth" }
            }
        }

        /// Whether `auto` means to join segments here.
        func coalesces(_ coalesce: PseudowireConfiguration.Coalesce) -> Bool {
            switch coalesce {
            case .on: true
            case .off: false
            // One that is made with the pseudowire will be a veth.
            case .auto: access.map { $0.kind == "veth" } ?? true
            }
        }

        /// How an interface for the customer is to be: as long as no path is known, as if it were an Ethernet.
        func shape(_ configuration: PseudowireConfiguration) -> CustomerPort.Shape {
            CustomerPort.Shape(mtu: configuration.interfaceMTU(path: pathMTU ?? 1500), isDormant: !isConnected)
        }
    }

    let client: RouteClient
    let cache: SurveyCache
    var faults: [ConfigurationFault] = []
    /// Whether a missing interface is answered with those that there are: news for who has just typed its name only.
    var offersOthers = true
    private var names: Set<String> = []
    private var sessions: [SessionID: String] = [:]
    /// Interface names that were or will be made with a pseudowire.
    private(set) var madeInterfaces: Set<String> = []
    /// Who carries what of an access interface.
    private(set) var holders: [UInt32: AccessHolders] = [:]
    /// One of those who take packets in at an interface.
    private(set) var underlayUsers: [UInt32: String] = [:]
    /// The underlays of the one that was noted last: the next one often has the same.
    private var notedUnderlays: [UInt32] = []
    /// The interfaces on which a whole pseudowire has put our filters, and those on which one will.
    private var attached: [Attachment.Role: Set<UInt32>] = [:]
    private var planned: [Attachment.Role: Set<UInt32>] = [:]
    /// Where the one was that was planned last: the next one is often there as well.
    private var latest: (access: UInt32, underlays: [UInt32])?
    /// The same of the one whose filters were planned last, if it wanted them nowhere in particular.
    var filtered: (access: UInt32, underlays: [UInt32])?
    /// What is really there; nil: what was put there.
    var filters: FilterPresence?
    /// The interfaces that carry filters of ours, with what was planned just now.
    var ports: [UInt32: pw_port] = [:]
    /// Who has asked for what of an interface's filters.
    private(set) var wishes: [UInt32: (attach: PseudowireConfiguration.Attach, name: String)] = [:]

    /// By access interface, as long as no other one becomes one, or an underlay: none is both.
    var neighbours: [String: Neighbour] = [:]

    init(_ client: RouteClient, _ records: [Record], _ cache: SurveyCache? = nil) {
        self.client = client
        self.cache = cache ?? SurveyCache(client)
        for record in records {
            names.insert(record.configuration.name)
            sessions[record.configuration.session.local] = record.configuration.name
            note(record)
            if record.isReady { addFilters(of: record) }
        }
    }

    /// So many will be added: what is looked up need not be moved while it grows.
    mutating func reserveCapacity(_ count: Int) {
        names.reserveCapacity(names.count + count)
        sessions.reserveCapacity(sessions.count + count)
    }

    mutating func refuse(_ field: String, _ message: String) {
        faults.append(ConfigurationFault(.refusal, field, message))
    }

    /// What was given a place just now is there for what is planned next.
    mutating func add(_ record: Record) {
        note(record)
        guard record.isReady, latest?.access != record.access || latest?.underlays != record.underlays else { return }
        planned[.underlay, default: []].formUnion(record.underlays)
        planned[.access, default: []].insert(record.access)
        latest = (record.access, record.underlays)
    }

    /// Whether nobody who was given a place before has taken anything of one that would stay in its own.
    func hasRoom(for record: Record) -> Bool {
        let configuration = record.configuration
        if let held = holders[record.access],
            held.all != nil || configuration.vlan == .any || held[configuration.vlan] != nil
        {
            return false
        }
        return sessions[configuration.session.local] == configuration.name && underlayUsers[record.access] == nil
            && record.underlays.allSatisfy { holders[$0] == nil }
    }

    private mutating func note(_ record: Record) {
        let name = record.configuration.name
        if record.configuration.makesInterface { madeInterfaces.insert(record.configuration.access) }
        if record.access != 0 {
            if let held = holders[record.access] {
                held.note(record.configuration.vlan, name)
            } else {
                neighbours = [:]
                holders[record.access] = AccessHolders(record.configuration.vlan, name)
            }
        }
        if record.underlays != notedUnderlays {
            notedUnderlays = record.underlays
            for underlay in notedUnderlays where underlayUsers[underlay] == nil {
                neighbours = [:]
                underlayUsers[underlay] = name
            }
        }
        let attach = record.configuration.attach
        if attach != .auto {
            filtered = nil
            for interface in record.underlays + [record.access] where interface != 0 {
                wishes[interface] = (attach, name)
            }
        }
    }

    /// Filters that are there, whoever will use them.
    mutating func addFilters(of record: Record) {
        attached[.underlay, default: []].formUnion(record.underlays)
        attached[.access, default: []].insert(record.access)
    }

    /// The place of a new pseudowire, or nil after noting what is wrong.
    ///
    /// Its name and its session are taken from here on.
    ///
    /// - Parameter keepsInterface: the interface that is made with it is there already.
    mutating func place(
        _ configuration: PseudowireConfiguration, keepsInterface: Bool = false
    ) throws(PseudowireError) -> Place? {
        let before = faults.count
        faults += configuration.faults
        if !names.insert(configuration.name).inserted {
            refuse("NAME", "\"\(configuration.name)\" exists already; choose another, or delete it first")
        }
        if let other = sessions.updateValue(configuration.name, forKey: configuration.session.local) {
            sessions[configuration.session.local] = other
            refuse("session-id", "\(configuration.session.local) is the session of \(other) already; choose another")
        }
        if let place = neighbour(of: configuration), let access = place.access {
            refuseSharing(of: access, configuration.vlan)
            if configuration.attach != .auto { try checkAttachment(configuration, [access] + place.underlays) }
            return faults.count == before ? place : nil
        }
        let access = try configuration.makesInterface ? nil : accessInterface(configuration)
        if configuration.makesInterface, !keepsInterface { try checkNewName(configuration) }
        let underlays = try underlayInterfaces(configuration, access)
        let place = Place(access, underlays)
        if let access, faults.count == before {
            neighbours[access.name] = Neighbour(
                tunnel: configuration.tunnel, names: configuration.underlays, place: place)
        }
        if configuration.attach != .auto {
            try checkAttachment(configuration, (access.map { [$0] } ?? []) + underlays.links)
        }
        return faults.count == before && (access != nil || configuration.makesInterface) ? place : nil
    }

    /// Whether our filter for the peer's packets is there already.
    func hasDecap(_ link: Link) throws(PseudowireError) -> Bool { try has(.underlay, link) }

    /// The same of the other filter.
    func hasEncap(_ link: Link) throws(PseudowireError) -> Bool { try has(.access, link) }

    private func has(_ role: Attachment.Role, _ link: Link) throws(PseudowireError) -> Bool {
        let index = link.index.rawValue
        if planned[role]?.contains(index) == true { return true }
        guard attached[role]?.contains(index) == true else { return false }
        return try filters?.isWhole(role, on: link) ?? true
    }

    static let strangeHeader = "has a link header that is not Ethernet's; name another interface"

    /// An interface by name, of a kind that can be what it is to be.
    mutating func interface(_ name: String, field: String) throws(PseudowireError) -> Link? {
        let cache = cache
        guard let link = try netlink({ () throws(NetlinkError) in try cache.link(named: name) }) else {
            guard offersOthers else {
                refuse(field, "no interface \"\(name)\" here")
                return nil
            }
            let names = try netlink { () throws(NetlinkError) in try cache.allLinks() }
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
        [Splitter.pair.alias, Joiner.pair.alias, CustomerPort.alias].contains(link.alias)
    }
}
