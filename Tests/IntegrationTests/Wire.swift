import BPF
import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// Four namespaces of a test's own with a manager at each edge.
///
/// Everything it has made is gone after ``takeDown()``, which looks that it is.
struct Wire: ~Copyable {
    let network: FourNamespaces
    let first: PseudowireManager
    let second: PseudowireManager

    init(underlayMTU: Int = 1500, innerMTU: Int = 1400) throws {
        let network = try FourNamespaces.anonymous(underlayMTU: underlayMTU, innerMTU: innerMTU)
        let first = try PseudowireManager(in: .path(network.path(of: .edge1)))
        let second = try PseudowireManager(in: .path(network.path(of: .edge2)))
        self.network = network
        self.first = first
        self.second = second
    }

    /// Makes both ends of `pw0`.
    func connect(_ cell: Cell, change: (inout PseudowireConfiguration) -> Void = { _ in }) throws {
        var near = cell.configuration(at: .edge1)
        var far = cell.configuration(at: .edge2)
        change(&near)
        change(&far)
        try first.add(near)
        try second.add(far)
    }

    /// That neither end of `pw0` has dropped anything.
    func expectNoDrops(_ location: SourceLocation = #_sourceLocation) throws {
        for manager in [first, second] {
            let drops = try manager.pseudowire(named: "pw0").statistics.drops
            #expect(drops.isEmpty, "\(drops)", sourceLocation: location)
        }
    }

    /// Removes what is ours and checks that the edges are as they were: no filter, no qdisc, no interface, no
    /// promiscuity.
    func takeDown(_ location: SourceLocation = #_sourceLocation) throws {
        try first.teardown()
        try second.teardown()
        for place in [FourNamespaces.Place.edge1, .edge2] {
            try network.withNamespace(place) { namespace in
                let client = try RouteClient(in: namespace)
                let links = try client.links.list()
                #expect(Set(links.map(\.name)) == Set(place.interfaces + ["lo"]), sourceLocation: location)
                #expect(links.allSatisfy { !$0.flags.contains(.promiscuous) }, sourceLocation: location)
                #expect(try client.qdiscs.list().allSatisfy { $0.kind != "clsact" }, sourceLocation: location)
                #expect(links.allSatisfy { $0.xdp == nil }, sourceLocation: location)
                for link in links {
                    #expect(try tcxPrograms(on: link.index, in: place).isEmpty, sourceLocation: location)
                }
                let state = "\(BPFFileSystem.conventionalPath)/pseudowire/\(String(client.namespaceCookie, radix: 16))"
                #expect(access(state, F_OK) != 0, "pins remain in \(state)", sourceLocation: location)
            }
        }
    }

    /// The programs of an interface's tcx hook, in the order in which they run; none where the kernel has no tcx.
    func tcxPrograms(on link: LinkIndex, in place: FourNamespaces.Place) throws -> [UInt32] {
        guard case .yes = Feature.tcx.support() else { return [] }
        return try network.withNamespace(place) { namespace in
            try namespace.run { try TCXHook(.ingress, of: link.rawValue).programs().entries.map(\.programID) }
        }
    }

    /// How many programs and filters an interface has on its ingress, at whichever hook.
    func filterCount(on link: LinkIndex, in place: FourNamespaces.Place) throws -> Int {
        let filters = try client(place).filters.list(at: TrafficHook(link: link, direction: .ingress))
        return try filters.count + tcxPrograms(on: link, in: place).count
    }

    /// A client in one of the four.
    func client(_ place: FourNamespaces.Place) throws -> RouteClient {
        try network.withNamespace(place) { namespace in try RouteClient(in: namespace) }
    }

    /// An interface's index.
    func index(_ name: String, _ client: RouteClient) throws -> LinkIndex {
        try #require(try client.links.find(named: name)).index
    }

    /// Pings host3 from host0 over both families: every echo must come back, the first included.
    func expectPings(sizes: [Int] = [56], _ comment: Comment? = nil, _ location: SourceLocation = #_sourceLocation)
        throws
    {
        for family in [IPAddress.Family.v4, .v6] {
            for size in sizes {
                let echo = Echo(to: FourNamespaces.Place.host3.address(family), payloadSize: size, count: 3)
                let outcome = try echo.run(in: network.host0)
                #expect(outcome.isPerfect, comment ?? "IPv\(family.rawValue), \(size) octets", sourceLocation: location)
            }
        }
    }

    /// Pings that must not come back.
    func expectSilence(_ location: SourceLocation = #_sourceLocation) throws {
        let echo = Echo(to: FourNamespaces.Place.host3.address(.v4), count: 2, timeout: .milliseconds(300))
        #expect(try echo.run(in: network.host0).received == 0, sourceLocation: location)
    }
}

/// An outer family and an encapsulation.
struct Cell: Sendable, CustomTestStringConvertible {
    let family: IPAddress.Family
    let encapsulation: Encapsulation

    var testDescription: String { "IPv\(family.rawValue)/\(encapsulation.rawValue)" }

    static let all = [IPAddress.Family.v4, .v6].flatMap { family in
        Encapsulation.allCases.map { Cell(family: family, encapsulation: $0) }
    }

    /// One of several pseudowires at the first edge's access interface, each with a VLAN of its own.
    static func oneOfMany(_ number: UInt32, _ attach: PseudowireConfiguration.Attach) -> PseudowireConfiguration {
        var one = all[0].configuration(at: .edge1)
        one.name = "pw\(number)"
        one.vlan = .id(UInt16(number + 1))
        one.session.local = SessionID(rawValue: number + 1) ?? 1
        one.attach = attach
        return one
    }

    func configuration(at edge: FourNamespaces.Place) -> PseudowireConfiguration {
        let isFirst = edge == .edge1
        let local = edge.address(family)
        let peer = (isFirst ? FourNamespaces.Place.edge2 : .edge1).address(family)
        return PseudowireConfiguration(
            name: "pw0", access: isFirst ? "veth10" : "veth23",
            tunnel: encapsulation == .udp ? .udp(local: local, peer: peer) : .ip(local: local, peer: peer),
            session: .init(local: isFirst ? 1012 : 1021, peer: isFirst ? 1021 : 1012))
    }
}
