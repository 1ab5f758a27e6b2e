public import InternetAddress
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
    public var tunnel: Tunnel
    public var session: Session
    /// Names of the interfaces at which the peer's packets arrive; empty: found by route and address.
    public var underlays: [String]
    /// The outer TTL or hop limit.
    public var ttl: UInt8
    /// The outer DSCP, 0…63.
    public var dscp: UInt8
    /// Who segments, and fills in checksums.
    public var offload: Offload

    public init(
        name: String, access: String, tunnel: Tunnel, session: Session, underlays: [String] = [], ttl: UInt8 = 64,
        dscp: UInt8 = 0, offload: Offload = .auto
    ) {
        self.name = name
        self.access = access
        self.tunnel = tunnel
        self.session = session
        self.underlays = underlays
        self.ttl = ttl
        self.dscp = dscp
        self.offload = offload
    }

    /// The two ends, and how packets between them are made.
    public struct Tunnel: Hashable, Sendable {
        public var encapsulation: Encapsulation
        public var local: IPAddress
        public var peer: IPAddress
        /// UDP only.
        public var localPort: UInt16
        /// UDP only.
        public var peerPort: UInt16
        /// UDP only.
        public var udpChecksum: UDPChecksum

        /// L2TPv3 over UDP (RFC 3931, 4.1.2).
        public static func udp(
            local: IPAddress, peer: IPAddress, localPort: UInt16 = Encapsulation.defaultPort,
            peerPort: UInt16 = Encapsulation.defaultPort, checksum: UDPChecksum = .auto
        ) -> Tunnel {
            Tunnel(
                encapsulation: .udp, local: local, peer: peer, localPort: localPort, peerPort: peerPort,
                udpChecksum: checksum)
        }

        /// L2TPv3 over IP, protocol 115 (RFC 3931, 4.1.1).
        public static func ip(local: IPAddress, peer: IPAddress) -> Tunnel {
            Tunnel(encapsulation: .ip, local: local, peer: peer, localPort: 0, peerPort: 0, udpChecksum: .auto)
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

    /// What to put into the outer UDP checksum.
    public enum UDPChecksum: String, Hashable, Sendable, CaseIterable, Codable {
        /// Zero over IPv4, full over IPv6: what Linux's own L2TP expects.
        case auto
        /// None. Over IPv6 the peer must have agreed to it (RFC 6935).
        case zero
        /// Always computed.
        case full
    }

    /// The session's two identifiers and what is behind them in the header.
    public struct Session: Hashable, Sendable {
        /// Ours: what the peer sends to us.
        public var local: SessionID
        /// The peer's: what we send.
        public var peer: SessionID
        /// The cookie that the peer wants to see.
        public var sending: Cookie
        /// The cookies that we accept, at most two, of one length; empty: the peer sends none.
        public var expecting: [Cookie]
        public var sublayer: Sublayer

        public init(
            local: SessionID, peer: SessionID, expecting: [Cookie] = [], sending: Cookie = .empty,
            sublayer: Sublayer = .default
        ) {
            self.local = local
            self.peer = peer
            self.expecting = expecting
            self.sending = sending
            self.sublayer = sublayer
        }
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
            sublayer: session.sublayer)
    }
}
