internal import BPF
internal import RouteNetlink

/// The filters on the inner ends of our pairs.
///
/// They are always on the clsact qdisc: the interfaces are ours, and nobody else is there to come before or after.
extension Attachment {
    static func attachSplitter(
        _ inner: UInt32, _ programs: DatapathPrograms, _ client: RouteClient
    ) throws(PseudowireError) {
        try attach(programs.encapSplit.fileDescriptor, "pseudowire_split", inner, client, .splitterHooked)
    }

    /// A datapath without such a program is one of an earlier release.
    static func attachJoiner(
        _ inner: UInt32, _ programs: DatapathPrograms, _ client: RouteClient
    ) throws(PseudowireError) {
        guard let join = programs.join else { return }
        try attach(join.program.fileDescriptor, "pseudowire_join", inner, client, .joinerHooked)
    }

    private static func attach(
        _ program: Int32, _ name: String, _ inner: UInt32, _ client: RouteClient, _ hooked: FaultPoint
    ) throws(PseudowireError) {
        try netlink { () throws(NetlinkError) in
            _ = try client.qdiscs.ensureClsact(on: LinkIndex(rawValue: inner))
        }
        try hooked.reach()
        try netlink { () throws(NetlinkError) in
            _ = try client.filters.replace(
                BPFFilter(
                    program: program, name: name, priority: Role.access.priority, handle: Role.access.handle),
                at: hook(inner))
        }
    }

    /// Puts the splitter's filter on again.
    static func mendSplitter(_ state: DatapathState, _ manager: PseudowireManager) throws(PseudowireError) {
        let splitter = state.identity.splitter.inner
        let ours = state.programs.encapSplit.id
        guard try programID(.access, on: splitter, at: .clsact, manager) != ours else { return }
        try? attachSplitter(splitter, state.programs, manager.client)
    }
}
