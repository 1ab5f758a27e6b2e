internal import InternetAddress
internal import RouteNetlink

/// Which of the kernel's notifications can make a difference to a document.
///
/// A machine may have a million routes that change all the time, and interfaces whose state does.
struct Relevance {
    /// What of an interface matters.
    private struct Face: Hashable {
        let name: String
        let alternativeNames: [String]
        let mtu: UInt32
        var flags: LinkFlags
        let kind: String?
        let alias: String?
        let peer: LinkIndex?
        let hardwareType: UInt16

        init(_ link: Link) {
            name = link.name
            alternativeNames = link.alternativeNames
            mtu = link.mtu
            flags = link.flags
            kind = link.kind
            alias = link.alias
            peer = link.peer
            hardwareType = link.hardwareType
        }
    }

    private var faces: [LinkIndex: Face] = [:]
    private var peers: Set<IPAddress> = []
    private var locals: Set<IPAddress> = []
    /// The interfaces that have filters of ours.
    var used: Set<UInt32> = []
    /// The names of those that are made with pseudowires.
    private var made: Set<String> = []

    mutating func watch(_ document: PseudowireDocument) {
        made = Set(document.pseudowires.filter(\.makesInterface).map(\.access))
        peers = Set(document.pseudowires.map(\.tunnel.peer))
        locals = Set(document.pseudowires.map(\.tunnel.local))
    }

    /// Whether an attempt of ours, which has failed and was undone, makes the kernel tell such a thing.
    func isEcho(_ event: RouteEvent) -> Bool {
        switch event {
        // What was in use before the attempt is not what it has made.
        case .link(.removed, let link) where used.contains(link.index.rawValue): return false
        case .link(let change, let link):
            let aliases = [Splitter.pair.alias, Joiner.pair.alias, CustomerPort.alias]
            let names = Splitter.pair.names + Joiner.pair.names
            if let alias = link.alias, aliases.contains(alias) { return true }
            if names.contains(link.name) || made.contains(link.name) { return true }
            // Promiscuity that came and went.
            guard change == .present, let known = faces[link.index] else { return false }
            var face = Face(link)
            if face.flags.symmetricDifference(known.flags).isSubset(of: .promiscuous) { face.flags = known.flags }
            return face == known
        case .qdisc(_, let qdisc): return qdisc.kind == "clsact"
        case .filter: return true
        default: return false
        }
    }

    /// What a driver can do decides where XDP programs are, and what they send to it.
    func matters(_ event: XDPFeatureMonitor.Event) -> Bool {
        switch event {
        case .changed(let link, _): used.contains(link.rawValue)
        // Of an interface that has gone, the link's own event tells.
        case .removed: false
        case .resynchronise: true
        }
    }

    mutating func matters(_ event: RouteEvent) -> Bool {
        switch event {
        case .link(.present, let link):
            let face = Face(link)
            return faces.updateValue(face, forKey: link.index) != face
        case .link(.removed, let link):
            faces[link.index] = nil
            return true
        // Routers make hosts tell of their addresses anew every few minutes. With one that goes, routes may go untold.
        case .address(let change, let address): return change == .removed || locals.contains(address.prefix.address)
        case .route(_, let route):
            // Those of the local table follow addresses; the others matter if they could be the way to a peer.
            guard let destination = route.destination else { return true }
            return peers.contains { destination.contains($0) }
        case .rule, .resynchronise, .unrecognized: return true
        case .qdisc(_, let qdisc): return used.contains(qdisc.link.rawValue) && qdisc.kind == "clsact"
        case .filter(.removed, let filter, let link, _):
            return used.contains(link.rawValue) && filter.priority == Attachment.Role.access.priority
        case .filter, .neighbor, .forwarding, .namespaceID, .elsewhere, .synchronised: return false
        }
    }
}
