public import InternetAddress

extension Route {
    /// One of several ways.
    public struct NextHop: Hashable, Sendable {
        public var gateway: IPAddress?
        public var link: LinkIndex?
        /// The share of traffic: 1…256.
        public var weight: UInt16
        public var isOnLink: Bool

        public init(gateway: IPAddress?, link: LinkIndex? = nil, weight: UInt16 = 1, isOnLink: Bool = false) {
            self.gateway = gateway
            self.link = link
            self.weight = weight
            self.isOnLink = isOnLink
        }
    }
}
