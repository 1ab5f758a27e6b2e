public import InternetAddress
public import RouteNetlink

/// A TCP connection that carries octets one way, and checks every one of them at the far end.
///
/// ```swift
/// let stream = Stream(to: "192.0.1.103", amount: .duration(.seconds(2)))
/// let outcome = try stream.run(from: network.host0, to: network.host3)
/// print(outcome.isIntact, outcome.megabitsPerSecond)
/// ```
///
/// Both ends run in the calling thread, which is one CPU's worth of traffic: a figure to compare with, not a record.
public struct Stream: Hashable, Sendable {
    /// The receiver's address; the port is chosen by its kernel.
    public var destination: IPAddress
    /// How much is sent, or for how long.
    public var amount: Amount
    /// How long all of it may take, connecting and closing included; nil: ten seconds longer than a stream of a
    /// duration lasts, 30 seconds for one of an amount of octets.
    public var timeout: Duration?

    /// When to stop sending.
    public enum Amount: Hashable, Sendable {
        /// After this time, connecting not counted.
        case duration(Duration)
        /// After so many octets.
        case octets(Int)
    }

    public init(to destination: IPAddress, amount: Amount, timeout: Duration? = nil) {
        self.destination = destination
        self.amount = amount
        self.timeout = timeout
    }

    /// What came of it.
    public struct Outcome: Hashable, Sendable {
        /// Octets that the sender's kernel took.
        public internal(set) var sentOctets = 0
        /// Octets that the receiver got.
        public internal(set) var receivedOctets = 0
        /// From the established connection until the receiver had the last octet.
        public internal(set) var seconds = 0.0
        /// Where in the stream the first octet was that was not the one sent there; nil: every one was right.
        public internal(set) var firstWrongOctet: Int?
        /// It was ended by the time limit, or by the caller.
        public internal(set) var isCutShort = false

        /// All that was sent arrived, in its order, unchanged, and the connection was closed in peace.
        public var isIntact: Bool { !isCutShort && firstWrongOctet == nil && receivedOctets == sentOctets }
        /// Payload at the receiver, in 10⁶ bits a second.
        public var megabitsPerSecond: Double { seconds > 0 ? Double(receivedOctets) * 8 / seconds / 1_000_000 : 0 }
    }

    /// Opens a listener in `receiver`, connects to it from `sender`, and carries the octets.
    ///
    /// Blocks the calling thread, never longer than `timeout`.
    ///
    /// - Parameter isCancelled: asked at least every 100 ms; the outcome is then cut short.
    /// - Throws: `TestbedError` when there is no connection, or when it is lost (`ETIMEDOUT`, `ECONNRESET`).
    public func run(
        from sender: borrowing NetworkNamespace, to receiver: borrowing NetworkNamespace,
        isCancelled: () -> Bool = { false }
    ) throws(TestbedError) -> Outcome {
        var conversation = try StreamConversation(self, from: sender, to: receiver)
        return try conversation.run(isCancelled)
    }
}
