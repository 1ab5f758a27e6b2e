extension PseudowireConfiguration {
    /// Where the outer DSCP comes from.
    ///
    /// ```swift
    /// wire.dscp = 46           // expedited forwarding for everything
    /// wire.dscp = .inherit     // as the packet inside asks
    /// ```
    public enum DSCP: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
        /// From the packet inside; 0 for what is not IP.
        case inherit
        /// Always this one, 0…63.
        case fixed(UInt8)

        /// A fixed DSCP; more than 63 is a fault when the configuration is planned.
        public init(integerLiteral value: UInt8) {
            self = .fixed(value)
        }

        /// The upper six bits of TOS or traffic class that do not depend on the packet.
        var trafficClass: UInt8 {
            switch self {
            case .inherit: 0
            case .fixed(let value): value << 2
            }
        }

        public var description: String {
            switch self {
            case .inherit: "inherit"
            case .fixed(let value): "\(value)"
            }
        }
    }

    /// What the outer ECN field says (RFC 6040, 4.1).
    public enum ECN: String, Hashable, Sendable, CaseIterable, Codable {
        /// Nothing: routers drop where they could have marked.
        case compatibility
        /// What the packet inside says; only right if the peer hands a mark on to it (RFC 9601).
        case normal
    }

    /// What the outer flow label says (RFC 6438).
    public enum FlowLabel: String, Hashable, Sendable, CaseIterable, Codable {
        /// A number made from the inner flow, by which routers spread the load.
        case auto
        /// Nothing.
        case zero
    }
}
