internal import CPseudowireMNL
internal import SystemPackage

/// The queueing disciplines of a client's namespace.
public struct Qdiscs {
    let client: RouteClient

    /// What ``ensureClsact(on:)`` has found.
    public enum Ensured: Hashable, Sendable {
        case created
        case alreadyPresent
    }

    /// Makes sure that an interface has clsact, the qdisc on whose two hooks filters run.
    ///
    /// - Returns: whether it had to be made. It is shared: whoever finds one must leave it there.
    /// - Throws: `EEXIST` with a message where the older `ingress` qdisc is in its place. Other errors as they come.
    @discardableResult
    public func ensureClsact(on link: LinkIndex) throws(NetlinkError) -> Ensured {
        let operation = "add clsact to link \(link)"
        let request = QdiscMessage.clsact(RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_EXCL, link)
        do {
            try client.socket.perform(request, .qdisc, operation)
            return .created
        } catch {
            // The kernel gives the same answer whichever of the two is there.
            guard error.isAlreadyPresent else { throw error }
            let present = try list(on: link).first { $0.parent == QdiscMessage.clsactParent }
            if present?.kind == "clsact" { return .alreadyPresent }
            throw NetlinkError(
                .fileExists, operation, object: .qdisc,
                message: "there is a qdisc of kind \(present?.kind ?? "unknown") in its place")
        }
    }

    /// Removes clsact, and with it every filter on both of its hooks, whoever put them there.
    public func deleteClsact(on link: LinkIndex) throws(NetlinkError) {
        let request = QdiscMessage.clsact(RTM_DELQDISC, flags: 0, link)
        try client.socket.perform(request, .qdisc, "delete clsact from link \(link)")
    }

    /// The qdiscs of one interface, or of all.
    public func list(on link: LinkIndex? = nil) throws(NetlinkError) -> [Qdisc] {
        let all = try client.socket.dump(QdiscMessage.list(), .qdisc, "list qdiscs", parse: QdiscMessage.parse)
        return link.map { link in all.filter { $0.link == link } } ?? all
    }
}
