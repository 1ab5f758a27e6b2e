internal import RouteNetlink

extension Doctor {
    /// Whether what the machine's owner wants encrypted goes round those who would do it.
    static func ipsec(_ manager: PseudowireManager) -> [Finding] {
        let subject = "IPsec policies"
        do throws(PseudowireError) {
            let client = manager.client
            let protection = try netlink { () throws(NetlinkError) in try IPsecProtection(client) }
            guard protection.count > 0 || protection.blocksByDefault else {
                return [Finding(.fine, subject, "none without an interface of their own")]
            }
            let conflicts = try manager.conflicts(with: protection)
            return conflicts.isEmpty
                ? [Finding(.fine, subject, "\(protection.count), none against a pseudowire here")]
                : conflicts.map { Finding(.problem, subject, "\($0.name): \($0.conflict)", cure: IPsecProtection.cure) }
        } catch {
            return [Finding(.warning, subject, "\(error)", cure: "run it as root")]
        }
    }
}

extension PseudowireManager {
    /// The pseudowires whose packets a policy wants otherwise.
    fileprivate func conflicts(
        with protection: IPsecProtection
    ) throws(PseudowireError) -> [(name: String, conflict: String)] {
        let client = client
        let list = try netlink { () throws(NetlinkError) in try client.links.list() }
        let links = Dictionary(list.map { ($0.index.rawValue, $0) }) { first, _ in first }
        let records = try reading { (state) throws(PseudowireError) in try self.records(state) } ?? []
        var found: [(name: String, conflict: String)] = []
        for record in records {
            let configuration = record.configuration
            let route = try netlink { () throws(NetlinkError) in
                try client.routes.lookup(to: configuration.tunnel.peer, from: nil)
            }
            let wayOut = route?.outputInterface.flatMap { links[$0.rawValue] }
            let underlays = record.underlays.compactMap { links[$0] }
            if let conflict = protection.conflict(configuration, wayOut: wayOut, underlays: underlays) {
                found.append((configuration.name, conflict))
            }
        }
        return found
    }
}
