import CPseudowireMNL
import SystemPackage

/// The interfaces of a client's namespace.
///
/// ```swift
/// let bridge = try client.links.create(.bridge("br0", isUp: true))
/// try client.links.update(veth.index, LinkUpdate(master: bridge.index))
/// ```
public struct Links {
    let client: RouteClient

    /// The interface that has `name`, also as an alternative name; nil when there is none.
    ///
    /// One request, never a dump.
    ///
    /// With `namespace` it is looked for in that one, whose numbers and names the answer has then (Linux 4.20).
    public func find(named name: String, in namespace: NamespaceID? = nil) throws(NetlinkError) -> Link? {
        guard !name.isEmpty, name.utf8.count < 128 else { return nil }
        return try one(LinkRequest.find(name, in: namespace), "find link \(name)")
    }

    /// The interface with this index; nil when there is none.
    public func get(_ index: LinkIndex, in namespace: NamespaceID? = nil) throws(NetlinkError) -> Link? {
        guard index.rawValue != 0 else { return nil }
        return try one(LinkRequest.get(index, in: namespace), "get link \(index)")
    }

    /// All interfaces, as of one moment: a list that changed while it was read is read again.
    ///
    /// With `namespace` those of another one that ours has a number for: `client.namespaces` (Linux 4.20).
    ///
    /// - Throws: `EINVAL` for a number of no namespace, `EACCES` for one that we may not administer.
    public func list(in namespace: NamespaceID? = nil) throws(NetlinkError) -> [Link] {
        try client.socket.dump(LinkRequest.list(in: namespace), .link, "list links") {
            message throws(MalformedMessage) in try Link(message)
        }
    }

    /// Makes an interface, a veth or netkit with both its ends, and returns it.
    ///
    /// ```swift
    /// let left = try client.links.create(.veth("left", peer: .init(name: "right", namespace: blue.fileDescriptor)))
    /// ```
    ///
    /// One request, whose echo describes the result (Linux 6.2; looked up by name before that, and for a link that is
    /// born in another namespace). For a name that is left open, those that are taken are listed first, and the next is
    /// tried when somebody is faster. An alias, and a peer that shall be up, take another request each; when one
    /// fails, the interface is deleted again.
    ///
    /// - Throws: `isAlreadyPresent` when a name is taken.
    @discardableResult
    public func create(_ link: LinkSpecification) throws(NetlinkError) -> Link {
        // Before anything is made: what we then could not reach would stay.
        let home = try link.namespace.map(visitor) ?? client
        var created = try make(link, in: home)
        do throws(NetlinkError) {
            if let alias = link.alias {
                try home.links.update(created.index, LinkUpdate(alias: alias))
                created.alias = alias
            }
            if let peer = link.kind.peer, peer.isUp, let index = created.peer {
                let away = try peer.namespace.map(visitor) ?? client
                try away.links.update(index, LinkUpdate(isUp: true))
                // The carrier came with it.
                created = try home.links.get(created.index) ?? created
            }
        } catch {
            try? home.links.delete(created.index)
            throw error
        }
        return created
    }

    /// How often a name is chosen: whoever loses one to somebody else takes the next.
    private static let nameAttempts = 32

    /// Makes an interface in the namespace of `home`, under the first name that is free when it is ours to choose.
    ///
    /// The kernel would choose too, but where it does not echo nobody would know what.
    private func make(_ link: LinkSpecification, in home: RouteClient) throws(NetlinkError) -> Link {
        guard let pattern = link.namePattern else { return try make(named: link, in: home) }
        var taken = try home.links.names()
        // Older kernels look for it where the request comes from, wherever the link is to be born.
        if link.namespace != nil { taken.formUnion(try names()) }
        var link = link
        var attempt = 1
        while true {
            link.name = pattern.first(notIn: taken)
            do throws(NetlinkError) {
                return try make(named: link, in: home)
            } catch {
                guard error.isAlreadyPresent, attempt < Self.nameAttempts else { throw error }
            }
            // Somebody was faster, or the other end, for which the kernel chooses first.
            taken.insert(link.name)
            attempt += 1
        }
    }

    private func make(named link: LinkSpecification, in home: RouteClient) throws(NetlinkError) -> Link {
        let operation = "create \(link.kind.name) \(link.name)"
        let request = LinkRequest.create(link)
        let echoed = try client.socket.object(request, .link, operation) { message throws(MalformedMessage) in
            try Link(message)
        }
        if let echoed { return echoed }
        guard let found = try home.links.find(named: link.name) else {
            throw NetlinkError(.noSuchDevice, operation, object: .link, message: "it is gone already")
        }
        return found
    }

    /// All names that are taken, alternative ones too.
    private func names() throws(NetlinkError) -> Set<String> {
        try list().reduce(into: []) { names, link in
            names.insert(link.name)
            names.formUnion(link.alternativeNames)
        }
    }

    /// A client in the namespace of a descriptor that was lent to us.
    private func visitor(_ descriptor: Int32) throws(NetlinkError) -> RouteClient {
        guard client.script == nil else {
            throw NetlinkError(.notSupported, "visit another namespace", message: "that cannot be scripted")
        }
        return try RouteClient(in: NetworkNamespace(duplicating: descriptor))
    }

    /// Changes an interface; see `LinkUpdate`.
    public func update(_ index: LinkIndex, _ update: LinkUpdate) throws(NetlinkError) {
        try require(index, "update link")
        try client.socket.perform(LinkRequest.update(index, update), .link, "update link \(index)")
    }

    /// Deletes an interface; with one end of a veth goes the other.
    ///
    /// - Throws: `isNotFound` when there is none, `EOPNOTSUPP` for hardware and the loopback.
    public func delete(_ index: LinkIndex) throws(NetlinkError) {
        try require(index, "delete link")
        try client.socket.perform(LinkRequest.delete(index), .link, "delete link \(index)")
    }

    /// Gives an interface one more name, of up to 127 bytes, by which `find(named:)` finds it too (Linux 5.5).
    ///
    /// - Throws: `isAlreadyPresent` when any interface has that name.
    public func addAlternativeName(_ name: String, to index: LinkIndex) throws(NetlinkError) {
        try require(index, "name link")
        try client.socket.perform(
            LinkRequest.alternativeName(Int(RTM_NEWLINKPROP), index, name), .link,
            "add alternative name \(name) to link \(index)")
    }

    /// Takes an alternative name away.
    ///
    /// - Throws: `isNotFound` when there is no such interface or nobody has the name, `EINVAL` when the name is
    ///   another interface's, or not an alternative one.
    public func deleteAlternativeName(_ name: String, from index: LinkIndex) throws(NetlinkError) {
        try require(index, "name link")
        try client.socket.perform(
            LinkRequest.alternativeName(Int(RTM_DELLINKPROP), index, name), .link,
            "delete alternative name \(name) from link \(index)")
    }

    /// Refuses index 0, by which the kernel understands other things than "no interface".
    private func require(_ index: LinkIndex, _ operation: String) throws(NetlinkError) {
        guard index.rawValue != 0 else {
            throw NetlinkError(.invalidArgument, "\(operation) 0", object: .link, message: "0 is no interface's index")
        }
    }

    private func one(
        _ request: consuming Request, _ operation: @autoclosure () -> String
    ) throws(NetlinkError) -> Link? {
        do throws(NetlinkError) {
            return try client.socket.object(request, .link, operation()) { message throws(MalformedMessage) in
                try Link(message)
            }
        } catch {
            if error.errno == .noSuchDevice { return nil }
            throw error
        }
    }
}
