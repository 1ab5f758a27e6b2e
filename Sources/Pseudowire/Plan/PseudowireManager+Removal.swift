internal import BPF
internal import CPseudowireObject
internal import RouteNetlink

extension PseudowireManager {
    /// What removing some of the existing pseudowires takes: filters go with the last one that uses them.
    func removal(of removed: [Record], from existing: [Record]) throws(PseudowireError) -> Plan {
        let names = Set(removed.map(\.configuration.name))
        var transition = Transition(removed: removed)
        transition.kept = existing.filter { !names.contains($0.configuration.name) }
        return Plan(
            transition.actions(
                makingState: nil, removal: try departing(removed), name: interfaceName, attached: try Attached(self),
                wayOut: try wayOut()),
            for: existing)
    }

    /// Tells the way out that the datapath has for a pseudowire: not always the first of its underlays.
    func wayOut() throws(PseudowireError) -> (Record) -> UInt32 {
        let state = try openState()
        var asked = 0
        var all: [UInt64: UInt32]?
        return { record in
            asked += 1
            // Of many it is quicker to read them all.
            if all == nil, asked > 64, let entries = try? state?.access.entries() {
                all = Dictionary(entries.map { ($0.key.code, $0.value.underlay) }) { first, _ in first }
            }
            let present = all.map { $0[record.accessKey.code] } ?? (try? state?.access[record.accessKey])?.underlay
            return present ?? record.underlays.first ?? 0
        }
    }

    /// Pseudowires that go, with what it would take to have their interfaces again.
    func departing(_ removed: [Record]) throws(PseudowireError) -> [(Record, CustomerPort.Shape?)] {
        try removed.map { record throws(PseudowireError) in
            let record = try located(record)
            return (record, record.configuration.makesInterface ? try customerPortShape(record) : nil)
        }
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
            try hidden?.peerHere.flatMap { index throws(NetlinkError) in try client.links.get(index) }
        }
        return CustomerPort.Shape(mtu: end?.mtu ?? 1500, isDormant: end?.operationalState == .dormant)
    }
}
