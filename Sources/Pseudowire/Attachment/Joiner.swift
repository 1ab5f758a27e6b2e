internal import Glibc
internal import RouteNetlink

/// The pair of ours in which the kernel joins TCP segments after decapsulation.
///
/// Its inner end receives by polling, which is how a veth comes to GRO (Linux 5.13), and hands large frames to
/// `pw_join`. The outer end's segmentation is off: only then does the kernel think that there is anything to join
/// (`veth_skb_is_eligible_for_gro` in drivers/net/veth.c). Each CPU has a queue, so that what arrives at several is not
/// all joined on one.
///
/// What is in it can be lost at any time but for time: the datapath does without where `meta` names no joiner.
enum Joiner {
    static let pair = OwnPair(
        outerName: "pw-join0", innerName: "pw-join1", alias: "swift-pseudowire joiner",
        outerOffloads: [.tcpSegmentation: false, .genericSegmentation: false], innerOffloads: [.genericReceive: true])

    /// Makes the pair.
    static func create(_ client: RouteClient) throws(PseudowireError) -> OwnPair.Indexes {
        let made = try pair.make(client, queues: queues, (.joinerMade, .joinerNamed))
        do throws(PseudowireError) {
            try pair.setOffloads(made, client)
            try OwnPair.setUp(made, client)
            try FaultPoint.joinerUp.reach()
            return made
        } catch {
            try? client.links.delete(LinkIndex(rawValue: made.outer))
            throw error
        }
    }

    /// More than sixteen CPUs that decapsulate at once share them.
    private static var queues: UInt32 { UInt32(min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 16)) }
}
