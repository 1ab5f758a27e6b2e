/// A pseudowire as it is now.
public struct PseudowireStatus: Sendable {
    /// What was asked for, as the record says that the kernel keeps.
    public let configuration: PseudowireConfiguration
    /// Whether it works: what is wrong with it, if something is.
    public let health: Health
    /// What it has counted, all CPUs together.
    public let statistics: Statistics
    /// Names of the interfaces at which the peer's packets are taken in.
    public let underlays: [String]
    /// The largest IP packet that crosses whole: what the path is known to take, in untagged frames unless the
    /// pseudowire's have a tag, and at most what was configured; nil without a route.
    public let mtu: Int?
    /// Whether frames leave whole and with all checksums: `offload`, resolved.
    public let finishesFrames: Bool
    /// Whether TCP segments are joined after decapsulation: `coalesce`, resolved.
    public let coalescesSegments: Bool
    /// Where the filters are, by interface.
    public let hooks: [String: AttachmentHook]
    /// Whether an XDP program is before each of them, by interface.
    public let acceleration: [String: AccelerationState]
    /// The way to the peer as the routing tables have it now.
    public let nextHop: String?
    /// Nanoseconds since 1970.
    public let created: UInt64

    public var name: String { configuration.name }

    /// Whether XDP carries what it can on an interface, so that its filter has less to do.
    public struct AccelerationState: Hashable, Sendable {
        /// Whether an XDP program is there, and everything that it needs.
        public let isOn: Bool
        /// Why it is not on; nil where it is.
        public let reason: String?
    }

    /// In one word and one sentence.
    public struct Health: Hashable, Sendable, CustomStringConvertible {
        /// How it is, in one word.
        public enum State: String, Hashable, Sendable {
            /// Everything is in its place.
            case up
            /// It will work as soon as something outside comes about, without being told.
            case waiting
            /// Something of it, or something that it needs, is gone.
            case broken
        }

        /// The one word: the worst that was found decides.
        public let state: State
        /// Why, or what may surprise, no full stop; parts are joined by "; and".
        public let sentence: String

        public var description: String { "\(state.rawValue): \(sentence)" }
    }
}
