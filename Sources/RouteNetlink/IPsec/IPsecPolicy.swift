/// Which packets the stack encrypts, lets pass as they are, or drops.
///
/// ```swift
/// for policy in try client.ipsecPolicies.list() { print(policy) }   // dir out src 192.0.2.1/32 dst 192.0.2.2/32 …
/// ```
///
/// Of the policies that fit a packet the one with the lowest `priority` decides.
///
/// Source: `struct xfrm_userpolicy_info` and `XFRMA_*` of `linux/xfrm.h`.
public struct IPsecPolicy: Hashable, Sendable {
    /// Which packets are asked about, `XFRM_POLICY_*`.
    public struct Direction: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Packets for this machine.
        ///
        /// The corresponding C constant is `XFRM_POLICY_IN`.
        public static let input = Direction(rawValue: 0)
        /// Packets that leave, our own and forwarded ones.
        ///
        /// The corresponding C constant is `XFRM_POLICY_OUT`.
        public static let output = Direction(rawValue: 1)
        /// Packets that came and are to be forwarded.
        ///
        /// The corresponding C constant is `XFRM_POLICY_FWD`.
        public static let forward = Direction(rawValue: 2)
    }

    /// What becomes of a packet, `XFRM_POLICY_ALLOW` or `XFRM_POLICY_BLOCK`.
    public struct Action: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// It passes: transformed as the templates say, unchanged if there is none.
        ///
        /// The corresponding C constant is `XFRM_POLICY_ALLOW`.
        public static let allow = Action(rawValue: 0)
        /// It is dropped.
        ///
        /// The corresponding C constant is `XFRM_POLICY_BLOCK`.
        public static let block = Action(rawValue: 1)
    }

    /// The packets that it is about, but for direction and mark.
    public var selector: IPsecSelector
    /// Which way the packets go that it is asked about.
    public var direction: Direction
    /// What becomes of them; `allow` with templates means: only transformed.
    public var action: Action
    /// The lowest decides.
    public var priority: UInt32
    /// The number of the IPsec interface that it is for; zero: for none, hence for all that the stack sends.
    public var interfaceID: UInt32
    /// It is for packets whose mark, in the bits of `markMask`, is this.
    public var mark: UInt32
    /// The bits of the mark that count; zero for packets of every mark.
    public var markMask: UInt32
    /// How many transformations a packet goes through.
    public var templateCount: Int
    /// Whether it is one of the second set (`CONFIG_XFRM_SUB_POLICY`), which is asked besides the first.
    public var isSubPolicy: Bool

    public init(
        _ selector: IPsecSelector, _ direction: Direction, action: Action = .allow, priority: UInt32 = 0,
        interfaceID: UInt32 = 0, mark: UInt32 = 0, markMask: UInt32 = 0, templateCount: Int = 0,
        isSubPolicy: Bool = false
    ) {
        self.selector = selector
        self.direction = direction
        self.action = action
        self.priority = priority
        self.interfaceID = interfaceID
        self.mark = mark
        self.markMask = markMask
        self.templateCount = templateCount
        self.isSubPolicy = isSubPolicy
    }

    /// Whether a packet that it fits must not pass as it is.
    public var forbidsPlainPackets: Bool { action == .block || templateCount > 0 }
}

/// What becomes of packets that no policy fits (Linux 5.16).
public struct IPsecDefaults: Hashable, Sendable {
    /// Whether packets for this machine that no policy fits are dropped.
    public var blocksInput = false
    /// Whether packets to be forwarded that no policy fits are dropped.
    public var blocksForward = false
    /// Whether packets that leave and that no policy fits are dropped.
    public var blocksOutput = false

    public init() {}
}

extension IPsecPolicy: CustomStringConvertible {
    /// As `ip xfrm policy` takes it, without its templates.
    public var description: String {
        let directions: [Direction: String] = [.input: "in", .output: "out", .forward: "fwd"]
        var text = "dir \(directions[direction] ?? "\(direction.rawValue)") \(selector)"
        if action == .block { text += " action block" }
        if priority != 0 { text += " priority \(priority)" }
        if markMask != 0 { text += " mark \(mark) mask \(markMask)" }
        if interfaceID != 0 { text += " if_id \(interfaceID)" }
        return text
    }
}
