internal import Glibc
internal import RouteNetlink
internal import SystemPackage

/// The pair of ours that makes frames of wire size out of large ones.
///
/// It does two jobs. Segmentation-offload frames that the kernel could not cut once they are inside a packet are sent
/// into its outer end, which has no offloads, and so come out of the inner end as frames of wire size. And the datapath
/// looks routes up as if frames came in at its inner end, the only interface on which forwarding is on: so no
/// sysctl of the machine's has to be touched.
enum Splitter {
    static let pair = OwnPair(
        outerName: "pw-split0", innerName: "pw-split1", alias: "swift-pseudowire splitter",
        outerOffloads: [.tcpSegmentation: false, .genericSegmentation: false, .transmitChecksum: false])

    /// The pair's indexes, if it is there and ours.
    static func find(_ client: RouteClient) throws(PseudowireError) -> OwnPair.Indexes? {
        try pair.find(client)
    }

    /// Makes the pair.
    static func create(_ client: RouteClient, in namespace: borrowing NetworkNamespace) throws(PseudowireError)
        -> OwnPair.Indexes
    {
        let made = try pair.make(client, forwards: true, (.splitterMade, .splitterNamed))
        do throws(PseudowireError) {
            try pair.setOffloads(made, client)
            try OwnPair.setUp(made, client)
            try FaultPoint.splitterUp.reach()
            try forwardIPv6(in: namespace)
            return made
        } catch {
            try? client.links.delete(LinkIndex(rawValue: made.outer))
            throw error
        }
    }

    /// Has routes for IPv6 looked up from the inner end as well.
    ///
    /// There is no netlink attribute for it. Where /proc/sys cannot be written, or there is no IPv6, the datapath falls
    /// back to the interface that the route named when the pseudowire was configured.
    static func forwardIPv6(in namespace: borrowing NetworkNamespace) throws(PseudowireError) {
        let inner = pair.innerName
        _ = try netlink { () throws(NetlinkError) in
            try namespace.run {
                FileSystem.overwrite("/proc/sys/net/ipv6/conf/", suffix: "\(inner)/forwarding", with: "1")
            }
        }
    }

    /// Removes the pair; one end takes the other with it.
    static func remove(_ client: RouteClient) throws(PseudowireError) { try pair.remove(client) }
}
