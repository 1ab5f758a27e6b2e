/// What can be said of a pseudowire beside its name: the one list of names, for flags and for keys of documents alike.
///
/// What each takes, and what holds without it, is said at the property of ``PseudowireOptions`` that has its name.
///
/// ```swift
/// var options = PseudowireOptions(name: "pw0")
/// options[.sessionID] = ["1012"]              // --session-id 1012; "session-id": 1012
/// PseudowireOption("session-di")?.rawValue    // nil; .nearest(to: "session-di") is .sessionID
/// ```
public enum PseudowireOption: String, Hashable, Sendable, CaseIterable {
    case access, interface, local, peer
    case sessionID = "session-id"
    case peerSessionID = "peer-session-id"
    case encap
    case localPort = "local-port"
    case peerPort = "peer-port"
    case underlay
    case sendCookie = "send-cookie"
    case expectCookie = "expect-cookie"
    case sublayer, sequence, vlan
    case vlanProtocol = "vlan-protocol"
    case vlanTag = "vlan-tag"
    case mtu, oversize, icmp
    case mssClamp = "mss-clamp"
    case df
    case udpChecksum = "udp-checksum"
    case ttl, dscp, ecn
    case flowLabel = "flow-label"
    case portEntropy = "port-entropy"
    case offload, attach, coalesce

    /// Whether it may be given more than once.
    public var isList: Bool { self == .underlay || self == .expectCookie }

    /// Whether a document may say it with a number; cookies and addresses would lose something by it.
    var takesNumbers: Bool {
        switch self {
        case .sessionID, .peerSessionID, .localPort, .peerPort, .vlan, .vlanTag, .mtu, .ttl, .dscp: true
        default: false
        }
    }
}

extension PseudowireOptions {
    /// What was said of an option, word by word; empty: nothing.
    public subscript(option: PseudowireOption) -> [String] {
        get {
            if let path = Self.path(option) { return self[keyPath: path].map { [$0] } ?? [] }
            return option == .underlay ? underlay : expectCookie
        }
        set {
            if let path = Self.path(option) {
                self[keyPath: path] = newValue.last
            } else if option == .underlay {
                underlay = newValue
            } else {
                expectCookie = newValue
            }
        }
    }

    /// Nil for the two that are lists.
    private static func path(_ option: PseudowireOption) -> WritableKeyPath<PseudowireOptions, String?>? {
        switch option {
        case .access: \.access
        case .interface: \.interface
        case .local: \.local
        case .peer: \.peer
        case .sessionID: \.sessionID
        case .peerSessionID: \.peerSessionID
        case .encap: \.encap
        case .localPort: \.localPort
        case .peerPort: \.peerPort
        case .sendCookie: \.sendCookie
        case .sublayer: \.sublayer
        case .sequence: \.sequence
        case .vlan: \.vlan
        case .vlanProtocol: \.vlanProtocol
        case .vlanTag: \.vlanTag
        case .mtu: \.mtu
        case .oversize: \.oversize
        case .icmp: \.icmp
        case .mssClamp: \.mssClamp
        case .df: \.df
        case .udpChecksum: \.udpChecksum
        case .ttl: \.ttl
        case .dscp: \.dscp
        case .ecn: \.ecn
        case .flowLabel: \.flowLabel
        case .portEntropy: \.portEntropy
        case .offload: \.offload
        case .coalesce: \.coalesce
        case .attach: \.attach
        case .underlay, .expectCookie: nil
        }
    }
}
