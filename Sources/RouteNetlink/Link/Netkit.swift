import CPseudowireMNL

/// A pair of interfaces between namespaces whose ways are BPF programs (Linux 6.7).
///
/// ```swift
/// let pod = LinkSpecification.Peer(name: "eth0", namespace: blue.fileDescriptor)
/// try client.links.create(.netkit("nk0", Netkit(mode: .layer2), peer: pod))
/// ```
///
/// What is nil the kernel chooses: layer 3, pass. Source: `drivers/net/netkit.c`; the kernel refuses the kind
/// (`EOPNOTSUPP`, "Unknown device type") where it was built without.
public struct Netkit: Hashable, Sendable, AttributeSettings {
    /// What its packets begin with.
    public struct Mode: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// An Ethernet header.
        ///
        /// The corresponding C constant is `NETKIT_L2`.
        public static let layer2 = Mode(rawValue: 0)
        /// An IP header: there are neither hardware addresses nor ARP.
        ///
        /// The corresponding C constant is `NETKIT_L3`.
        public static let layer3 = Mode(rawValue: 1)
    }

    /// What becomes of packets while no program decides.
    public struct Policy: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// They go to the other end.
        ///
        /// The corresponding C constant is `NETKIT_PASS`.
        public static let pass = Policy(rawValue: 0)
        /// They are dropped.
        ///
        /// The corresponding C constant is `NETKIT_DROP`.
        public static let drop = Policy(rawValue: 2)
    }

    /// Whether a packet's mark and priority are cleared on its way to the other end.
    public struct Scrub: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// They are left alone.
        ///
        /// The corresponding C constant is `NETKIT_SCRUB_NONE`.
        public static let none = Scrub(rawValue: 0)
        /// They are cleared where the ends' namespaces differ.
        ///
        /// The corresponding C constant is `NETKIT_SCRUB_DEFAULT`.
        public static let `default` = Scrub(rawValue: 1)
    }

    /// What packets begin with, at both ends: settled when the pair is made.
    public var mode: Mode?
    /// Of packets that leave by this end.
    public var policy: Policy?
    /// Of packets that leave by the other end.
    public var peerPolicy: Policy?
    /// Of packets that leave by this end, or by the other one (Linux 6.13).
    public var scrub: Scrub?
    /// The same of packets that leave by the other end (Linux 6.13).
    public var peerScrub: Scrub?
    /// Whether this is the end that takes programs and settings, those of the other end too; the kernel says so.
    public internal(set) var isPrimary: Bool?

    public init(
        mode: Mode? = nil, policy: Policy? = nil, peerPolicy: Policy? = nil, scrub: Scrub? = nil,
        peerScrub: Scrub? = nil
    ) {
        self.mode = mode
        self.policy = policy
        self.peerPolicy = peerPolicy
        self.scrub = scrub
        self.peerScrub = peerScrub
    }

    /// As the kernel chooses.
    public init() { self.init(mode: nil) }

    /// `IFLA_NETKIT_*` of `linux/if_link.h`, which is older than netkit where libmnl's headers are.
    enum Attribute {
        static let peerInfo = 1
        static let primary = 2
        static let policy = 3
        static let peerPolicy = 4
        static let mode = 5
        static let scrub = 6
        static let peerScrub = 7
    }

    static var fields: [SettingField<Netkit>] {
        [
            .flag(Attribute.primary, \.isPrimary), .long(Attribute.policy, \.policyNumber),
            .long(Attribute.peerPolicy, \.peerPolicyNumber), .long(Attribute.mode, \.modeNumber),
            .long(Attribute.scrub, \.scrubNumber), .long(Attribute.peerScrub, \.peerScrubNumber),
        ]
    }
}

/// The same as numbers, for the table.
extension Netkit {
    private var modeNumber: UInt32? {
        get { mode?.rawValue }
        set { mode = newValue.map(Mode.init) }
    }
    private var policyNumber: UInt32? {
        get { policy?.rawValue }
        set { policy = newValue.map(Policy.init) }
    }
    private var peerPolicyNumber: UInt32? {
        get { peerPolicy?.rawValue }
        set { peerPolicy = newValue.map(Policy.init) }
    }
    private var scrubNumber: UInt32? {
        get { scrub?.rawValue }
        set { scrub = newValue.map(Scrub.init) }
    }
    private var peerScrubNumber: UInt32? {
        get { peerScrub?.rawValue }
        set { peerScrub = newValue.map(Scrub.init) }
    }
}
