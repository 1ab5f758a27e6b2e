internal import InternetAddress
public import L2TP

/// What a pseudowire should be: a value, valid by itself, that knows nothing of any machine.
///
/// ```swift
/// let wire = PseudowireConfiguration(
///     name: "pw0", access: "eth1",
///     tunnel: .udp(local: "192.0.2.21", peer: "192.0.2.22"),
///     session: .init(local: 1012, peer: 1021))
/// ```
///
/// Values built in a program are checked when they are planned; text from people goes through
/// ``PseudowireOptions``, which reports everything that is wrong with it at once.
public struct PseudowireConfiguration: Hashable, Sendable {
    /// What the pseudowire is called here; 1…31 letters, digits, `-`, `_` or `.`.
    public var name: String
    /// Name of the interface whose frames are carried.
    public var access: String
    /// Whether the access interface is made with the pseudowire, and goes with it.
    public var makesInterface: Bool
    /// The two ends' addresses, and whether UDP is between them.
    public var tunnel: Tunnel
    /// Session ids, cookies, sublayer and sequence numbers.
    public var session: Session
    /// Names of the interfaces at which the peer's packets arrive; empty: found by route and address.
    public var underlays: [String]
    /// Which frames of the access interface are carried.
    public var vlan: VLANSelection
    /// What becomes of the tag by which they were selected.
    public var vlanTag: VLANTag
    /// The largest IP packet inside, 68…65535; nil: what the path takes.
    public var mtu: UInt16?
    /// What becomes of packets that are larger.
    public var oversize: Oversize
    /// Whether the sender of a packet that is too large is told so by ICMP.
    public var repliesTooBig: Bool
    /// Whether TCP connections inside are made to agree on segments that fit.
    public var clampsMSS: Bool
    /// Whether routers may not fragment outer packets.
    ///
    /// IPv4 only; with ``Oversize/outer`` they may in any case.
    public var dontFragment: Bool
    /// The outer TTL or hop limit, 1…255.
    public var ttl: UInt8
    /// The outer DSCP.
    public var dscp: DSCP
    /// The outer ECN field.
    public var ecn: ECN
    /// The outer flow label; IPv6 only.
    public var flowLabel: FlowLabel
    /// Who segments, and fills in checksums.
    public var offload: Offload
    /// Where the datapath's filters are put on the interfaces.
    public var attach: Attach
    /// Whether TCP segments are joined after decapsulation.
    public var coalesce: Coalesce

    /// A pseudowire with what its two ends must agree on; everything else has the command line's defaults.
    ///
    /// Nothing is checked yet: see ``faults``.
    public init(
        name: String, access: String, makesInterface: Bool = false, tunnel: Tunnel, session: Session,
        underlays: [String] = [], vlan: VLANSelection = .any, vlanTag: VLANTag = .keep, mtu: UInt16? = nil,
        oversize: Oversize = .fragment, repliesTooBig: Bool = true, clampsMSS: Bool = true, dontFragment: Bool = true,
        ttl: UInt8 = 64, dscp: DSCP = 0, ecn: ECN = .compatibility, flowLabel: FlowLabel = .auto,
        offload: Offload = .auto, attach: Attach = .auto, coalesce: Coalesce = .auto
    ) {
        self.name = name
        self.access = access
        self.makesInterface = makesInterface
        self.tunnel = tunnel
        self.session = session
        self.underlays = underlays
        self.vlan = vlan
        self.vlanTag = vlanTag
        self.mtu = mtu
        self.oversize = oversize
        self.repliesTooBig = repliesTooBig
        self.clampsMSS = clampsMSS
        self.dontFragment = dontFragment
        self.ttl = ttl
        self.dscp = dscp
        self.ecn = ecn
        self.flowLabel = flowLabel
        self.offload = offload
        self.attach = attach
        self.coalesce = coalesce
    }

    /// Which of a pseudowire's two ways something is done on.
    public enum Direction: String, Hashable, Sendable, CaseIterable, Codable {
        /// On neither.
        case none
        /// On what goes to the peer.
        case send
        /// On what comes from the peer.
        case receive
        /// On both.
        case both

        public var sends: Bool { self == .send || self == .both }
        public var receives: Bool { self == .receive || self == .both }

        init(sends: Bool, receives: Bool) {
            self = sends ? (receives ? .both : .send) : (receives ? .receive : .none)
        }
    }

    /// Who cuts large frames into segments and fills in the customer's checksums.
    public enum Offload: String, Hashable, Sendable, CaseIterable, Codable {
        /// `finish` where the way to the peer is a veth, else `keep`.
        ///
        /// A veth is a card that finishes nothing: it hands frames over as they are, which ends well among Linux stacks
        /// unless the one that takes the tunnel's headers off, like the kernel's own L2TP, forgets what was unfinished.
        case auto
        /// The card, as far as the kernel can make it look behind our headers: fast.
        case keep
        /// The datapath: every frame leaves whole, with all checksums filled in.
        case finish
    }

    /// Whether TCP segments from the peer reach the customer joined into large frames, as a card's receive offload
    /// (GRO) would join them: a stack that is near takes them in at a fraction of the cost.
    ///
    /// Each flow keeps its order, and what has no large segments goes straight. Order is ABI.
    public enum Coalesce: String, Hashable, Sendable, CaseIterable, Codable {
        /// `on` where the access interface is a veth, which hands large frames over as they are; a card would have to
        /// cut them again.
        case auto
        /// They are joined, whatever the access interface is.
        case on
        /// They are delivered as they come.
        case off
    }

    /// Where filters are put: an interface has one for each way, whoever shares it.
    ///
    /// Order is ABI.
    public enum Attach: String, Hashable, Sendable, CaseIterable, Codable {
        /// Where there is one already, else `tcx` where the kernel has it, unless filters of others want to see frames
        /// first, at a priority below ours: then `clsact`. XDP programs are before it where nothing speaks against
        /// them: see ``Acceleration``.
        case auto
        /// A filter on the clsact qdisc, among others' by priority, after every program on the tcx hook.
        case clsact
        /// A link on the tcx hook, before every filter on the clsact qdisc (Linux 6.6).
        case tcx
        /// XDP programs in the driver, before filters where `auto` would have them: these carry whatever the programs
        /// pass on. On each interface, which must have Ethernet headers, a driver with native XDP, and no program of
        /// somebody else's there.
        case xdp
    }
}

extension PseudowireConfiguration {
    /// Whether the outer UDP checksum is computed, `auto` resolved.
    public var fillsUDPChecksum: Bool {
        guard tunnel.encapsulation == .udp else { return false }
        switch tunnel.udpChecksum {
        case .auto: return tunnel.local.family == .v6
        case .zero: return false
        case .full: return true
        }
    }

    /// How many octets a frame grows on its way out.
    public var overhead: Overhead {
        Overhead(
            outer: tunnel.local.family, encapsulation: tunnel.encapsulation, cookieLength: session.sending.length,
            sublayer: session.sublayer, innerTags: carriesTag ? 1 : 0)
    }

    /// Whether every frame inside has the tag by which it was selected, or the peer's in its place.
    var carriesTag: Bool { vlan.isTagged && vlanTag != .strip }

    /// Whether outer packets may not be fragmented, what `oversize` implies included.
    public var forbidsFragments: Bool { dontFragment && oversize != .outer }
}
