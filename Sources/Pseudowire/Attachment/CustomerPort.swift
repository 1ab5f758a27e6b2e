internal import RouteNetlink

/// An interface that is made with a pseudowire: one end of a veth for the customer, the other one for the datapath.
///
/// What the customer sends comes in at the hidden end, where `pw_encap` is; what `pw_decap` sends out of the hidden
/// end comes in at the customer's.
enum CustomerPort {
    /// By which we know a hidden end for ours.
    static let alias = "swift-pseudowire port"

    static func hiddenName(slot: UInt32) -> String { "pw-\(slot)" }

    /// How the customer's end is made.
    struct Shape: Hashable, Sendable {
        /// The largest IP packet that the session takes.
        var mtu: UInt32
        /// Whether it says so that the pseudowire cannot carry anything yet.
        var isDormant: Bool
    }

    /// The customer's end, by its index, for it may have been renamed; nil once it has left this namespace.
    static func customerEnd(of hidden: Link, in links: [UInt32: Link]) -> Link? {
        guard let peer = hidden.peerHere, let end = links[peer.rawValue] else { return nil }
        return end.peerHere == hidden.index ? end : nil
    }

    /// Makes the pair; returns the hidden end's index.
    static func create(_ name: String, hidden: String, _ shape: Shape, _ client: RouteClient) throws(PseudowireError)
        -> UInt32
    {
        // The hidden end's MTU is never to be what a frame fails at.
        var specification = LinkSpecification.veth(name, peer: .init(name: hidden, mtu: OwnPair.mtu))
        specification.mtu = shape.mtu
        let end = try netlink { () throws(NetlinkError) in try client.links.create(specification) }
        do throws(PseudowireError) {
            try FaultPoint.pairMade.reach()
            guard let other = try netlink({ () throws(NetlinkError) in try client.links.find(named: hidden) }) else {
                throw PseudowireError.refused("\(hidden) vanished as soon as it was made")
            }
            try complete(other, shape, client)
            return other.index.rawValue
        } catch {
            try? client.links.delete(end.index)
            throw error
        }
    }

    /// The hidden end's index, of a pair that is there or made now.
    static func ensure(
        _ name: String, _ index: UInt32, hidden: String, _ shape: Shape, _ client: RouteClient
    ) throws(PseudowireError) -> UInt32 {
        guard let link = try find(index, hidden: hidden, client) else {
            return try create(name, hidden: hidden, shape, client)
        }
        try complete(link, shape, client)
        return link.index.rawValue
    }

    /// Does the rest for a pair that is there; one that is whole stays as it is.
    static func complete(_ hidden: Link, _ shape: Shape, _ client: RouteClient) throws(PseudowireError) {
        guard hidden.alias != alias || !hidden.flags.contains(.up) else { return }
        // Before the hidden end is up, which says that all is done.
        if shape.isDormant, let end = hidden.peerHere {
            try netlink { () throws(NetlinkError) in try client.links.update(end, LinkUpdate(linkMode: .dormant)) }
        }
        try netlink { () throws(NetlinkError) in
            // No IPv6 addresses: nothing may speak on this end but the datapath.
            try client.links.update(hidden.index, LinkUpdate(alias: alias, addressGenerationMode: .some(.none)))
        }
        try FaultPoint.pairNamed.reach()
        try netlink { () throws(NetlinkError) in try client.links.update(hidden.index, LinkUpdate(isUp: true)) }
        try FaultPoint.pairUp.reach()
    }

    /// The hidden end, if it is there and ours.
    static func find(_ index: UInt32, hidden: String, _ client: RouteClient) throws(PseudowireError) -> Link? {
        let link = try netlink { () throws(NetlinkError) in
            index == 0
                ? try client.links.find(named: hidden) : try client.links.get(LinkIndex(rawValue: index))
        }
        guard let link else { return nil }
        // The alias cannot come with the pair: a command that died in between leaves one that nobody has named or used.
        let isNew = index == 0 && link.alias == nil && link.kind == "veth" && !link.flags.contains(.up)
        return link.alias == alias || isNew ? link : nil
    }

    /// Removes the pair; one that is gone, or has become somebody else's, is no error.
    static func remove(_ index: UInt32, hidden: String, _ client: RouteClient) throws(PseudowireError) {
        guard let link = try find(index, hidden: hidden, client) else { return }
        try netlink { () throws(NetlinkError) in try client.links.delete(link.index) }
        try FaultPoint.pairRemoved.reach()
    }
}

extension Link {
    /// The other end of a pair, as long as it is in this namespace: elsewhere its index is another interface's.
    var peerHere: LinkIndex? { linkNamespaceID == nil ? peer : nil }
}

extension PseudowireConfiguration {
    /// The largest IP packet that a path takes, as an interface's MTU.
    func interfaceMTU(path: Int) -> UInt32 {
        let fitting = min(overhead.pseudowireMTU(underlay: path), Int(mtu ?? Self.mtus.upperBound))
        return UInt32(max(fitting, Int(Self.mtus.lowerBound)))
    }
}
