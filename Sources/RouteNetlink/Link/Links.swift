internal import CPseudowireMNL
internal import SystemPackage

/// The interfaces of a client's namespace.
///
/// ```swift
/// guard let link = try client.links.find(named: "eth0") else { … }
/// var update = LinkUpdate()
/// update.mtu = 1400
/// update.isUp = true
/// try client.links.update(link.index, update)
/// ```
///
/// Errors: `NetlinkError`; `isNotFound` is `ENODEV`, `isAlreadyPresent` is `EEXIST`.
public struct Links {
    let client: RouteClient

    /// The interface with this name or alternative name, or nil. One request, however many interfaces there are.
    public func find(named name: String) throws(NetlinkError) -> Link? {
        try one(LinkMessage.get(named: name), "find link \(name)")
    }

    /// The interface with this index, or nil.
    public func get(_ index: LinkIndex) throws(NetlinkError) -> Link? {
        try one(LinkMessage.get(index), "get link \(index)")
    }

    /// All interfaces, as they were at one moment.
    public func list() throws(NetlinkError) -> [Link] {
        try client.socket.dump(LinkMessage.list(), .link, "list links", parse: LinkMessage.parse)
    }

    /// Makes an interface.
    ///
    /// - Returns: the interface; of one that is made in another namespace only what was asked for, its index being 0.
    @discardableResult
    public func create(_ specification: LinkSpecification) throws(NetlinkError) -> Link {
        let operation = "create \(specification.kind.name) \(specification.name)"
        var created: Link?
        try client.socket.perform(LinkMessage.create(specification), .link, operation) { message throws(MalformedMessage) in
            if let link = try LinkMessage.parse(message) { created = link }
        }
        if let created { return created }
        if specification.namespace == nil, let found = try find(named: specification.name) { return found }
        return Link(
            index: LinkIndex(rawValue: 0), name: specification.name, kind: specification.kind.name,
            mtu: specification.mtu ?? 0, address: specification.address, flags: [], hardwareType: 1,
            operationalState: 0, promiscuity: 0)
    }

    /// Changes an interface, in one request.
    public func update(_ index: LinkIndex, _ update: LinkUpdate) throws(NetlinkError) {
        try client.socket.perform(LinkMessage.update(index, update), .link, "change link \(index)")
    }

    /// Removes an interface; of a veth pair both.
    public func delete(_ index: LinkIndex) throws(NetlinkError) {
        try client.socket.perform(LinkMessage.delete(index), .link, "delete link \(index)")
    }

    private func one(_ request: Request, _ operation: String) throws(NetlinkError) -> Link? {
        var found: Link?
        do {
            try client.socket.perform(request, .link, operation) { message throws(MalformedMessage) in
                if let link = try LinkMessage.parse(message) { found = link }
            }
        } catch where error.isNotFound {
            return nil
        }
        return found
    }
}
