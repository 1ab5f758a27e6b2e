import InternetAddress
import RouteNetlink
import RouteNetlinkTestKit
import SystemPackage
import Testing

/// Code as an embedder writes it, against a kernel as an embedder scripts it: nothing here is `@testable`.
@Suite struct TestKitTests {
    /// What is tested by the script: gives `name` an address and a way out; a route that is there already is fine.
    private static func setUp(_ client: RouteClient, _ name: String) throws(NetlinkError) -> Int {
        guard let link = try client.links.find(named: name) else { return 0 }
        try client.addresses.add("192.0.2.1/24", to: link.index)
        do throws(NetlinkError) {
            try client.routes.add(Route(to: "198.51.100.0/24", via: "192.0.2.2"))
        } catch  where error.isAlreadyPresent {}
        return try client.links.list().count
    }

    private static let links: [KernelMessage] = [
        .link(1, name: "lo", mtu: 65536), .link(2, name: "eth0", kind: "veth", address: "02:00:00:00:00:01"),
        .link(3, name: "br0", kind: "bridge", mtu: 1400, alias: "a bridge"),
    ]

    @Test func `answers by the script`() throws {
        let kernel = ScriptedKernel()
        kernel.expect(.getLink, where: { $0.attribute(3)?.text == "eth0" }, answering: .objects([Self.links[1]]))
        kernel.expect(.newAddress, where: { $0.attribute(2)?.bytes == [192, 0, 2, 1] })
        kernel.expect(
            .newRoute, where: { $0.attribute(1)?.bytes == [198, 51, 100, 0] }, answering: .refusal(.fileExists))
        kernel.expect(.getLink, where: \.isDump, answering: .objects(Self.links, perDatagram: 2))
        #expect(try Self.setUp(kernel.makeClient(), "eth0") == 3)
        #expect(kernel.problems == [])
        #expect(kernel.requests.map(\.type) == [.getLink, .newAddress, .newRoute, .getLink])
    }

    @Test func `says what went otherwise`() throws {
        let kernel = ScriptedKernel()
        kernel.expect(.getLink, answering: .objects([Self.links[1]]))
        kernel.expect(.newAddress, where: { _ in false })
        kernel.expect(.deleteRoute)
        let client = try kernel.makeClient()
        let link = try #require(try client.links.find(named: "eth0"))
        func errno(_ body: () throws(NetlinkError) -> Void) -> Errno? {
            do throws(NetlinkError) { try body() } catch { return error.errno }
            return nil
        }
        let unscripted = Errno(rawValue: 71)
        #expect(
            errno { () throws(NetlinkError) in try client.addresses.add("192.0.2.1/24", to: link.index) } == unscripted)
        #expect(errno { () throws(NetlinkError) in try client.links.delete(link.index) } == unscripted)
        #expect(kernel.problems.count == 3)
        #expect(kernel.problems.contains { $0.hasPrefix("new address: asked for otherwise") })
        #expect(kernel.problems.contains("delete link: asked for where delete route was expected"))
        #expect(kernel.problems.last == "delete route: expected, but never asked for")
    }

    @Test func `nothing reaches the real kernel by another socket`() throws {
        let kernel = ScriptedKernel()
        let links = try kernel.makeClient().links
        let visit = #expect(throws: NetlinkError.self) { try links.create(.bridge("br0", namespace: 0)) }
        #expect(visit?.errno == .notSupported)
        #expect(kernel.requests.isEmpty, "nothing is made where it could not be looked up")
        let offloads = #expect(throws: NetlinkError.self) { try links.offloads(LinkIndex(rawValue: 1)) }
        #expect(offloads?.errno == Errno(rawValue: 19), "the loopback is there, but not in the script")
        #expect(kernel.problems == [])
    }

    @Test(arguments: [1, 2, 3, 16]) func `a list arrives whole, however it is split`(_ perDatagram: Int) throws {
        let kernel = ScriptedKernel()
        kernel.expect(
            .getLink,
            answering: .objects(Self.links, perDatagram: perDatagram).afterStranger(Self.links).afterEcho(Self.links))
        let found = try kernel.makeClient().links.list()
        #expect(found.map(\.name) == ["lo", "eth0", "br0"])
        #expect(found.map(\.mtu) == [65536, 1500, 1400])
        #expect(found.map(\.kind) == [nil, "veth", "bridge"])
        #expect(found[1].address == "02:00:00:00:00:01" && found[2].alias == "a bridge")
    }

    @Test func `a list that changes is asked for again`() throws {
        let kernel = ScriptedKernel()
        kernel.expect(.getLink, answering: .objects(Self.links, perDatagram: 1).interrupted())
        kernel.expect(.getLink, answering: .objects([]).interrupted())
        kernel.expect(.getLink, answering: .objects([Self.links[0]]))
        #expect(try kernel.makeClient().links.list().map(\.name) == ["lo"])
        #expect(kernel.problems == [])
    }

    @Test(arguments: [
        (Answer.acknowledgement.overrun(), Errno.noBufferSpace), (.silence, .timedOut),
        (.objects([.link(1, name: "lo")]).truncated(), .messageTooLong),
    ])
    func `what is lost is of unknown outcome, and the next request is answered`(_ answer: Answer, _ errno: Errno) throws
    {
        let kernel = ScriptedKernel()
        kernel.expect(.getLink, answering: answer)
        kernel.expect(.getLink, answering: .objects(Self.links))
        let client = try kernel.makeClient()
        let error = #expect(throws: NetlinkError.self) { try client.links.list() }
        #expect(error?.errno == errno && error?.isOutcomeUnknown == true)
        #expect(try client.links.list().count == 3)
        #expect(kernel.problems == [])
    }

    @Test func `a refusal has words and a place`() throws {
        let kernel = ScriptedKernel()
        kernel.expect(
            .newLink, where: { $0.attribute(18, 1)?.text == "bridge" },
            answering: .refusal(.notSupportedOnSocket, "Unknown device type", at: [18, 1]))
        let client = try kernel.makeClient()
        let error = #expect(throws: NetlinkError.self) { try client.links.create(.bridge("br0")) }
        #expect(error?.message == "Unknown device type")
        #expect(error?.attributePath == "IFLA_LINKINFO.IFLA_INFO_KIND")
        #expect(kernel.problems == [])
    }

    /// Before Linux 6.2 nothing is echoed, and a name of the kernel's choice would remain its secret.
    @Test(arguments: [("", "bridge"), ("br%d", "br")])
    func `a name that is left open is chosen before it is asked for`(_ name: String, _ prefix: String) throws {
        let kernel = ScriptedKernel()
        kernel.expect(
            .getLink, where: \.isDump,
            answering: .objects([.link(1, name: "lo"), .link(2, name: prefix + "0"), .link(3, name: prefix + "2")]))
        kernel.expect(.newLink, where: { $0.attribute(3)?.text == prefix + "1" }, answering: .refusal(.fileExists))
        kernel.expect(.newLink, where: { $0.attribute(3)?.text == prefix + "3" })
        kernel.expect(
            .getLink, where: { $0.attribute(3)?.text == prefix + "3" },
            answering: .objects([.link(7, name: prefix + "3", kind: "bridge")]))
        let made = try kernel.makeClient().links.create(.bridge(name))
        #expect(made.index.rawValue == 7 && made.name == prefix + "3")
        #expect(kernel.problems == [])
    }

    @Test func `a name is not chosen for ever`() throws {
        let kernel = ScriptedKernel()
        kernel.expect(.getLink, where: \.isDump, answering: .objects([.link(1, name: "lo")]))
        for number in 0..<32 {
            kernel.expect(
                .newLink, where: { $0.attribute(3)?.text == "bridge\(number)" }, answering: .refusal(.fileExists))
        }
        let links = try kernel.makeClient().links
        let error = #expect(throws: NetlinkError.self) { try links.create(.bridge("")) }
        #expect(error?.isAlreadyPresent == true)
        #expect(kernel.problems == [])
    }

    @Test func `objects come back as they were scripted`() throws {
        let route = Route(to: "198.51.100.0/24", via: "192.0.2.2", table: 1000)
        let rule = Rule(.v6, from: "2001:db8::/32", mark: 7, table: 1000, priority: 700)
        let neighbor = Neighbor(
            address: "192.0.2.2", link: LinkIndex(rawValue: 2), macAddress: "02:00:00:00:00:02")
        let row = ForwardingEntry("02:00:00:00:00:09", port: LinkIndex(rawValue: 2), vlan: 7)
        let kernel = ScriptedKernel()
        kernel.expect(.getRoute, answering: .objects([.route(route)]))
        kernel.expect(.getRule, answering: .objects([.rule(rule)]))
        kernel.expect(.getNeighbor, answering: .objects([.neighbor(neighbor)]))
        kernel.expect(.getNeighbor, answering: .objects([.forwarding(row)]))
        kernel.expect(.getAddress, answering: .objects([.address("2001:db8::1/64", on: 2)]))
        kernel.expect(.getNamespaceID, answering: .objects([.namespaceID(NamespaceID(rawValue: 5))]))
        let client = try kernel.makeClient()
        let routes = try client.routes.list(.v4)
        #expect(routes.map(\.destination) == [route.destination] && routes.map(\.gateway) == [route.gateway])
        #expect(routes.map(\.table) == [1000])
        #expect(try client.rules.list(.v6) == [rule])
        #expect(try client.neighbors.list() == [neighbor])
        #expect(try client.neighbors.listForwarding() == [row])
        let addresses = try client.addresses.list()
        #expect(addresses.map(\.prefix) == ["2001:db8::1/64"] && addresses.map(\.link.rawValue) == [2])
        #expect(try client.namespaces.list().map(\.rawValue) == [5])
        #expect(kernel.problems == [])
    }

    @Test(arguments: [false, true])
    func `a batch has a result for each change`(_ isLost: Bool) throws {
        let kernel = ScriptedKernel()
        kernel.expect(.newRoute, where: { !$0.wantsAcknowledgement })
        kernel.expect(.newRoute, answering: .refusal(.fileExists))
        kernel.expect(.newRoute, where: \.wantsAcknowledgement, answering: isLost ? .silence : .acknowledgement)
        var batch = RouteBatch()
        for number: UInt8 in 0..<3 {
            let prefix = try #require(IPPrefix(IPAddress(198, 18, number, 0), length: 24))
            batch.add(Route(to: prefix, via: "192.0.2.2"))
        }
        let errors = try kernel.makeClient().perform(batch).map { result -> NetlinkError? in
            if case .failure(let error) = result { error } else { nil }
        }
        #expect(errors[1]?.isAlreadyPresent == true && errors[1]?.isOutcomeUnknown == false)
        #expect(errors[1]?.operation == "add route 198.18.1.0/24 via 192.0.2.2")
        // Without the last one's answer nothing is known of those that were not complained of.
        #expect(errors[0]?.isOutcomeUnknown == (isLost ? true : nil))
        #expect(errors[2]?.isOutcomeUnknown == (isLost ? true : nil))
        #expect(kernel.problems == [])
    }

    @Test func `offloads are switched as a driver would`() throws {
        let kernel = ScriptedKernel()
        let link = LinkIndex(rawValue: 2)
        kernel.features[link] = LinkFeatures(
            active: ["tx-tcp-segmentation", "rx-gro", "tx-checksum-sctp"],
            changeable: ["tx-tcp-segmentation", "tx-generic-segmentation", "rx-gro"], fixed: ["vlan-challenged"])
        let links = try kernel.makeClient().links
        #expect(try links.features(link) == kernel.features[link])
        #expect(
            try links.offloads(link)
                == [
                    .tcpSegmentation: true, .genericSegmentation: false, .genericReceive: true,
                    .transmitChecksum: true,
                ])
        let change = try links.setOffloads(link, [.tcpSegmentation: false, .genericReceive: true])
        #expect(change == FeatureChange(changed: ["tx-tcp-segmentation": false]))
        #expect(kernel.features[link]?.active == ["rx-gro", "tx-checksum-sctp"])
        let stuck = try links.setFeatures(link, ["tx-checksum-sctp": false, "tx-generic-segmentation": true])
        #expect(stuck.refused == ["tx-checksum-sctp": false] && stuck.changed == ["tx-generic-segmentation": true])
        #expect(throws: NetlinkError.self) { try links.setOffloads(link, [.transmitChecksum: false]) }
        #expect(
            try links.featureNames()
                == ["rx-gro", "tx-checksum-sctp", "tx-generic-segmentation", "tx-tcp-segmentation", "vlan-challenged"])
        let never = #expect(throws: NetlinkError.self) {
            try links.setFeatures(link, ["vlan-challenged": true, "rx-gro": false])
        }
        #expect(never?.errno == .invalidArgument)
        #expect(try links.features(link).active.contains("rx-gro"), "all or nothing")
        #expect(kernel.problems == [], "it is no part of the script")
    }

    @Test func `filters and qdiscs come back as they were scripted`() throws {
        let link = LinkIndex(rawValue: 2)
        let hook = TrafficHook(link: link, direction: .ingress)
        let ours = BPFFilterInfo(
            hook: hook, priority: 7, handle: 9, chain: 3, name: "decap", programID: 77,
            programTag: [1, 2, 3, 4, 5, 6, 7, 8])
        let other = FilterInfo(
            kind: "matchall", priority: 8, handle: 1, protocol: 0x0800, options: [8, 0, 1, 0, 5, 0, 0, 0])
        let clsact = Qdisc(kind: "clsact", handle: 0xffff_0000, parent: Qdisc.clsactParent, link: link)
        let kernel = ScriptedKernel()
        kernel.expect(.getQdisc, answering: .objects([.qdisc(clsact)]))
        kernel.expect(.newQdisc)
        kernel.expect(.getFilter, where: \.isDump, answering: .objects([.filter(ours), .filter(other, at: hook)]))
        kernel.expect(.getFilter, answering: .objects([.filter(ours)]))
        kernel.expect(.deleteFilter)
        kernel.expect(.deleteFilter, answering: .refusal(.noSuchFileOrDirectory))
        let client = try kernel.makeClient()
        #expect(try client.qdiscs.list() == [clsact])
        try client.qdiscs.add(clsact)
        let listed = try client.filters.list(at: hook)
        #expect(listed.map(\.kind) == ["bpf", "matchall"] && listed.map(\.handle) == [9, 1])
        #expect(listed[0].programID == 77 && listed[0].name == "decap" && listed[0].isDirectAction)
        #expect(listed[1] == other)
        #expect(try client.filters.get(priority: 7, handle: 9, chain: 3, at: hook) == ours)
        try client.filters.delete(priority: 7, handle: 9, chain: 3, at: hook)
        let gone = #expect(throws: NetlinkError.self) {
            try client.filters.delete(priority: 7, handle: 9, chain: 3, at: hook)
        }
        #expect(gone?.isNotFound == true)
        #expect(kernel.problems == [])
        #expect(kernel.requests.last?.attribute(11)?.integer(UInt32.self) == 3, "TCA_CHAIN")
    }

    @Test func `hands on what the kernel remarks`() throws {
        let kernel = ScriptedKernel()
        kernel.expect(.newLink, answering: .warning("hardware does not do that"))
        kernel.expect(.newLink)
        let client = try kernel.makeClient()
        var warnings: [NetlinkWarning] = []
        client.onWarning = { warnings.append($0) }
        try client.links.update(LinkIndex(rawValue: 2), LinkUpdate(isUp: true))
        try client.links.update(LinkIndex(rawValue: 3), LinkUpdate(isUp: true))
        #expect(warnings.map(\.description) == ["update link 2: hardware does not do that"])
    }

    @Test func `groups of next hops come back as they were scripted`() throws {
        let hops: [NextHopObject] = [
            NextHopObject(7, gateway: "192.0.2.9", link: LinkIndex(rawValue: 2)),
            .group(9, [.init(7, weight: 300), .init(8)]), .group(10, [.init(7)], buckets: 32),
        ]
        let kernel = ScriptedKernel()
        kernel.expect(.getNextHop, answering: .objects(hops.map { .nextHop($0) }))
        #expect(try kernel.makeClient().nextHops.list() == hops)
        #expect(kernel.problems == [])
    }

    @Test func `announces events, and an overflow`() async throws {
        let kernel = ScriptedKernel()
        kernel.expect(.getLink, answering: .objects(Self.links))
        kernel.expect(.getLink, answering: .objects([Self.links[1]]))
        let monitor = try kernel.makeMonitor(.links, includingPresent: true)
        var events = monitor.makeAsyncIterator()
        for name in ["lo", "eth0", "br0"] {
            guard case .link(.present, let link)? = try await events.next() else { throw Unexpected() }
            #expect(link.name == name)
        }
        #expect(try await events.next() == .synchronised)
        kernel.announce(Self.links[2].removed, Self.links[0])
        guard case .link(.removed, let gone)? = try await events.next() else { throw Unexpected() }
        #expect(gone.name == "br0")
        guard case .link(.present, _)? = try await events.next() else { throw Unexpected() }
        kernel.announceOverflow()
        kernel.announce(Self.links[2])
        #expect(try await events.next() == .resynchronise)
        guard case .link(.present, let left)? = try await events.next() else { throw Unexpected() }
        #expect(left.name == "eth0")
        #expect(try await events.next() == .synchronised)
        #expect(try monitor.next() == nil)
        #expect(kernel.problems == [])
    }

    private struct Unexpected: Error {}
}
