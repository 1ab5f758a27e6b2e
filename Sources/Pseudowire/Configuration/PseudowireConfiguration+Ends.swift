public import InternetAddress
public import L2TP

extension PseudowireConfiguration {
    /// The two ends, and how packets between them are made.
    public struct Tunnel: Hashable, Sendable {
        /// Whether UDP is between the outer IP header and L2TP; both ends must say the same.
        public var encapsulation: Encapsulation
        /// Our address, from which we send and at which we receive: unicast.
        public var local: IPAddress
        /// The peer's address, of the same family; packets from any other one are dropped.
        public var peer: IPAddress
        /// Our port, in host order: 1…65535 over UDP, 0 over IP.
        public var localPort: UInt16
        /// The peer's port, in host order: 1…65535 over UDP, 0 over IP.
        public var peerPort: UInt16
        /// What stands in the outer checksum of what is sent; over IP only `auto`.
        public var udpChecksum: UDPChecksum
        /// Whether the source port comes from the inner flow, by which routers spread the load; receiving so, any
        /// source port is taken.
        ///
        /// UDP only. Linux's own L2TP refuses a source port that it was not told.
        public var portEntropy: Direction = .none

        /// L2TPv3 over UDP (RFC 3931, 4.1.2).
        public static func udp(
            local: IPAddress, peer: IPAddress, localPort: UInt16 = Encapsulation.defaultPort,
            peerPort: UInt16 = Encapsulation.defaultPort, checksum: UDPChecksum = .auto,
            entropy: Direction = .none
        ) -> Tunnel {
            Tunnel(
                encapsulation: .udp, local: local, peer: peer, localPort: localPort, peerPort: peerPort,
                udpChecksum: checksum, portEntropy: entropy)
        }

        /// L2TPv3 over IP, protocol 115 (RFC 3931, 4.1.1).
        public static func ip(local: IPAddress, peer: IPAddress) -> Tunnel {
            Tunnel(encapsulation: .ip, local: local, peer: peer, localPort: 0, peerPort: 0, udpChecksum: .auto)
        }
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
        /// Whether a word of four octets is between cookie and frame; both ends must say the same.
        public var sublayer: Sublayer
        /// Whether frames are numbered, and only numbered ones taken that are in the window (RFC 3931, 4.6.1).
        ///
        /// Needs the default sublayer, which has room for the number.
        public var sequencing: Direction

        public init(
            local: SessionID, peer: SessionID, expecting: [Cookie] = [], sending: Cookie = .empty,
            sublayer: Sublayer = .default, sequencing: Direction = .none
        ) {
            self.local = local
            self.peer = peer
            self.expecting = expecting
            self.sending = sending
            self.sublayer = sublayer
            self.sequencing = sequencing
        }
    }
}
