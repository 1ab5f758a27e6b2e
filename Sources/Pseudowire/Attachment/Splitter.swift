internal import Glibc
internal import RouteNetlink
internal import SystemPackage

/// The veth pair of ours that each namespace with pseudowires has one of.
///
/// It does two jobs. Segmentation-offload frames that the kernel could not cut once they are inside a packet are sent
/// into its outer end, which has no offloads, and so come out of the inner end as frames of wire size. And the datapath
/// looks routes up as if frames came in at its inner end, the only interface on which forwarding is on: so no
/// sysctl of the machine's has to be touched.
struct Splitter {
    static let outerName = "pw-split0"
    static let innerName = "pw-split1"
    /// By which we know it for ours.
    static let alias = "swift-pseudowire splitter"
    /// The largest that a veth admits: it is never to be what a frame fails at.
    static let mtu: UInt32 = 65535

    /// The pair's indexes, if it is there and ours.
    static func find(_ client: RouteClient) throws(PseudowireError) -> SplitterIndexes? {
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
        guard outer.alias == alias || isNew, outer.peer == inner.index else {
            throw .refused("the interfaces \(outerName) and \(innerName) are not ours; their names are needed")
        }
        return SplitterIndexes(outer: outer.index.rawValue, inner: inner.index.rawValue)
    }

    /// Makes the pair.
    static func create(_ client: RouteClient, in namespace: borrowing NetworkNamespace) throws(PseudowireError)
        -> SplitterIndexes
    {
        var specification = LinkSpecification.veth(outerName, peer: .init(name: innerName))
        specification.mtu = mtu
        let outer = try netlink { () throws(NetlinkError) in try client.links.create(specification) }
        do throws(PseudowireError) {
            try FaultPoint.splitterMade.reach()
            guard let inner = try netlink({ () throws(NetlinkError) in try client.links.find(named: innerName) }) else {
                throw PseudowireError.refused("\(innerName) vanished as soon as it was made")
            }
            try netlink { () throws(NetlinkError) in
                for (index, text) in [(outer.index, alias), (inner.index, alias)] {
                    // No IPv6 addresses: nothing may speak on this link but the datapath.
                    var update = LinkUpdate()
                    update.alias = text
                    update.mtu = mtu
                    update.addressGenerationMode = LinkUpdate.AddressGenerationMode.none
                    if index == inner.index { update.ipv4Forwarding = true }
                    try client.links.update(index, update)
                }
            }
            try FaultPoint.splitterNamed.reach()
            try netlink { () throws(NetlinkError) in
                try client.links.setOffloads(
                    outer.index,
                    [.tcpSegmentation: false, .genericSegmentation: false, .transmitChecksum: false])
                for index in [outer.index, inner.index] {
                    var update = LinkUpdate()
                    update.isUp = true
                    try client.links.update(index, update)
                }
            }
            try FaultPoint.splitterUp.reach()
            // There is no netlink attribute for it. Where /proc/sys cannot be written, or there is no IPv6, the
            // datapath falls back to the interface that the route named when the pseudowire was configured.
            _ = try netlink { () throws(NetlinkError) in
                try namespace.run {
                    FileSystem.overwrite("/proc/sys/net/ipv6/conf/", suffix: "\(innerName)/forwarding", with: "1")
                }
            }
            return SplitterIndexes(outer: outer.index.rawValue, inner: inner.index.rawValue)
        } catch {
            try? client.links.delete(outer.index)
            throw error
        }
    }

    /// Removes the pair; one end takes the other with it.
    static func remove(_ client: RouteClient) throws(PseudowireError) {
        guard let indexes = try find(client) else { return }
        try netlink { () throws(NetlinkError) in try client.links.delete(LinkIndex(rawValue: indexes.outer)) }
    }
}
