import BPF
import Glibc
import InternetAddress
import L2TP
import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

@Suite("routes, neighbours and neighbours' rights", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct RoutingTests {
    @Test("a gateway's new MAC address is followed without being told", arguments: Cell.all)
    func newAddress(cell: Cell) throws {
        let wire = try Wire()
        try wire.connect(cell)
        try wire.expectPings()
        let far = try wire.client(.edge2)
        try far.links.update(wire.index("veth21", far), LinkUpdate(address: "02:00:00:00:99:99"))
        // The kernel finds out by itself that the old address has gone quiet; that takes it a few seconds.
        let near = try wire.client(.edge1)
        for neighbor in try near.neighbors.list()
        where neighbor.address == FourNamespaces.Place.edge2.address(cell.family) {
            try near.neighbors.delete(neighbor.address, on: neighbor.link)
        }
        // A way that was found is good for a tick of the kernel's clock.
        usleep(20_000)
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("a pseudowire may come before its route; it carries as soon as there is one", arguments: Cell.all)
    func routeLater(cell: Cell) throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let underlay = try wire.index("veth12", client)
        let prefix = FourNamespaces.Place.edge1.prefix(cell.family)
        // The address without the route to its network: nothing leads to the peer.
        try client.addresses.delete(prefix, from: underlay)
        try client.addresses.add(IPPrefix(host: prefix.address), to: underlay, flags: .noDuplicateDetection)
        try wire.connect(cell)
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .waiting)
        #expect(try wire.first.pseudowire(named: "pw0").health.sentence.contains("no route to"))
        try wire.expectSilence()
        #expect(try wire.first.pseudowire(named: "pw0").statistics.drops.map(\.reason.identifier) == ["no_route"])
        try client.routes.add(Route(to: prefix.network, link: underlay))
        try wire.expectPings()
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        try wire.takeDown()
    }

    @Test("a route that moves to another interface is followed", arguments: Cell.all)
    func movedRoute(cell: Cell) throws {
        let wire = try Wire()
        let near = try wire.client(.edge1)
        let far = try wire.client(.edge2)
        // A second link between the edges, and an address of edge2's that can be reached by both.
        try wire.network.withNamespace(.edge2) { namespace in
            _ = try near.links.create(
                .veth("veth14", peer: .init(name: "veth41", namespace: namespace.fileDescriptor)))
        }
        let isIPv4 = cell.family == .v4
        let second = try wire.index("veth14", near)
        let secondFar = try wire.index("veth41", far)
        try near.links.update(second, LinkUpdate(isUp: true))
        try far.links.update(secondFar, LinkUpdate(isUp: true))
        try near.addresses.add(isIPv4 ? "203.0.113.1/24" : "2001:db8:2::1/64", to: second, flags: .noDuplicateDetection)
        try far.addresses.add(
            isIPv4 ? "203.0.113.2/24" : "2001:db8:2::2/64", to: secondFar, flags: .noDuplicateDetection)
        let peer: IPAddress = isIPv4 ? "198.51.100.22" : "2001:db8:3::22"
        try far.addresses.add(IPPrefix(host: peer), to: wire.index("veth21", far), flags: .noDuplicateDetection)
        try near.routes.add(Route(to: IPPrefix(host: peer), via: FourNamespaces.Place.edge2.address(cell.family)))

        var one = cell.configuration(at: .edge1)
        one.tunnel.peer = peer
        var two = cell.configuration(at: .edge2)
        two.tunnel.local = peer
        two.underlays = ["veth21", "veth41"]
        try wire.first.add(one)
        try wire.second.add(two)
        try wire.expectPings()
        let before = try #require(far.links.get(secondFar)?.statistics).receivedPackets
        try near.routes.replace(Route(to: IPPrefix(host: peer), via: isIPv4 ? "203.0.113.2" : "2001:db8:2::2"))
        try wire.expectPings()
        let after = try #require(far.links.get(secondFar)?.statistics).receivedPackets
        #expect(after >= before + 6)
        try near.links.delete(second)
        try wire.takeDown()
    }

    @Test("what is not ours passes: the edges still talk to each other, and other filters still run")
    func foreign() throws {
        let wire = try Wire()
        let client = try wire.client(.edge2)
        let underlay = try wire.index("veth21", client)
        let hook = TrafficHook(link: underlay, direction: .ingress)
        // Somebody else's filter behind ours, on somebody else's clsact: r0 = TC_ACT_UNSPEC; exit
        let theirs = try Program(instructions: [0xffff_ffff_0000_00b7, 0x95], type: 3, name: "theirs")
        _ = try client.qdiscs.ensureClsact(on: underlay)
        _ = try client.filters.add(
            BPFFilter(program: theirs.fileDescriptor, name: "theirs", priority: 40_000, handle: 9), at: hook)
        try wire.connect(Cell.all[0])
        try wire.expectPings()
        for family in [IPAddress.Family.v4, .v6] {
            let echo = Echo(to: FourNamespaces.Place.edge2.address(family), count: 3)
            #expect(try echo.run(in: wire.network.edge1).isPerfect)
        }
        try wire.second.teardown()
        // Their filter and their qdisc are still there.
        #expect(try client.filters.list(at: hook).map(\.programID) == [theirs.id])
        try client.qdiscs.deleteClsact(on: underlay)
        try wire.takeDown()
    }

    @Test("a filter of somebody else's at our place is refused, and left alone")
    func occupied() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let access = try wire.index("veth10", client)
        let hook = TrafficHook(link: access, direction: .ingress)
        let theirs = try Program(instructions: [0xffff_ffff_0000_00b7, 0x95], type: 3, name: "theirs")
        _ = try client.qdiscs.ensureClsact(on: access)
        _ = try client.filters.add(
            BPFFilter(program: theirs.fileDescriptor, name: "theirs", priority: 1701, handle: 1), at: hook)
        let error = #expect(throws: PseudowireError.self) {
            var configuration = Cell.all[0].configuration(at: .edge1)
            configuration.attach = .clsact
            try wire.first.add(configuration)
        }
        #expect("\(error, default: "")".contains("somebody else's"))
        #expect(try client.filters.list(at: hook).map(\.programID) == [theirs.id])
        #expect(try wire.first.pseudowires().isEmpty)
        try client.qdiscs.deleteClsact(on: access)
        try wire.takeDown()
    }

    @Test("no sysctl is touched, and nothing is promiscuous but the access interface")
    func hostUntouched() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        try wire.expectPings()
        let client = try wire.client(.edge1)
        for link in try client.links.list() {
            #expect(link.flags.contains(.promiscuous) == (link.name == "veth10"), "\(link.name)")
        }
        let values = try wire.network.withNamespace(.edge1) { namespace in
            try namespace.run {
                [
                    Self.firstOctet("/proc/sys/net/ipv4/ip_forward"),
                    Self.firstOctet("/proc/sys/net/ipv6/conf/all/forwarding"),
                ]
            }
        }
        #expect(values == [0x30, 0x30])
        try wire.takeDown()
    }

    /// System calls only: this runs on a thread in another namespace.
    private static func firstOctet(_ path: String) -> UInt8? {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var octet: UInt8 = 0
        return read(descriptor, &octet, 1) == 1 ? octet : nil
    }
}
