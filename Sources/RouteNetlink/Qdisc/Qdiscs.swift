import CPseudowireMNL
import SystemPackage

/// The queueing disciplines of a client's namespace.
///
/// ```swift
/// let weMadeIt = try client.qdiscs.ensureClsact(on: index) == .created
/// ```
public struct Qdiscs {
    let client: RouteClient

    /// What `ensureClsact(on:)` found.
    public enum Outcome: Hashable, Sendable {
        /// There was none: it is ours, and gone with the interface or by `deleteClsact(on:)`.
        case created
        /// Somebody else's, not to be deleted by us.
        case alreadyPresent
    }

    /// Makes sure that an interface has a clsact, on whose hooks filters are put (Linux 4.5).
    ///
    /// - Throws: `EEXIST` with a message when a legacy *ingress* qdisc holds clsact's place; it is left alone.
    public func ensureClsact(on link: LinkIndex) throws(NetlinkError) -> Outcome {
        let operation = "create clsact on link \(link)"
        for _ in 0..<8 {
            do throws(NetlinkError) {
                let request = QdiscRequest.clsact(Int(RTM_NEWQDISC), createNew, link)
                try client.socket.perform(request, .qdisc, operation)
                return .created
            } catch {
                guard error.errno == .fileExists else { throw error }
            }
            // The kernel says EEXIST for clsact and ingress alike.
            switch try atClsactPlace(link)?.kind {
            case "clsact": return .alreadyPresent
            case nil: continue  // gone meanwhile
            case .some(let kind):
                throw NetlinkError(
                    .fileExists, operation, object: .qdisc,
                    message: "a legacy \(kind) qdisc holds its place; delete that one first (tc qdisc del … \(kind))")
            }
        }
        throw NetlinkError(
            .fileExists, operation, object: .qdisc, message: "somebody keeps creating and deleting it")
    }

    /// Deletes an interface's clsact with **every** filter on it, whoever's they are.
    ///
    /// A legacy ingress qdisc in its place is refused, not deleted.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func deleteClsact(on link: LinkIndex) throws(NetlinkError) {
        let request = QdiscRequest.clsact(Int(RTM_DELQDISC), 0, link)
        try client.socket.perform(request, .qdisc, "delete clsact on link \(link)")
    }

    /// Adds a discipline of any kind that the kernel has, its parameters as `list(on:)` reports them.
    ///
    /// ```swift
    /// let limit = try client.qdiscs.list(on: old).first { $0.kind == "tbf" }
    /// if var limit { limit.link = new; try client.qdiscs.add(limit) }
    /// ```
    ///
    /// Some kinds report what they refuse to be told, as HTB its version.
    ///
    /// - Throws: `isAlreadyPresent` when the place is taken, `ENOENT` or `EINVAL` for a kind that the kernel lacks.
    public func add(_ qdisc: Qdisc) throws(NetlinkError) {
        try perform(qdisc, Int(RTM_NEWQDISC), createNew, "add")
    }

    /// Adds a discipline, or puts it in the place of the one that is there.
    public func replace(_ qdisc: Qdisc) throws(NetlinkError) {
        try perform(qdisc, Int(RTM_NEWQDISC), createOrReplace, "replace")
    }

    /// Deletes the discipline of this place, kind and handle, with its classes and filters.
    ///
    /// - Throws: `isNotFound` when there is none.
    public func delete(_ qdisc: Qdisc) throws(NetlinkError) {
        var qdisc = qdisc
        qdisc.options = nil
        try perform(qdisc, Int(RTM_DELQDISC), 0, "delete")
    }

    private func perform(
        _ qdisc: Qdisc, _ type: Int, _ flags: Int32, _ verb: StaticString
    ) throws(NetlinkError) {
        try client.socket.perform(
            QdiscRequest.change(type, flags, qdisc), .qdisc, "\(verb) \(qdisc.kind) on link \(qdisc.link)")
    }

    /// The disciplines of one interface, or of all.
    public func list(on link: LinkIndex? = nil) throws(NetlinkError) -> [Qdisc] {
        let request = QdiscRequest.list(link)
        let found = try client.socket.dump(request, .qdisc, "list qdiscs") { message throws(MalformedMessage) in
            try Qdisc(message)
        }
        // The kernel does not filter this list.
        guard let link else { return found }
        return found.filter { $0.link == link }
    }

    private func atClsactPlace(_ link: LinkIndex) throws(NetlinkError) -> Qdisc? {
        do throws(NetlinkError) {
            let request = QdiscRequest.atClsactPlace(link)
            return try client.socket.object(request, .qdisc, "get clsact on link \(link)") {
                message throws(MalformedMessage) in try Qdisc(message)
            }
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }
}
