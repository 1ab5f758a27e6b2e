extension Route {
    /// What becomes of a packet, `RTN_*`.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Forwarded.
        ///
        /// The corresponding C constant is `RTN_UNICAST`.
        public static let unicast = Kind(rawValue: 1)
        /// Delivered here.
        ///
        /// The corresponding C constant is `RTN_LOCAL`.
        public static let local = Kind(rawValue: 2)
        /// Delivered here, and sent, as a broadcast.
        ///
        /// The corresponding C constant is `RTN_BROADCAST`.
        public static let broadcast = Kind(rawValue: 3)
        /// Delivered here, but sent to one.
        ///
        /// The corresponding C constant is `RTN_ANYCAST`.
        public static let anycast = Kind(rawValue: 4)
        /// The corresponding C constant is `RTN_MULTICAST`.
        public static let multicast = Kind(rawValue: 5)
        /// Dropped in silence.
        ///
        /// The corresponding C constant is `RTN_BLACKHOLE`.
        public static let blackhole = Kind(rawValue: 6)
        /// Answered "host unreachable".
        ///
        /// The corresponding C constant is `RTN_UNREACHABLE`.
        public static let unreachable = Kind(rawValue: 7)
        /// Answered "administratively prohibited".
        ///
        /// The corresponding C constant is `RTN_PROHIBIT`.
        public static let prohibit = Kind(rawValue: 8)
    }

    /// Who made a route, `RTPROT_*`.
    public struct Origin: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The corresponding C constant is `RTPROT_UNSPEC`; in a deletion: any.
        public static let unspecified = Origin(rawValue: 0)
        /// An ICMP redirect.
        ///
        /// The corresponding C constant is `RTPROT_REDIRECT`.
        public static let redirect = Origin(rawValue: 1)
        /// The kernel itself, as for the network of an address.
        ///
        /// The corresponding C constant is `RTPROT_KERNEL`.
        public static let kernel = Origin(rawValue: 2)
        /// What `ip route` writes.
        ///
        /// The corresponding C constant is `RTPROT_BOOT`.
        public static let boot = Origin(rawValue: 3)
        /// The administrator.
        ///
        /// The corresponding C constant is `RTPROT_STATIC`.
        public static let administrator = Origin(rawValue: 4)
        /// A router's advertisement, IPv6.
        ///
        /// The corresponding C constant is `RTPROT_RA`.
        public static let routerAdvertisement = Origin(rawValue: 9)
    }
}
