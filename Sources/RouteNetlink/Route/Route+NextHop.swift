public import InternetAddress

extension Route {
    /// One of several ways.
    public struct NextHop: Hashable, Sendable {
        /// The next router; nil when the destination is on the link.
        ///
        /// It may be of the other family than the route: IPv4 over IPv6, RFC 5549.
        public var gateway: IPAddress?
        /// The interface that packets leave by; nil lets the kernel find it by the gateway.
        public var link: LinkIndex?
        /// The share of traffic: 1…256.
        public var weight: UInt16
        /// Whether the gateway counts as reachable though no route of ours says so.
        ///
        /// The corresponding C constant is `RTNH_F_ONLINK`.
        public var isOnLink: Bool

        public init(gateway: IPAddress?, link: LinkIndex? = nil, weight: UInt16 = 1, isOnLink: Bool = false) {
            self.gateway = gateway
            self.link = link
            self.weight = weight
            self.isOnLink = isOnLink
        }
    }
}
