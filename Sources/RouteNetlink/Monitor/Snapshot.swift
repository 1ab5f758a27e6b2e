/// What is there now, told as events, one topic after the other.
///
/// Lists go over a client's socket of its own: the monitor's is subscribed already, so that what changes while a list
/// is read waits there.
struct Snapshot {
    private let client: RouteClient
    private let topics: [RouteMonitor.Topics]
    /// How many of the topics have been listed.
    private var listed = 0

    init(of topics: RouteMonitor.Topics, _ client: RouteClient) {
        self.client = client
        let order: [RouteMonitor.Topics] = [
            .namespaceIDs, .links, .addresses, .neighbors, .routes, .rules, .trafficControl,
        ]
        self.topics = order.filter { topics.contains($0) }
    }

    /// Whether all has been listed, and that been told.
    private(set) var isComplete = false

    /// Begins again.
    mutating func restart() {
        listed = 0
        isComplete = false
    }

    /// The next topic's objects, the last of which are followed by `.synchronised`; a list that fails is tried again
    /// at the next call.
    mutating func next() throws(NetlinkError) -> [RouteEvent] {
        guard listed < topics.count else {
            isComplete = true
            return [.synchronised]
        }
        let events = try list(topics[listed])
        listed += 1
        return events
    }

    private func list(_ topic: RouteMonitor.Topics) throws(NetlinkError) -> [RouteEvent] {
        switch topic {
        case .links: try client.links.list().map { .link(.present, $0) }
        case .addresses: try client.addresses.list().map { .address(.present, $0) }
        case .routes: try client.routes.list().map { .route(.present, $0) }
        case .rules: try client.rules.list().map { .rule(.present, $0) }
        case .neighbors:
            try client.neighbors.list().map { .neighbor(.present, $0) }
                + client.neighbors.listForwarding().map { .forwarding(.present, $0) }
        case .trafficControl: try trafficControl()
        case .namespaceIDs: try client.namespaces.list().map { .namespaceID(.present, $0) }
        default: []
        }
    }

    private func trafficControl() throws(NetlinkError) -> [RouteEvent] {
        let qdiscs = try client.qdiscs.list()
        var events: [RouteEvent] = qdiscs.map { .qdisc(.present, $0) }
        for qdisc in qdiscs where qdisc.kind == "clsact" {
            for direction in TrafficDirection.allCases {
                do throws(NetlinkError) {
                    let filters = try client.filters.list(at: TrafficHook(link: qdisc.link, direction: direction))
                    events += filters.map { .filter(.present, $0, on: qdisc.link, parent: direction.parent) }
                } catch {
                    // The interface may be gone meanwhile, of which the monitor will tell.
                    guard error.isNotFound else { throw error }
                }
            }
        }
        return events
    }
}
