extension RouteMonitor {
    /// What to be told of, the multicast groups `RTNLGRP_*`.
    public struct Topics: OptionSet, Hashable, Sendable {
        public var rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        private init(_ groups: Int...) { rawValue = groups.reduce(0) { $0 | 1 << UInt64($1) } }

        public static let links = Topics(1)
        public static let addresses = Topics(5, 9)
        public static let routes = Topics(7, 11)
        public static let rules = Topics(8, 19)
        /// Neighbours and rows of forwarding databases, which share a group.
        public static let neighbors = Topics(3)
        /// Queueing disciplines and filters, which share a group.
        public static let trafficControl = Topics(4)
        public static let namespaceIDs = Topics(28)
        public static let all: Topics = [
            .links, .addresses, .routes, .rules, .neighbors, .trafficControl, .namespaceIDs,
        ]
    }
}
