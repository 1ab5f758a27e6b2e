internal import RouteNetlink

/// A veth pair of the datapath's own, of which each namespace with pseudowires has one.
///
/// Frames are redirected to the outer end and come out of the inner one, where a program of ours takes them.
struct OwnPair {
    let outerName: String
    let innerName: String
    /// By which we know it for ours.
    let alias: String

    /// The largest that a veth admits: it is never to be what a frame fails at.
    static let mtu: UInt32 = 65535

    /// The two ends.
    struct Indexes: Hashable, Sendable {
        var outer: UInt32
        var inner: UInt32
    }

    /// The pair's indexes, if it is there and ours.
    func find(_ client: RouteClient) throws(PseudowireError) -> Indexes? {
        let outer = try netlink { () throws(NetlinkError) in try client.links.find(named: outerName) }
        let inner = try netlink { () throws(NetlinkError) in try client.links.find(named: innerName) }
        guard let outer, let inner else {
            guard outer == nil, inner == nil else {
                throw .refused("there is an interface \(outer?.name ?? innerName) that is not ours; its name is needed")
            }
            return nil
        }
        // The alias cannot come with the pair: a command that died in between leaves one that nobody has named or used.
        let isNew = outer.alias == nil && inner.alias == nil && !outer.flags.contains(.up) && !inner.flags.contains(.up)
        guard outer.alias == alias || isNew, outer.peerHere == inner.index else {
            throw .refused("the interfaces \(outerName) and \(innerName) are not ours; their names are needed")
        }
        return Indexes(outer: outer.index.rawValue, inner: inner.index.rawValue)
    }

    /// Makes the pair and names it ours; it is down yet.
    ///
    /// - Parameters:
    ///   - forwards: whether IPv4 is forwarded from the inner end.
    ///   - points: what is reached when it is made, and when it is named.
    func make(
        _ client: RouteClient, queues: UInt32? = nil, forwards: Bool = false,
        _ points: (made: FaultPoint, named: FaultPoint)
    ) throws(PseudowireError) -> Indexes {
        var specification = LinkSpecification.veth(outerName, peer: .init(name: innerName, queues: queues))
        specification.mtu = Self.mtu
        specification.queues = queues
        let outer = try netlink { () throws(NetlinkError) in try client.links.create(specification) }
        do throws(PseudowireError) {
            try points.made.reach()
            guard let inner = try netlink({ () throws(NetlinkError) in try client.links.find(named: innerName) }) else {
                throw PseudowireError.refused("\(innerName) vanished as soon as it was made")
            }
            try netlink { () throws(NetlinkError) in
                for index in [outer.index, inner.index] {
                    // No IPv6 addresses: nothing may speak on this link but the datapath.
                    var update = LinkUpdate(alias: alias, addressGenerationMode: .some(.none))
                    update.mtu = Self.mtu
                    if forwards, index == inner.index { update.ipv4Forwarding = true }
                    try client.links.update(index, update)
                }
            }
            try points.named.reach()
            return Indexes(outer: outer.index.rawValue, inner: inner.index.rawValue)
        } catch {
            try? client.links.delete(outer.index)
            throw error
        }
    }

    static func setUp(_ pair: Indexes, _ client: RouteClient) throws(PseudowireError) {
        try netlink { () throws(NetlinkError) in
            for index in [pair.outer, pair.inner] {
                try client.links.update(LinkIndex(rawValue: index), LinkUpdate(isUp: true))
            }
        }
    }

    /// Removes the pair; one end takes the other with it.
    func remove(_ client: RouteClient) throws(PseudowireError) {
        guard let pair = try find(client) else { return }
        try netlink { () throws(NetlinkError) in try client.links.delete(LinkIndex(rawValue: pair.outer)) }
    }
}
