internal import RouteNetlink

/// Whether XDP programs can be before an interface's filter, and whether `--attach auto` has them there.
///
/// An XDP program sees a frame before the kernel has made anything of it, which is why it is fast, and why it is no use
/// where a frame is not yet what a wire would carry: with segmentation or checksums still to be done, or without its
/// tag.
public enum Acceleration: Hashable, Sendable, CustomStringConvertible {
    /// `auto` has them there.
    case chosen
    /// `--attach xdp` has them there, and `auto` does not, for a reason.
    case possible(String)
    /// Nobody has them there, for a reason; and what could be done.
    case impossible(String, cure: String)

    /// What decides it.
    struct Facts: Hashable, Sendable {
        var hasEthernetHeader = true
        /// The driver's kind; nil for hardware.
        var kind: String?
        /// Nil where the kernel does not say.
        var driver: XDPFeatures?
        /// What somebody else's XDP program on it is called.
        var foreignProgram: String?
        /// The features that are on, by the kernel's names.
        var active: Set<String> = []
    }

    init(_ facts: Facts) {
        let leftOut = "leave --attach xdp out: filters carry the same frames"
        self =
            if !facts.hasEthernetHeader {
                .impossible("its packets have no Ethernet header, where XDP programs need one", cure: leftOut)
            } else if let program = facts.foreignProgram {
                .impossible(
                    "somebody else's XDP program is there, \(program)", cure: "remove that, or \(leftOut)")
            } else if facts.driver?.contains(.native) == false {
                .impossible("its driver has no native XDP as it is set up", cure: leftOut)
            } else if let kind = facts.kind {
                .possible(
                    "it is virtual (\(kind)), and may hand over frames whose segments and checksums are still to be made, "
                        + "which XDP programs cannot see")
            } else if let parsing = Self.parsing.first(where: facts.active.contains) {
                .impossible(
                    "its card takes VLAN tags out of the frame (\(parsing)), where XDP programs cannot see them",
                    cure: "turn that off, or \(leftOut)")
            } else if let joining = Self.joining.first(where: facts.active.contains) {
                .possible("its card joins segments (\(joining)), where XDP programs are to see each frame")
            } else if facts.driver == nil {
                .possible("the kernel does not say whether its driver has native XDP (Linux 6.3 does)")
            } else {
                .chosen
            }
    }

    private static let joining = ["rx-gro-hw", "rx-lro"]
    private static let parsing = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"]

    /// Why it is not `chosen`.
    public var reason: String? {
        switch self {
        case .chosen: nil
        case .possible(let reason), .impossible(let reason, _): reason
        }
    }

    public var description: String {
        switch self {
        case .chosen: "XDP: --attach auto has it"
        case .possible(let reason): "XDP: only with --attach xdp: \(reason)"
        case .impossible(let reason, _): "XDP: not possible: \(reason)"
        }
    }
}
