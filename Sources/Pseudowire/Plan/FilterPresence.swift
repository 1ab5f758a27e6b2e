internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

/// Which interfaces really carry a filter of ours; asked once for each.
///
/// A filter goes with its device and stays through every change of name: where ours is, there is the device that it was
/// put on. Another one that has got the old index, or the old name, has no such filter.
final class FilterPresence {
    private let state: DatapathState?
    private let manager: PseudowireManager
    private var list: [UInt32: pw_port]?
    private var known: [Attachment.Role: [UInt32: Bool]] = [:]

    /// Without a datapath there is none.
    init(_ state: DatapathState?, _ manager: PseudowireManager) {
        self.state = state
        self.manager = manager
    }

    /// Whether this role's filter of ours is on the device.
    func has(_ role: Attachment.Role, on link: Link) throws(PseudowireError) -> Bool {
        guard let state else { return false }
        let index = link.index.rawValue
        if let known = known[role]?[index] { return known }
        var found = false
        if let hook = try ports()[index]?[role] {
            found = try Attachment.programID(role, on: index, at: hook, manager) == state.programs.id(role, on: link)
        }
        known[role, default: [:]][index] = found
        return found
    }

    /// The interfaces that carry filters of ours.
    func ports() throws(PseudowireError) -> [UInt32: pw_port] {
        if let list { return list }
        let found = try state.map { state throws(PseudowireError) in try state.portList } ?? [:]
        list = found
        return found
    }

    /// Whether the device is as the role needs it: the filter, and for an access interface all frames.
    func isWhole(_ role: Attachment.Role, on link: Link) throws(PseudowireError) -> Bool {
        try has(role, on: link) && (role == .underlay || link.flags.contains(.promiscuous))
    }
}
