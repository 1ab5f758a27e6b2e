internal import InternetAddress
internal import L2TP
internal import RouteNetlink

/// The IPsec policies that the stack would ask about outer packets, and that the datapath does not.
///
/// Outer packets go to the device and come from it without passing the places where the stack asks. A policy that is
/// bound to an IPsec interface is asked by that interface's own device, which they do pass.
struct IPsecProtection {
    private let policies: [IPsecPolicy]
    private let defaults: IPsecDefaults

    init(_ client: RouteClient) throws(NetlinkError) {
        self.init(try client.ipsecPolicies.list(), try client.ipsecPolicies.defaults())
    }

    /// Forwarded packets are not ours: an outer packet is sent and received by this machine.
    init(_ policies: [IPsecPolicy], _ defaults: IPsecDefaults = IPsecDefaults()) {
        self.policies = policies.filter { $0.interfaceID == 0 && [.input, .output].contains($0.direction) }
            // Of two with one priority the older one decides, which a list does not tell: here it is the stricter one.
            .sorted { ($0.priority, $0.forbidsPlainPackets ? 0 : 1) < ($1.priority, $1.forbidsPlainPackets ? 0 : 1) }
        self.defaults = defaults
    }

    /// Policies that could be about a pseudowire.
    var count: Int { policies.count }
    var blocksByDefault: Bool { defaults.blocksInput || defaults.blocksOutput }

    /// What of a pseudowire's outer packets is meant not to pass as it is; nil if nothing.
    ///
    /// - Parameters:
    ///   - wayOut: the interface that the route to the peer names.
    ///   - underlays: those at which the peer's packets are taken in.
    func conflict(_ configuration: PseudowireConfiguration, wayOut: Link?, underlays: [Link]) -> String? {
        let peer = configuration.tunnel.peer
        if let found = verdict(configuration, .output, wayOut.map { [$0] } ?? underlays) {
            return "the stack would not let packets to \(peer) leave as they are (\(found)), but the datapath does not "
                + "ask it, and they would leave unencrypted"
        }
        if let found = verdict(configuration, .input, underlays) {
            return "the stack would not take packets of \(peer) as they are (\(found)), but the datapath does not ask "
                + "it, and would take unencrypted ones"
        }
        return nil
    }

    static let cure =
        "let the pseudowire go through an IPsec interface ('ip link add NAME type xfrm dev DEV if_id N', its policies "
        + "with that if_id, both addresses and the route on it), or say with an 'allow' policy of a lower priority "
        + "number that these packets are meant to be unprotected"

    /// The policy that keeps such packets back, in words.
    private func verdict(
        _ configuration: PseudowireConfiguration, _ direction: IPsecPolicy.Direction, _ ways: [Link]
    ) -> String? {
        let blocks = direction == .output ? defaults.blocksOutput : defaults.blocksInput
        guard blocks || !policies.isEmpty else { return nil }
        guard ways.isEmpty || ways.contains(where: { $0.kind != "xfrm" }) else { return nil }
        let flow = OuterFlow(configuration, direction, Set(ways.map(\.index)))
        // The second set is asked as well as the first; only what no policy of either fits meets the default.
        var isAllowed = false
        for isSub in [false, true] {
            for policy in policies where policy.direction == direction && policy.isSubPolicy == isSub {
                let fit = flow.fit(policy)
                guard fit != .none else { continue }
                if policy.forbidsPlainPackets { return "IPsec policy \(policy)" }
                guard fit == .whole else { continue }
                isAllowed = true
                break
            }
        }
        return blocks && !isAllowed ? "IPsec default: block" : nil
    }
}
