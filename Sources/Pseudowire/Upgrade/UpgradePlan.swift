internal import RouteNetlink

/// What an upgrade will do, or has done: from which datapath to which, what becomes of each map, which filters change.
///
/// ```swift
/// let plan = try manager.planUpgrade()
/// print(plan)
/// // replace ABI 4, build 5d20e7b1, generation 2
/// // prove ABI 5, build 1f0c93aa, generation 3 on frames of every kind of session that there is
/// // keep access, sessions, …
/// // renew ports: its values have 24 octets, not 48
/// // exchange decap of eth0 (clsact)
/// // …
/// ```
public struct UpgradePlan: Sendable, CustomStringConvertible {
    /// A datapath.
    public struct Datapath: Hashable, Sendable, CustomStringConvertible {
        /// Which layout its maps have: `PW_ABI_VERSION` of `bpf/abi/pseudowire_abi.h` when it was built.
        public let abi: UInt32
        /// Nil before ABI 4, which brought it.
        public let build: BuildID?
        /// How many upgrades there had been.
        public let generation: UInt64

        public var description: String {
            "ABI \(abi)" + (build.map { ", build \($0.short)" } ?? "") + ", generation \(generation)"
        }
    }

    /// What becomes of a map.
    public struct MapFate: Hashable, Sendable {
        /// What the object calls it, as `sessions`.
        public let map: String
        /// Why its entries have to be carried over into a new one; empty: the new programs use it as it is.
        public let differences: [String]

        /// Whether the new programs use it as it is, with everything in it.
        public var isKept: Bool { differences.isEmpty }
    }

    /// A filter whose program is exchanged.
    public struct Filter: Hashable, Sendable, CustomStringConvertible {
        let role: Attachment.Role
        let interface: UInt32
        /// The interface's name.
        public let name: String
        /// The hook that it is on.
        public let hook: AttachmentHook
        /// Whether an XDP program is before it, which is exchanged with it.
        public let hasXDP: Bool

        public var description: String { "\(role.word) of \(name) (\(hasXDP ? "xdp+" : "")\(hook.rawValue))" }
    }

    /// The datapath that carries frames when the plan is made.
    public let from: Datapath
    /// The datapath of this build, one generation on.
    public let to: Datapath
    /// Every map but the one that says which datapath it is.
    public let maps: [MapFate]
    /// In the order in which they are exchanged: packets are taken in by the new datapath before frames are sent by it.
    public let filters: [Filter]

    /// Whether this build carries the frames already.
    public var isEmpty: Bool { from.abi == to.abi && from.build == to.build }

    /// One line for each thing that is done.
    public var steps: [String] {
        let kept = maps.filter(\.isKept).map(\.map)
        return ["prove \(to) on frames of every kind of session that there is"]
            + (kept.isEmpty ? [] : ["keep \(kept.joined(separator: ", "))"])
            + maps.filter { !$0.isKept }.map { "renew \($0.map): \($0.differences.joined(separator: "; "))" }
            + filters.map { "exchange \($0)" }
            + ["exchange the splitter's", "commit generation \(to.generation)"]
    }

    public var description: String { (["replace \(from)"] + steps).joined(separator: "\n") }
}
