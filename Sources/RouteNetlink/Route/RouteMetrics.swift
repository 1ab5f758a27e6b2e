import CPseudowireMNL

/// What a route tells the transport protocols that use it, `RTAX_*`; what is nil they choose themselves.
///
/// ```swift
/// var route = Route(to: "198.51.100.0/24", via: "192.0.2.1")
/// route.metrics.initialWindow = 10
/// route.metrics.congestionControl = "cubic"
/// ```
///
/// The kernel refuses a congestion control that it does not have. Source: `net/ipv4/metrics.c`.
public struct RouteMetrics: Hashable, Sendable, AttributeSettings {
    /// The longest packet in bytes.
    public var mtu: UInt32?
    /// The largest window that is advertised to the peer, in bytes.
    public var window: UInt32?
    /// The first guess of a round trip, in eighths of a millisecond.
    public var roundTripTime: UInt32?
    /// Its first variance, in quarters of a millisecond.
    public var roundTripVariance: UInt32?
    /// The first slow start threshold, in segments.
    public var slowStartThreshold: UInt32?
    /// The congestion window's upper limit, in segments; the kernel heeds it when it is locked only.
    public var congestionWindow: UInt32?
    /// The largest segment that is advertised to the peer, in bytes.
    public var advertisedSegmentSize: UInt32?
    /// How many segments late one may be before TCP takes it for lost, to begin with; nil is
    /// `net.ipv4.tcp_reordering`.
    public var reordering: UInt32?
    /// The hop limit, or time to live, of packets from here: 1…255.
    public var hopLimit: UInt32?
    /// The first congestion window, in segments.
    public var initialWindow: UInt32?
    /// `RTAX_FEATURE_*`: 1 for ECN.
    public var features: UInt32?
    /// The shortest retransmission timeout, in milliseconds.
    public var minimumTimeout: UInt32?
    /// The first window that is advertised to the peer, in segments.
    public var initialReceiveWindow: UInt32?
    /// Whether TCP acknowledges at once, without waiting for more to acknowledge.
    public var quickAcknowledgement: Bool?
    /// Whether TCP Fast Open does without a cookie.
    public var fastOpenWithoutCookie: Bool?
    /// The algorithm, as `cubic`.
    public var congestionControl: String?
    /// Which metrics the kernel must not change by what it learns: bit n for `RTAX_n`.
    public var locks: UInt32 = 0

    public init() {}

    static var fields: [SettingField<RouteMetrics>] {
        [
            .long(Int(RTAX_MTU), \.mtu), .long(Int(RTAX_WINDOW), \.window), .long(Int(RTAX_RTT), \.roundTripTime),
            .long(Int(RTAX_RTTVAR), \.roundTripVariance), .long(Int(RTAX_SSTHRESH), \.slowStartThreshold),
            .long(Int(RTAX_CWND), \.congestionWindow), .long(Int(RTAX_ADVMSS), \.advertisedSegmentSize),
            .long(Int(RTAX_REORDERING), \.reordering), .long(Int(RTAX_HOPLIMIT), \.hopLimit),
            .long(Int(RTAX_INITCWND), \.initialWindow), .long(Int(RTAX_FEATURES), \.features),
            .long(Int(RTAX_RTO_MIN), \.minimumTimeout), .long(Int(RTAX_INITRWND), \.initialReceiveWindow),
            .wideFlag(Int(RTAX_QUICKACK), \.quickAcknowledgement),
            .wideFlag(Int(RTAX_FASTOPEN_NO_COOKIE), \.fastOpenWithoutCookie),
        ]
    }

    /// Reads an `RTA_METRICS`.
    init(_ nest: borrowing Attribute) throws(MalformedMessage) {
        self.init(nest.payload)
        var cursor = nest.attributes
        while let attribute = cursor.next() {
            if attribute.type == Int(RTAX_LOCK) { locks = try attribute.integer() }
            if attribute.type == Int(RTAX_CC_ALGO) { congestionControl = attribute.text }
        }
    }

    func append(to request: inout Request) {
        guard self != RouteMetrics() else { return }
        request.nest(RouteAttribute.metrics) {
            if locks != 0 { $0.attribute(Int(RTAX_LOCK), locks) }
            write(to: &$0)
            if let congestionControl { $0.attribute(Int(RTAX_CC_ALGO), congestionControl) }
        }
    }
}
