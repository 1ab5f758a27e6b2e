import InternetAddress
import L2TP

@testable import Pseudowire

/// A wire that the control plane's types cannot express.
struct Inexpressible: Error {}

extension PseudowireConfiguration {
    /// What an operator would have asked for.
    init(_ wire: Wire) throws {
        guard let local = IPAddress(bytes: wire.local), let peer = IPAddress(bytes: wire.peer),
            let localSession = SessionID(rawValue: wire.localSession),
            let peerSession = SessionID(rawValue: wire.peerSession), let sent = Cookie(bytes: wire.sentCookie)
        else { throw Inexpressible() }
        let tunnel: Tunnel =
            wire.isUDP
            ? .udp(
                local: local, peer: peer, localPort: wire.localPort, peerPort: wire.peerPort,
                checksum: wire.fillsChecksum ? .full : .zero,
                entropy: Direction(sends: wire.spreadsPort, receives: wire.takesAnyPort))
            : .ip(local: local, peer: peer)
        let session = Session(
            local: localSession, peer: peerSession, expecting: wire.expectedCookies.compactMap { Cookie(bytes: $0) },
            sending: sent, sublayer: wire.hasSublayer ? .default : .none,
            sequencing: Direction(sends: wire.numbersSent, receives: wire.wantsNumbers))
        self.init(
            name: "fuzz", access: "lo", tunnel: tunnel, session: session, vlan: VLANSelection(wire.selection),
            vlanTag: VLANTag(wire.tagAction), mtu: wire.mtu.map { UInt16($0) },
            oversize: wire.cutsInner ? .fragment : .drop, repliesTooBig: wire.repliesTooBig,
            clampsMSS: wire.clampsMSS, dontFragment: !wire.admitsFragments, ttl: wire.ttl,
            dscp: wire.dscp.map { .fixed($0) } ?? .inherit, ecn: wire.copiesECN ? .normal : .compatibility,
            flowLabel: wire.labelsFlows || !wire.isIPv6 ? .auto : .zero)
    }
}

extension PseudowireConfiguration.VLANSelection {
    init(_ selection: Wire.Selection) {
        switch selection {
        case .any: self = .any
        case .untagged: self = .none
        case .id(let id, let isService): self = .id(id, isService ? .service : .customer)
        }
    }
}

extension PseudowireConfiguration.VLANTag {
    init(_ action: Wire.TagAction) {
        switch action {
        case .keep: self = .keep
        case .strip: self = .strip
        case .rewrite(let id): self = .rewrite(id)
        }
    }
}
