import BPF
import InternetAddress
import Pseudowire
import PseudowireTestbed
import RouteNetlink

/// One way to carry frames from host0 to host3, set up as its users would.
struct Contender: Sendable {
    let name: String
    /// What the inspector must know to see through the outer headers; nil: there are none of ours.
    var pseudowire: PacketInspector.Pseudowire?
    /// Whether a capture of its frames is inspected; not where frames from a socket, with checksums to be made, never
    /// arrive.
    var isInspected = true
    /// Sets it up on a network that is built, and hands back what takes it down.
    ///
    /// What lives in the network's namespaces goes with them, so most have nothing to take down.
    let setUp: @Sendable (borrowing FourNamespaces) throws -> () throws -> Void
}

/// The two edges, and their ports to the host and to the other edge.
let edges: [(place: FourNamespaces.Place, access: String, underlay: String)] = [
    (.edge1, "veth10", "veth12"), (.edge2, "veth23", "veth21"),
]

extension Contender {
    /// The name of the one that is held against others.
    static let udp = "ours, UDP over IPv4"
    /// The same with XDP programs before the filters.
    static let xdp = "ours, UDP over IPv4, XDP"

    static let all: [Contender] =
        [bridge, redirect, vxlan] + [
            ours(udp, .v4, udp: true), ours(xdp, .v4, udp: true) { $0.attach = .xdp },
            ours("ours, UDP over IPv6", .v6, udp: true),
            ours("ours, IP over IPv4", .v4, udp: false), ours("ours, IP over IPv6", .v6, udp: false),
        ]

    /// In which tables list them.
    static let order = ([bridge, redirect, redirectXDP, vxlan, kernelL2TP] + all.dropFirst(3)).map(\.name)

    /// The kernel's bridge from port to port in each edge: what a network without tunnel does.
    static let bridge = Contender(name: "bridge, no tunnel") { network in
        for edge in edges {
            try network.withNamespace(edge.place) { namespace in
                let client = try RouteClient(in: namespace)
                let bridge = try client.links.create(.bridge("br0", isUp: true))
                for port in [edge.access, edge.underlay] { try client.enslave(port, to: bridge.index) }
            }
        }
        return {}
    }

    /// The least that a BPF program can do to carry a frame on: no tunnel, one redirect in each direction and edge.
    static let redirect = Contender(name: "redirect, no tunnel") { network in
        for edge in edges {
            try network.withNamespace(edge.place) { namespace in
                let client = try RouteClient(in: namespace)
                for (from, to) in [(edge.access, edge.underlay), (edge.underlay, edge.access)] {
                    let program = try Program.redirect(to: client.index(to))
                    try client.attach(program, to: from, .ingress)
                }
            }
        }
        return {}
    }

    /// The same in the drivers: what is left to be gained where nothing is done to a frame.
    static let redirectXDP = Contender(name: "redirect by XDP, no tunnel", isInspected: false) { network in
        // A veth takes such frames only if its other end polls.
        for (name, place) in [("veth01", FourNamespaces.Place.host0), ("veth32", .host3)] {
            try network.setOffloads([.genericReceive: true], of: name, at: place)
        }
        let links = try edges.flatMap { edge in
            try network.withNamespace(edge.place) { namespace in
                let client = try RouteClient(in: namespace)
                return try [(edge.access, edge.underlay), (edge.underlay, edge.access)].map { from, to in
                    let (from, to) = (try client.index(from), try client.index(to))
                    return try namespace.run {
                        Result { try DriverLink(Program.redirect(to: to, xdp: true), at: from) }
                    }.get()
                }
            }
        }
        return { withExtendedLifetime(links) {} }
    }

    /// The kernel's VXLAN, bridged to the access port.
    static let vxlan = Contender(name: "VXLAN, kernel") { network in
        for (number, edge) in edges.enumerated() {
            let peer = edges[1 - number].place.address(.v4)
            try network.withNamespace(edge.place) { namespace in
                let client = try RouteClient(in: namespace)
                let bridge = try client.links.create(.bridge("br0", isUp: true))
                let tunnel = try client.links.create(
                    .vxlan(
                        "vxlan0", id: 1, local: edge.place.address(.v4), remote: peer,
                        link: client.index(edge.underlay), isUp: true))
                try client.links.update(tunnel.index, LinkUpdate(master: .some(bridge.index)))
                try client.enslave(edge.access, to: bridge.index)
            }
        }
        return {}
    }

    /// What this project replaces: the kernel's L2TPv3 Ethernet pseudowire, bridged to the access port.
    ///
    /// Needs modules that few kernels have loaded, and iproute2, which alone speaks L2TP's netlink family here.
    static let kernelL2TP = Contender(
        name: "l2tp_eth, kernel", pseudowire: .init(cookieLength: .zero, sublayer: .default)
    ) { network in
        for (number, edge) in edges.enumerated() {
            let numbers = number == 0 ? [1012, 1021] : [1021, 1012]
            let (local, peer) = (edge.place.address(.v4), edges[1 - number].place.address(.v4))
            try network.withNamespace(edge.place) { namespace in
                for command in [
                    "ip l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap udp local \(local) remote \(peer) "
                        + "udp_sport 1701 udp_dport 1701",
                    "ip l2tp add session tunnel_id 1 session_id \(numbers[0]) peer_session_id \(numbers[1])",
                ] {
                    _ = try namespace.run {
                        Result { try tool(command.split(separator: " ").map(String.init)) }
                    }.get()
                }
                let client = try RouteClient(in: namespace)
                let bridge = try client.links.create(.bridge("br0", isUp: true))
                try client.links.update(client.index("l2tpeth0"), LinkUpdate(isUp: true, mtu: 1446))
                for port in ["l2tpeth0", edge.access] { try client.enslave(port, to: bridge.index) }
            }
        }
        return {}
    }

    /// A pseudowire of ours.
    ///
    /// With `offload keep`: the other end, on this machine, takes unfinished frames for what they are, as VXLAN's does.
    static func ours(
        _ name: String, _ family: IPAddress.Family, udp: Bool,
        _ change: @escaping @Sendable (inout PseudowireConfiguration) -> Void = { _ in }
    ) -> Contender {
        Contender(name: name, pseudowire: .init(cookieLength: .zero, sublayer: .default)) { network in
            let managers = try edges.map { try PseudowireManager(in: .path(network.path(of: $0.place))) }
            for (number, edge) in edges.enumerated() {
                let (local, peer) = (edge.place.address(family), edges[1 - number].place.address(family))
                let numbers: [UInt32] = number == 0 ? [1012, 1021] : [1021, 1012]
                guard let own = SessionID(rawValue: numbers[0]), let other = SessionID(rawValue: numbers[1]) else {
                    throw Failure("session ids")
                }
                var configuration = PseudowireConfiguration(
                    name: "pw0", access: edge.access,
                    tunnel: udp ? .udp(local: local, peer: peer) : .ip(local: local, peer: peer),
                    session: .init(local: own, peer: other), offload: .keep)
                change(&configuration)
                try managers[number].add(configuration)
            }
            return { for manager in managers { try manager.teardown() } }
        }
    }

    /// Fast and wrong: a pseudowire whose outer checksums somebody overwrites.
    ///
    /// Decapsulation here does not mind; the validity check must.
    static let broken = Contender(name: "broken on purpose", pseudowire: ours("", .v4, udp: true).pseudowire) {
        network in
        let takeDown = try ours("", .v4, udp: true).setUp(network)
        // The neighbours are found before, for ARP has other things there.
        _ = try Echo(to: FourNamespaces.Place.host3.address(.v4), count: 2).run(in: network.host0)
        try network.withNamespace(.edge1) { namespace in
            // Where a UDP checksum is over IPv4.
            let program = try Program.overwrite(offset: 40, with: 0xdead)
            try RouteClient(in: namespace).attach(program, to: "veth12", .egress)
        }
        return takeDown
    }
}

extension RouteClient {
    func index(_ name: String) throws -> LinkIndex {
        guard let link = try links.find(named: name) else { throw Failure("there is no interface \(name)") }
        return link.index
    }

    func enslave(_ name: String, to bridge: LinkIndex) throws {
        try links.update(index(name), LinkUpdate(master: .some(bridge)))
    }

    func attach(_ program: borrowing Program, to name: String, _ direction: TrafficDirection) throws {
        let hook = try TrafficHook(link: index(name), direction: direction)
        _ = try qdiscs.ensureClsact(on: hook.link)
        _ = try filters.add(
            BPFFilter(program: program.fileDescriptor, name: "bench", priority: 1, handle: 1), at: hook)
    }
}
