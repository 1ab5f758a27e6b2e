internal import RouteNetlink

extension PseudowireManager {
    /// What removing some of the existing pseudowires takes: filters go with the last one that uses them.
    func removal(of removed: [Record], from existing: [Record]) throws(PseudowireError) -> Plan {
        let names = Set(removed.map(\.configuration.name))
        let kept = existing.filter { !names.contains($0.configuration.name) }
        var remaining = try removed.map { record throws(PseudowireError) in try located(record) }[...]
        var actions: [Action] = []
        while let record = remaining.popFirst() {
            let others = kept + remaining
            // From here on it is not to be relied on by whoever comes next, if this command should die.
            actions.append(.reopenRecord(record))
            // One that waits for its interface is nothing but a record.
            if record.access != 0 || !record.isReady {
                if !others.contains(where: { $0.access == record.access }) {
                    actions.append(
                        .detach(
                            .access, interface: record.access, name: record.accessName,
                            hook: attachedHook(.access, record.access)))
                }
                actions += [.drop(.access(underlay: record.underlays.first ?? 0), record), .drop(.session, record)]
                if let path = pathRemoval(record, others) { actions.append(path) }
            }
            for underlay in record.underlays where !others.contains(where: { $0.underlays.contains(underlay) }) {
                actions.append(
                    .detach(
                        .underlay, interface: underlay, name: interfaceName(underlay),
                        hook: attachedHook(.underlay, underlay)))
            }
            if record.configuration.makesInterface {
                actions.append(.removeInterface(record, try customerPortShape(record)))
            }
            actions.append(.eraseRecord(record))
        }
        if !kept.isEmpty { actions += removed.map { .clearCounters($0) } }
        if kept.isEmpty, !removed.isEmpty { actions.append(.removeState) }
        return Plan(actions, for: existing)
    }

    /// The one that learns from ICMP messages may have an heir, to the same session of the peer's.
    private func pathRemoval(_ record: Record, _ others: [Record]) -> Action? {
        let sharing = others.filter { $0.access != 0 && PathKey($0) == PathKey(record) }
        guard let heir = sharing.min(by: { $0.created < $1.created }) else { return .drop(.path, record) }
        return heir.created < record.created ? nil : .write(.path, heir, over: record)
    }

    /// A record that knows its interface even if the command that made it died before it could be written down.
    func located(_ record: Record) throws(PseudowireError) -> Record {
        guard record.configuration.makesInterface, record.access == 0 else { return record }
        var record = record
        record.access = try CustomerPort.find(0, hidden: record.accessName, client)?.index.rawValue ?? 0
        return record
    }

    /// What the customer's end is like now, by which its removal could be undone.
    func customerPortShape(_ record: Record) throws(PseudowireError) -> CustomerPort.Shape {
        let client = client
        let hidden = try CustomerPort.find(record.access, hidden: record.accessName, client)
        let end = try netlink { () throws(NetlinkError) in
            try hidden?.peer.flatMap { index throws(NetlinkError) in try client.links.get(index) }
        }
        return CustomerPort.Shape(mtu: end?.mtu ?? 1500, isDormant: end?.operationalState == .dormant)
    }
}
