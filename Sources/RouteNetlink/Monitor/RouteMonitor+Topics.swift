extension RouteMonitor {
    /// What to be told of, the multicast groups `RTNLGRP_*`.
    public struct Topics: OptionSet, Hashable, Sendable {
        /// Bit n for the multicast group n.
        public var rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        private init(_ groups: Int...) { rawValue = groups.reduce(0) { $0 | 1 << UInt64($1) } }

        /// Interfaces: `RTNLGRP_LINK`.
        public static let links = Topics(1)
        /// IPv4 and IPv6 addresses of interfaces: `RTNLGRP_IPV4_IFADDR`, `RTNLGRP_IPV6_IFADDR`.
        public static let addresses = Topics(5, 9)
        /// IPv4 and IPv6 routes: `RTNLGRP_IPV4_ROUTE`, `RTNLGRP_IPV6_ROUTE`.
        public static let routes = Topics(7, 11)
        /// IPv4 and IPv6 rules: `RTNLGRP_IPV4_RULE`, `RTNLGRP_IPV6_RULE`.
        public static let rules = Topics(8, 19)
        /// Neighbours and rows of forwarding databases, which share a group.
        public static let neighbors = Topics(3)
        /// Queueing disciplines and filters, which share a group.
        public static let trafficControl = Topics(4)
        /// Our numbers of other namespaces: `RTNLGRP_NSID`.
        public static let namespaceIDs = Topics(28)
        /// Everything above: all that a `RouteEvent` can tell of.
        public static let all: Topics = [
            .links, .addresses, .routes, .rules, .neighbors, .trafficControl, .namespaceIDs,
        ]
    }
}
