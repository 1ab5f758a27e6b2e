import Foundation
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct LinkKindTests {
        /// What `ip -d` says about a link.
        static func row(_ name: String, in namespace: borrowing NetworkNamespace) throws -> [String: Any] {
            let rows = try table(witness("ip", "-j", "-d", "link", "show", "dev", name, in: namespace))
            return try #require(rows.first)
        }

        static func info(_ row: [String: Any], port: Bool = false) -> [String: Any] {
            let info = row["linkinfo"] as? [String: Any]
            return info?[port ? "info_slave_data" : "info_data"] as? [String: Any] ?? [:]
        }

        @Test func `reads a bridge as ip does, made and changed`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            let wish = BridgeSettings(
                forwardDelay: 400, helloTime: 300, maxAge: 1900, ageingTime: 6000, spanningTree: false, priority: 4096,
                groupForwardMask: 0x4000, multicastSnooping: nil)
            let bridge = try client.links.create(.bridge("br0", settings: wish))
            func settings() throws -> BridgeSettings {
                guard case .bridge(let found)? = try client.links.get(bridge.index)?.info else {
                    throw WitnessFailure(text: "no bridge")
                }
                return found
            }
            func agrees() throws {
                let ours = try settings()
                let theirs = Self.info(try Self.row("br0", in: namespace))
                #expect(ours.forwardDelay == theirs["forward_delay"] as? UInt32)
                #expect(ours.helloTime == theirs["hello_time"] as? UInt32)
                #expect(ours.maxAge == theirs["max_age"] as? UInt32)
                #expect(ours.ageingTime == theirs["ageing_time"] as? UInt32)
                #expect(ours.spanningTree == (theirs["stp_state"] as? Int).map { $0 != 0 })
                #expect(ours.priority == theirs["priority"] as? UInt16)
                let mask = ours.groupForwardMask.map { "0x" + String($0, radix: 16) }
                #expect(mask == theirs["group_fwd_mask"] as? String)
            }
            let made = try settings()
            for path in [\BridgeSettings.forwardDelay, \.helloTime, \.maxAge, \.ageingTime] {
                #expect(made[keyPath: path] == wish[keyPath: path])
            }
            #expect(made.priority == 4096)
            #expect(made.groupForwardMask == 0x4000)
            try agrees()
            try client.links.update(
                bridge.index, LinkUpdate(bridge: BridgeSettings(ageingTime: 7000, spanningTree: true)))
            #expect(try settings().ageingTime == 7000)
            #expect(try settings().spanningTree == true)
            #expect(try settings().priority == 4096, "the rest stays")
            try agrees()
        }

        @Test func `reads a bridge's port as ip does, and changes it`() throws {
            let cable = try Cable()
            let bridge = try cable.client.links.create(.bridge("br0"))
            let port = cable.left.index
            #expect(try cable.client.links.get(port)?.bridgePort == nil)
            try cable.client.links.update(port, LinkUpdate(master: bridge.index))
            let before = try #require(try cable.client.links.get(port)?.bridgePort)
            #expect(before.isIsolated == false && before.isLearning == true && before.floodsUnknownUnicast == true)
            let wish = BridgePortSettings(
                priority: 9, cost: 77, isHairpin: true, guardsBPDU: true, isLearning: false,
                floodsUnknownUnicast: false, floodsMulticast: false, floodsBroadcast: false, groupForwardMask: 0x4000,
                suppressesNeighbors: true, isIsolated: true)
            try cable.client.links.update(port, LinkUpdate(bridgePort: wish))
            var now = try #require(try cable.client.links.get(port)?.bridgePort)
            let theirs = Self.info(try Self.row("left", in: cable.namespace), port: true)
            #expect(theirs["cost"] as? UInt32 == now.cost)
            #expect(theirs["priority"] as? UInt16 == now.priority)
            for (name, ours) in [
                ("hairpin", now.isHairpin), ("guard", now.guardsBPDU), ("learning", now.isLearning),
                ("flood", now.floodsUnknownUnicast), ("mcast_flood", now.floodsMulticast),
                ("bcast_flood", now.floodsBroadcast), ("neigh_suppress", now.suppressesNeighbors),
                ("isolated", now.isIsolated),
            ] { #expect(theirs[name] as? Bool == ours, "\(name)") }
            #expect(theirs["group_fwd_mask"] as? String == "0x4000")
            now.state = nil
            #expect(now == wish)
            let both = try failure { () throws(NetlinkError) in
                try cable.client.links.update(
                    port, LinkUpdate(bridge: BridgeSettings(maxAge: 900), bridgePort: BridgePortSettings(cost: 1)))
            }
            #expect(both.errno == .invalidArgument)
        }

        @Test func `makes macvlan and ifb, with an index of our choice`() throws {
            let cable = try Cable()
            var spec = LinkSpecification(name: "mv0", kind: .macvlan(.bridge, on: cable.left.index))
            spec.index = LinkIndex(rawValue: 500)
            let made = try cable.client.links.create(spec)
            #expect(made.index == spec.index)
            #expect(made.peer == cable.left.index)
            #expect(made.info == .macvlan(.bridge))
            let row = try Self.row("mv0", in: cable.namespace)
            #expect(row["ifindex"] as? Int == 500)
            #expect(row["link"] as? String == "left")
            #expect(Self.info(row)["mode"] as? String == "bridge")
            spec.name = "mv1"
            #expect(try failure { () throws(NetlinkError) in try cable.client.links.create(spec) }.isAlreadyPresent)
            let ifb = try cable.client.links.create(LinkSpecification(name: "ifb9", kind: .ifb))
            #expect(ifb.kind == "ifb")
            #expect(ifb.info == nil)
        }

        @Test func `reads TUN and TAP as ip does`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            _ = try witness("ip", "tuntap", "add", "tap0", "mode", "tap", "vnet_hdr", "user", "0", in: namespace)
            _ = try witness("ip", "tuntap", "add", "tun0", "mode", "tun", "pi", "group", "7", in: namespace)
            for (name, isTAP) in [("tap0", true), ("tun0", false)] {
                guard case .tun(let tun)? = try client.links.find(named: name)?.info else {
                    Issue.record("\(name) says nothing about itself")
                    continue
                }
                let theirs = Self.info(try Self.row(name, in: namespace))
                #expect(theirs["type"] as? String == (isTAP ? "tap" : "tun"))
                #expect(tun.isTAP == isTAP)
                #expect(tun.hasPacketInformation == theirs["pi"] as? Bool)
                #expect(tun.hasPacketInformation == !isTAP)
                #expect(tun.hasOffloadHeader == theirs["vnet_hdr"] as? Bool)
                #expect(tun.hasOffloadHeader == isTAP)
                #expect(tun.isMultiQueue == theirs["multi_queue"] as? Bool)
                #expect(tun.isPersistent == true)
                #expect(tun.owner == (isTAP ? 0 : nil))
                #expect(tun.group == (isTAP ? nil : 7))
            }
        }

        @Test func `changes group, queue and the sizes of offloads as ip sees them`() throws {
            let cable = try Cable()
            let links = cable.client.links
            try links.update(
                cable.left.index,
                LinkUpdate(
                    gsoMaxSize: 32768, gsoMaxSegments: 100, groMaxSize: 16384, group: 5, transmitQueueLength: 99))
            let now = try #require(try links.get(cable.left.index))
            #expect(now.group == 5)
            #expect(now.transmitQueueLength == 99)
            #expect(now.gsoMaxSegments == 100)
            #expect(now.gsoMaxSize == 32768)
            #expect(now.groMaxSize == 16384)
            let row = try Self.row("left", in: cable.namespace)
            #expect(row["group"] as? String == "5")
            #expect(row["txqlen"] as? Int == 99)
            #expect(row["gso_max_segs"] as? Int == 100)
            #expect(row["gso_max_size"] as? Int == 32768)
            #expect(row["gro_max_size"] as? Int == 16384)
        }

        @Test func `reads what a VLAN says, and passes over what is cut short`() throws {
            var link = Link(index: LinkIndex(rawValue: 9), name: "v5")
            link.kind = "vlan"
            #expect(link.info == nil)
            // IFLA_VLAN_PROTOCOL, IFLA_VLAN_ID, IFLA_VLAN_FLAGS
            link.kindData = bytes("06000500 88a80000  06000100 05000000  0c000200 01000000 ffffffff")
            #expect(link.info == .vlan(VLAN(id: 5, etherType: 0x88a8)))
            link.kindData = bytes("06000500 88a80000  05000100 05000000")
            #expect(link.info == nil)
        }

        @Test func `says so where the kernel lacks a kind, or makes it right`() throws {
            let cable = try Cable()
            let vlan = VLAN(id: 5, etherType: 0x88a8)
            do throws(NetlinkError) {
                let made = try cable.client.links.create(
                    LinkSpecification(name: "v5", kind: .vlan(vlan, on: cable.left.index)))
                #expect(made.info == .vlan(vlan))
                #expect(made.peer == cable.left.index)
            } catch {
                #expect(error.message == "Unknown device type")
                #expect(!error.isNotFound && !error.isAlreadyPresent)
            }
        }
    }
}
