import CPseudowireMNL
import RouteNetlinkTestKit
import Testing

@testable import RouteNetlink

/// What drivers can do for XDP programs: the family `netdev`, and `IFLA_XDP`.
@Suite struct XDPFeatureTests {
    @Test func `asks as the kernel's specification of the family says`() {
        // Documentation/netlink/specs/netdev.yaml: dev-get is 1, its ifindex attribute 1.
        #expect(
            hex(NetDeviceRequest.device(0x21, LinkIndex(rawValue: 7)).bytes)
                == hex(bytes("1c000000 2100 0500 00000000 00000000 01 01 0000 0800 0100 07000000")))
        #expect(
            hex(NetDeviceRequest.devices(0x21).bytes).hasPrefix(hex(bytes("14000000 2100"))),
            "a list needs no attribute")
        #expect(
            hex(Request.genericFamily("netdev").bytes)
                == hex(
                    bytes("20000000 1000 0500 00000000 00000000 03 01 0000 0b00 0200 6e6574646576 00 00")))
    }

    @Test func `is told what a script says`() throws {
        let kernel = ScriptedKernel()
        let (eth0, eth1) = (LinkIndex(rawValue: 2), LinkIndex(rawValue: 3))
        kernel.xdpFeatures = [eth0: [.native, .redirect, .transmit], eth1: []]
        let links = try kernel.makeClient().links
        #expect(try links.xdpFeatures() == [eth0: [.native, .redirect, .transmit], eth1: []])
        #expect(try links.xdpFeatures(eth0) == [.native, .redirect, .transmit])
        #expect(try links.xdpFeatures(eth1) == [])
        let gone = #expect(throws: NetlinkError.self) { try links.xdpFeatures(LinkIndex(rawValue: 4)) }
        #expect(gone?.errno == .noSuchDevice)
        // Ethtool goes over the same socket.
        kernel.features[eth0] = LinkFeatures(active: ["rx-gro"])
        #expect(try links.features(eth0).active == ["rx-gro"])
        #expect(kernel.problems == [])
    }

    @Test func `drivers have the names that a script gives them`() throws {
        let kernel = ScriptedKernel()
        kernel.drivers["eth0"] = "virtio_net"
        let links = try kernel.makeClient().links
        #expect(try links.driver(named: "eth0") == "virtio_net")
        let gone = #expect(throws: NetlinkError.self) { try links.driver(named: "eth1") }
        #expect(gone?.errno == .noSuchDevice)
    }

    @Test func `a kernel without the family says nothing, which is no error`() throws {
        let links = try ScriptedKernel().makeClient().links
        #expect(try links.xdpFeatures() == nil)
        #expect(try links.xdpFeatures(LinkIndex(rawValue: 2)) == nil)
    }

    @Test func `reads which programs an interface has`() throws {
        func link(_ fields: [(type: Int, bytes: [UInt8])]) throws -> Link? {
            let nest = KernelMessage(.newLink, header: [], attributes: fields).payload
            let message = KernelMessage(
                .newLink, header: [0, 0, 1, 0, 5, 0, 0, 0] + [UInt8](repeating: 0, count: 8),
                attributes: [(3, [0x61, 0]), (43, nest)])  // IFLA_IFNAME, IFLA_XDP
            let kernel = ScriptedKernel()
            kernel.expect(.getLink, answering: .objects([message]))
            return try kernel.makeClient().links.list().first
        }
        #expect(try link([(2, [0])])?.xdp == nil)
        #expect(try link([(2, [1]), (4, [9, 0, 0, 0]), (5, [9, 0, 0, 0])])?.xdp == XDPPrograms(driver: 9))
        let both = try link([(2, [4]), (5, [9, 0, 0, 0]), (6, [8, 1, 0, 0])])?.xdp
        #expect(both == XDPPrograms(driver: 9, generic: 264) && both?.first == 9)
        #expect(try link([(2, [3]), (7, [1, 0, 0, 0])])?.xdp?.first == 1)
    }
}

extension KernelTests {
    @Suite struct XDPFeatureKernelTests {
        @Test func `a veth sends what is redirected to it while its other end has GRO on`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            let left = try client.links.create(.veth("left", peer: .init(name: "right", isUp: true), isUp: true))
            let right = try #require(try client.links.find(named: "right"))
            // Before Linux 6.3 nobody says.
            guard let all = try client.links.xdpFeatures() else { return }
            #expect(Set(all.keys) == Set(try client.links.list().map(\.index)))
            #expect(try client.links.xdpFeatures(left.index)?.contains(.native) == true)
            #expect(all[left.index]?.contains(.transmit) == false)
            try client.links.setOffloads(right.index, [.genericReceive: true])
            #expect(try client.links.xdpFeatures(left.index)?.contains([.native, .redirect, .transmit]) == true)
            #expect(try client.links.xdpFeatures(right.index)?.contains(.transmit) == false)
            try client.links.setOffloads(right.index, [.genericReceive: false])
            #expect(try client.links.xdpFeatures(left.index)?.contains(.transmit) == false)
            #expect(try client.links.driver(named: "left") == "veth")
            // Told as well, but of other namespaces.
            let monitor = try #require(try XDPFeatureMonitor(in: namespace))
            let elsewhere = try #require(try XDPFeatureMonitor(in: try NetworkNamespace.anonymous()))
            func told() throws -> [XDPFeatureMonitor.Event] {
                var events: [XDPFeatureMonitor.Event] = []
                while let event = try monitor.next() { events.append(event) }
                return events
            }
            #expect(try told().isEmpty)
            try client.links.setOffloads(right.index, [.genericReceive: true])
            let on = try #require(try client.links.xdpFeatures(left.index))
            #expect(try told() == [.changed(left.index, on)])
            try client.links.setOffloads(right.index, [.genericReceive: false])
            #expect(try told() == [.changed(left.index, on.subtracting([.transmit, .transmitScattered]))])
            let other = try client.links.create(.veth("come", peer: .init(name: "gone")))
            #expect(try told().contains { if case .changed(other.index, _) = $0 { true } else { false } })
            try client.links.delete(other.index)
            #expect(try told().contains(.removed(other.index)))
            #expect(try elsewhere.next() == nil)
            for name in ["neither", String(repeating: "x", count: 16), ""] {
                let gone = try failure { () throws(NetlinkError) in _ = try client.links.driver(named: name) }
                #expect(gone.errno == .noSuchDevice, "\(name)")
            }
            let gone = try failure { () throws(NetlinkError) in
                _ = try client.links.xdpFeatures(LinkIndex(rawValue: 12345))
            }
            #expect(gone.errno == .noSuchDevice)
        }
    }
}
