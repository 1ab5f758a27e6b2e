public import InternetAddress
public import RouteNetlink

/// A row of ICMP or ICMPv6 echo requests: what `ping` does, as a value.
///
/// ```swift
/// let outcome = try Echo(to: "192.0.1.103", payloadSize: 1400, count: 10).run(in: network.host0)
/// outcome.received            // 10
/// outcome.latency?.median     // 41.5 (µs)
/// ```
///
/// Each request carries other octets than the one before, and the reply must bring exactly those back.
/// Needs `CAP_NET_RAW` in the namespace.
public struct Echo: Hashable, Sendable {
    /// Whom to ask; its family decides between ICMP and ICMPv6.
    public var destination: IPAddress
    /// Octets behind the 8 of the ICMP header: 0…65000.
    ///
    /// What does not fit into the MTU is fragmented by the kernel, unless `mayFragment` is false.
    public var payloadSize: Int
    /// How many requests are sent: 0…65535.
    public var count: Int
    /// From one request to the next, whether or not the first was answered.
    public var interval: Duration
    /// How long after its request a reply counts.
    public var timeout: Duration
    /// False: a request that does not fit into the path is not sent; the kernel answers `EMSGSIZE`.
    public var mayFragment: Bool

    public init(
        to destination: IPAddress, payloadSize: Int = 56, count: Int = 3, interval: Duration = .milliseconds(20),
        timeout: Duration = .seconds(2), mayFragment: Bool = true
    ) {
        self.destination = destination
        self.payloadSize = payloadSize
        self.count = count
        self.interval = interval
        self.timeout = timeout
        self.mayFragment = mayFragment
    }

    /// What came of it.
    public struct Outcome: Hashable, Sendable {
        /// Requests that left.
        public internal(set) var sent = 0
        /// Requests whose reply came in time and brought the same octets back.
        public var received: Int { roundTrips.count }
        /// Requests that were not answered, or wrongly.
        public var lost: Int { sent - received }
        /// Replies to a request that had been answered.
        public internal(set) var duplicates = 0
        /// Replies with other octets than the request's.
        public internal(set) var corrupted = 0
        /// ICMP errors that quote one of our requests: type and code, as they came.
        public internal(set) var errors: [ICMPError] = []
        /// Microseconds from a request to its reply, in the order of the replies.
        public internal(set) var roundTrips: [Double] = []

        /// Every request was answered, once, and rightly.
        public var isPerfect: Bool { lost == 0 && duplicates == 0 && corrupted == 0 && errors.isEmpty }
        /// The round-trip times in short; nil without a reply.
        public var latency: Latency? { Latency(roundTrips) }
    }

    /// An ICMP error about one of the requests.
    public struct ICMPError: Hashable, Sendable, CustomStringConvertible {
        /// Who says so.
        public let origin: IPAddress?
        /// As RFC 792 and RFC 4443 number them, which are two lists.
        public let type: UInt8
        /// Why in particular, as the same two lists have it for each type.
        public let code: UInt8

        public var description: String {
            "ICMP type \(type) code \(code) from \(origin.map(\.description) ?? "somebody")"
        }
    }

    /// Sends the requests from `namespace` and collects the replies.
    ///
    /// Takes `count` times `interval`, and up to `timeout` more if something is lost. Blocks the calling thread.
    ///
    /// - Parameter isCancelled: asked at least every 100 ms; the outcome is what there was until then.
    /// - Throws: `TestbedError` when a request cannot be sent, such as `ENETUNREACH`.
    public func run(
        in namespace: borrowing NetworkNamespace, isCancelled: () -> Bool = { false }
    ) throws(TestbedError) -> Outcome {
        guard (0...65000).contains(payloadSize) else {
            throw .refused("an echo request carries 0 to 65000 octets, not \(payloadSize)")
        }
        guard (0...65535).contains(count) else { throw .refused("0 to 65535 echo requests can be sent, not \(count)") }
        let conversation = try EchoConversation(self, in: namespace)
        return try conversation.run(isCancelled)
    }
}
