internal import RouteNetlink

/// A veth pair of the datapath's own, of which each namespace with pseudowires has one.
///
/// Frames are redirected to the outer end and come out of the inner one, where a program of ours takes them.
struct OwnPair {
    let outerName: String
    let innerName: String
    /// By which we know it for ours.
    let alias: String
    /// What each end is to leave to others, or to do.
    let outerOffloads: [LinkOffload: Bool]
    var innerOffloads: [LinkOffload: Bool] = [:]

    var names: [String] { [outerName, innerName] }

    /// The largest that a veth admits: it is never to be what a frame fails at.
    static let mtu: UInt32 = 65535

    /// The two ends.
    struct Indexes: Hashable, Sendable {
        /// Frames are redirected to this one.
        var outer: UInt32
        /// They come out of this one.
        var inner: UInt32
    }

    /// The pair's indexes, if it is there and ours; somebody may have renamed it.
    func find(_ client: RouteClient) throws(PseudowireError) -> Indexes? {
        do throws(PseudowireError) {
            if let found = try named(client) { return found }
        } catch {
            guard case .refused = error, let renamed = try marked(client) else { throw error }
            return renamed
        }
        return try marked(client)
    }

    /// The two ends that have our mark, whatever they are called.
    private func marked(_ client: RouteClient) throws(PseudowireError) -> Indexes? {
        let links = try netlink { () throws(NetlinkError) in try client.links.list() }.filter { $0.alias == alias }
        guard links.count == 2, links[0].peerHere == links[1].index, links[1].peerHere == links[0].index else {
            return nil
        }
        // What watches over it is on the outer end; a pair's second end is made first.
        let isFirst = links[0].xdp != nil || links[1].xdp == nil && links[0].index.rawValue > links[1].index.rawValue
        let (outer, inner) = isFirst ? (links[0], links[1]) : (links[1], links[0])
        return Indexes(outer: outer.index.rawValue, inner: inner.index.rawValue)
    }

    private func named(_ client: RouteClient) throws(PseudowireError) -> Indexes? {
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

    func setOffloads(_ pair: Indexes, _ client: RouteClient) throws(PseudowireError) {
        try netlink { () throws(NetlinkError) in
            try client.links.setOffloads(LinkIndex(rawValue: pair.outer), outerOffloads)
            try client.links.setOffloads(LinkIndex(rawValue: pair.inner), innerOffloads)
        }
    }

    /// Makes both ends again what they were made as, where somebody has altered them.
    func mend(_ pair: Indexes, _ client: RouteClient) throws(PseudowireError) {
        try netlink { () throws(NetlinkError) in
            for (index, offloads) in [(pair.outer, outerOffloads), (pair.inner, innerOffloads)] {
                let index = LinkIndex(rawValue: index)
                guard let link = try client.links.get(index) else { continue }
                if link.mtu != Self.mtu || !link.flags.contains(.up) {
                    var update = LinkUpdate(isUp: true)
                    update.mtu = Self.mtu
                    try client.links.update(index, update)
                }
                if offloads.isEmpty { continue }
                let features = try client.links.features(index)
                if offloads.contains(where: { features.isOn($0) != $1 }) {
                    try client.links.setOffloads(index, offloads)
                }
            }
        }
    }

    /// Whether both ends are as they were made, as far as interfaces tell.
    func isWhole(_ pair: Indexes, _ links: [UInt32: Link]) -> Bool {
        [pair.outer, pair.inner].allSatisfy { index in
            links[index].map { $0.alias == alias && $0.flags.contains(.up) && $0.mtu == Self.mtu } ?? false
        }
    }

    /// Removes the pair; one end takes the other with it.
    ///
    /// Where its names are somebody else's by now there is nothing of ours to be removed.
    func remove(_ client: RouteClient) throws(PseudowireError) {
        let found: Indexes?
        do throws(PseudowireError) { found = try find(client) } catch {
            guard case .refused = error else { throw error }
            return
        }
        guard let pair = found else { return }
        try netlink { () throws(NetlinkError) in try client.links.delete(LinkIndex(rawValue: pair.outer)) }
    }
}
