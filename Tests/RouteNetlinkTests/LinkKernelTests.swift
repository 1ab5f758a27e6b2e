import Foundation
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct LinkTests {
        @Test func `creates, finds, lists and deletes a veth`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            let spec = LinkSpecification.veth(
                "left", peer: .init(name: "right", mtu: 1300, address: "02:00:00:00:00:0b", isUp: true), mtu: 1400,
                address: "02:00:00:00:00:0a", alias: "the left one", isUp: true)
            let left = try client.links.create(spec)
            #expect(left.name == "left")
            #expect(left.kind == "veth")
            #expect(left.alias == "the left one")
            #expect(left.mtu == 1400)
            #expect(left.address == "02:00:00:00:00:0a")
            let right = try #require(try client.links.find(named: "right"))
            #expect(right.mtu == 1300)
            #expect(right.address == "02:00:00:00:00:0b")
            #expect(right.flags.contains(.up))
            #expect(left.peer == right.index)
            #expect(left.linkNamespaceID == nil)
            #expect(try client.links.get(left.index)?.flags.contains([.up, .lowerUp]) == true)
            #expect(try client.links.list().map(\.name).sorted() == ["left", "lo", "right"])
            #expect(try client.links.find(named: "nobody") == nil)
            #expect(try client.links.find(named: String(repeating: "x", count: 40)) == nil)
            #expect(try client.links.find(named: "") == nil)
            #expect(try client.links.get(LinkIndex(rawValue: 12345)) == nil)

            let rows = try table(witness("ip", "-j", "-d", "link", "show", "dev", "left", in: namespace))
            let row = try #require(rows.first)
            #expect(row["ifindex"] as? UInt32 == left.index.rawValue)
            #expect(row["mtu"] as? Int == 1400)
            #expect(row["address"] as? String == "02:00:00:00:00:0a")
            #expect(row["ifalias"] as? String == "the left one")

            #expect(try failure { () throws(NetlinkError) in try client.links.create(spec) }.isAlreadyPresent)
            try client.links.delete(left.index)
            #expect(try client.links.find(named: "right") == nil, "its peer goes with it")
            let gone = try failure { () throws(NetlinkError) in try client.links.delete(left.index) }
            #expect(gone.isNotFound)
            let zero = try failure { () throws(NetlinkError) in try client.links.delete(LinkIndex(rawValue: 0)) }
            #expect(zero.errno == .invalidArgument)
        }

        @Test func `gives each end of a veth as many queues as asked for`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            var spec = LinkSpecification.veth("left", peer: .init(name: "right", queues: 2))
            spec.queues = 3
            _ = try client.links.create(spec)
            for (name, queues) in [("left", 3), ("right", 2)] {
                let row = try #require(
                    table(witness("ip", "-j", "-d", "link", "show", "dev", name, in: namespace)).first)
                #expect(row["num_tx_queues"] as? Int == queues)
                #expect(row["num_rx_queues"] as? Int == queues)
            }
        }

        @Test func `puts each end of a veth into its namespace in one request`() throws {
            let home = try NetworkNamespace.anonymous()
            let blue = try NetworkNamespace.anonymous()
            let red = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: home)
            let near = try client.links.create(
                .veth("near", peer: .init(name: "far", namespace: blue.fileDescriptor, isUp: true), isUp: true))
            let far = try #require(try RouteClient(in: blue).links.find(named: "far"))
            #expect(near.peer == far.index)
            #expect(near.linkNamespaceID != nil)
            #expect(try client.links.find(named: "far") == nil)

            // Both ends elsewhere: the answer is looked up there, and strangers' messages confuse nobody.
            let one = try client.links.create(
                .veth(
                    "one", peer: .init(name: "two", namespace: red.fileDescriptor), alias: "elsewhere",
                    namespace: blue.fileDescriptor))
            #expect(one.name == "one")
            let seen = try #require(try RouteClient(in: blue).links.find(named: "one"))
            #expect(seen.alias == "elsewhere")
            #expect(seen.index == one.index)
            #expect(try RouteClient(in: red).links.find(named: "two") != nil)
            #expect(try client.links.find(named: "one") == nil)
            #expect(try table(witness("ip", "-j", "link", "show", "dev", "two", in: red)).count == 1)
        }

        @Test func `chooses a name that is left open`() throws {
            let client = try RouteClient(in: .anonymous())
            let links = client.links
            let first = try links.create(.bridge(""))
            #expect(first.name == "bridge0")
            try links.addAlternativeName("bridge2", to: first.index)
            for name in ["bridge1", "bridge3"] { #expect(try links.create(.bridge("")).name == name) }
            #expect(try links.create(.bridge("br%d-x")).name == "br0-x")
            #expect(try links.create(.bridge("br%d-x")).name == "br1-x")
            try links.delete(first.index)
            #expect(try links.create(.bridge("")).name == "bridge0")

            // The kernel chooses for the other end, and does so first.
            let veth = try links.create(.veth("", peer: .init(name: "")))
            let peer = try #require(try veth.peer.flatMap { index throws(NetlinkError) in try links.get(index) })
            #expect([veth.name, peer.name].sorted() == ["veth0", "veth1"])

            let before = try links.list().map(\.name)
            let taken = try failure { () throws(NetlinkError) in
                try links.create(.veth("", peer: .init(name: "lo")))
            }
            #expect(taken.isAlreadyPresent, "no name of ours is at fault: \(taken)")
            for name in ["br%s", "br%", "%d%d"] {
                let none = try failure { () throws(NetlinkError) in try links.create(.bridge(name)) }
                #expect(none.errno == .invalidArgument, "\(none)")
            }
            #expect(try links.list().map(\.name) == before)
        }

        /// Nothing is echoed from there, on any kernel.
        @Test func `chooses a name that is left open in another namespace`() throws {
            let here = try RouteClient(in: .anonymous())
            let blue = try NetworkNamespace.anonymous()
            let there = try RouteClient(in: blue)
            try here.links.create(.bridge("bridge0"))
            try there.links.create(.bridge("bridge1"))
            let made = try [
                here.links.create(.bridge("", alias: "an alias", namespace: blue.fileDescriptor)),
                here.links.create(.bridge("br%d", namespace: blue.fileDescriptor)),
                here.links.create(
                    .veth("", peer: .init(name: "", namespace: blue.fileDescriptor), namespace: blue.fileDescriptor)),
            ]
            // Not one that is taken here either: older kernels refuse it.
            #expect(made.map(\.name).prefix(2) == ["bridge2", "br0"])
            for link in made {
                let found = try #require(try there.links.get(link.index))
                #expect(found.name == link.name && found.alias == link.alias)
            }
            #expect(made[0].alias == "an alias")
            #expect(
                try there.links.list().map(\.name).sorted() == ["br0", "bridge1", "bridge2", "lo", "veth0", "veth1"])
            #expect(try here.links.list().map(\.name) == ["lo", "bridge0"])
        }

        @Test func `creates bridges and VXLAN tunnels`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            #expect(try client.links.create(.bridge("br0", isUp: true)).kind == "bridge")
            let v4 = try client.links.create(
                .vxlan("vx4", id: 42, local: "192.0.2.1", remote: "192.0.2.2", timeToLive: 9, isLearning: false))
            #expect(v4.kind == "vxlan")
            try client.links.create(.vxlan("vx6", id: 0xffffff, local: "fd00::1", remote: "fd00::2", port: 8473))
            let rows = try table(witness("ip", "-j", "-d", "link", "show", "type", "vxlan", in: namespace))
            func info(_ name: String) -> [String: Any] {
                let row = rows.first { $0["ifname"] as? String == name }
                return (row?["linkinfo"] as? [String: Any])?["info_data"] as? [String: Any] ?? [:]
            }
            #expect(info("vx4")["id"] as? Int == 42)
            #expect(info("vx4")["local"] as? String == "192.0.2.1")
            #expect(info("vx4")["remote"] as? String == "192.0.2.2")
            #expect(info("vx4")["port"] as? Int == 4789)
            #expect(info("vx4")["learning"] as? Bool == false)
            #expect(info("vx4")["ttl"] as? Int == 9)
            #expect(info("vx6")["id"] as? Int == 0xffffff)
            #expect(info("vx6")["remote6"] as? String == "fd00::2")
            #expect(info("vx6")["port"] as? Int == 8473)
        }

        @Test func `an error points at the attribute`() throws {
            let client = try RouteClient(in: .anonymous())
            let error = try failure { () throws(NetlinkError) in
                try client.links.create(.vxlan("vx", id: 1 << 25))
            }
            #expect(error.errno == Errno(rawValue: ERANGE))
            #expect(error.attributePath == "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID")
            #expect(error.message == "VXLAN ID must be lower than 16777216")
            #expect(error.operation == "create vxlan vx")
            let long = try failure { () throws(NetlinkError) in
                try client.links.create(.bridge("a-name-that-is-too-long"))
            }
            #expect(long.attributePath == "IFLA_IFNAME")
            let peer = try failure { () throws(NetlinkError) in
                try client.links.create(.veth("a", peer: .init(name: "a-name-that-is-too-long")))
            }
            #expect(!peer.isAlreadyPresent)
        }

        @Test func `updates everything, and nothing else`() throws {
            let cable = try Cable()
            let links = cable.client.links
            let before = try #require(try links.get(cable.left.index))
            try links.update(
                cable.left.index,
                LinkUpdate(
                    isUp: true, mtu: 1280, address: "02:00:00:00:00:77", alias: "alias", isPromiscuous: true,
                    gsoMaxSize: 32768))
            var now = try #require(try links.get(cable.left.index))
            #expect(now.mtu == 1280)
            #expect(now.address == "02:00:00:00:00:77")
            #expect(now.alias == "alias")
            #expect(now.gsoMaxSize == 32768)
            #expect(now.promiscuity == 1)
            #expect(now.flags.subtracting(.promiscuous) == before.flags, "multicast and broadcast survive")
            try links.update(cable.left.index, LinkUpdate(alias: "", isPromiscuous: false))
            now = try #require(try links.get(cable.left.index))
            #expect(now.alias == nil)
            #expect(now.promiscuity == 0)
            #expect(now.flags == before.flags)

            let bridge = try links.create(.bridge("br0"))
            try links.update(cable.left.index, LinkUpdate(master: bridge.index))
            #expect(try links.get(cable.left.index)?.master == bridge.index)
            try links.update(cable.left.index, LinkUpdate(mtu: 1300))
            #expect(try links.get(cable.left.index)?.master == bridge.index, "nil leaves it alone")
            try links.update(cable.left.index, LinkUpdate(master: .some(nil)))
            #expect(try links.get(cable.left.index)?.master == nil)

            try links.update(cable.left.index, LinkUpdate(isUp: false, name: "renamed"))
            now = try #require(try links.find(named: "renamed"))
            #expect(!now.isUp)
            #expect(now.index == cable.left.index)
            let taken = try failure { () throws(NetlinkError) in
                try links.update(now.index, LinkUpdate(name: "right"))
            }
            #expect(taken.isAlreadyPresent)
        }

        @Test func `moves a link to another namespace under a new name`() throws {
            let cable = try Cable()
            let other = try NetworkNamespace.anonymous()
            try cable.client.links.update(
                cable.left.index, LinkUpdate(name: "moved", namespace: other.fileDescriptor))
            #expect(try cable.client.links.find(named: "left") == nil)
            #expect(try RouteClient(in: other).links.find(named: "moved")?.kind == "veth")
        }

        @Test func `switches IPv4 forwarding and link-local addresses per interface`() throws {
            let cable = try Cable()
            func flag(_ name: String) throws -> String {
                try witness("cat", "/proc/sys/net/ipv4/conf/\(name)/forwarding", in: cable.namespace)
            }
            try cable.client.links.update(cable.left.index, LinkUpdate(ipv4Forwarding: true))
            #expect(try flag("left") == "1\n")
            #expect(try flag("right") == "0\n")
            #expect(try flag("all") == "0\n")
            try cable.client.links.update(cable.left.index, LinkUpdate(ipv4Forwarding: false))
            #expect(try flag("left") == "0\n")
            let found = try cable.client.addresses.list(on: cable.right.index)
            #expect(found.filter { $0.prefix.address.isLinkLocal }.isEmpty)
            try cable.client.links.update(cable.right.index, LinkUpdate(addressGenerationMode: .eui64))
            let row = try table(witness("ip", "-j", "-d", "link", "show", "dev", "right", in: cable.namespace)).first
            #expect(row?["inet6_addr_gen_mode"] as? String == "eui64")
        }

        @Test func `finds alternative names, short and long`() throws {
            let cable = try Cable()
            _ = try witness("ip", "link", "property", "add", "dev", "left", "altname", "short", in: cable.namespace)
            let long = "a-name-that-is-longer-than-fifteen-bytes"
            _ = try witness("ip", "link", "property", "add", "dev", "left", "altname", long, in: cable.namespace)
            for name in ["short", long] {
                #expect(try cable.client.links.find(named: name)?.index == cable.left.index)
            }
            #expect(Set(try cable.client.links.get(cable.left.index)?.alternativeNames ?? []) == ["short", long])
        }

        @Test func `switches offloads and sees what the driver made of it`() throws {
            let cable = try Cable()
            let links = cable.client.links
            let off: [LinkOffload: Bool] = [
                .tcpSegmentation: false, .genericSegmentation: false, .genericReceive: false, .transmitChecksum: false,
            ]
            try links.setOffloads(cable.left.index, off)
            #expect(try links.offloads(cable.left.index) == off)
            let text = try witness("ethtool", "-k", "left", in: cable.namespace)
            for name in ["tx-checksumming", "tcp-segmentation-offload", "generic-segmentation-offload"] {
                #expect(text.contains("\(name): off"))
            }
            try links.setOffloads(cable.left.index, [.transmitChecksum: true, .tcpSegmentation: true])
            let now = try links.offloads(cable.left.index)
            #expect(now[.transmitChecksum] == true)
            #expect(now[.tcpSegmentation] == true)
            #expect(now[.genericReceive] == false)
            let lo = try #require(try links.find(named: "lo"))
            let error = try failure { () throws(NetlinkError) in
                try links.setOffloads(lo.index, [.transmitChecksum: false])
            }
            #expect(error.message == "the driver keeps transmitChecksum on")
            let gone = try failure { () throws(NetlinkError) in
                _ = try links.offloads(LinkIndex(rawValue: 9999))
            }
            #expect(gone.isNotFound)
        }

        /// The kernel's own report, beside what ethtool sees: switching checksums off takes segmentation along.
        @Test func `reports what was changed, asked for or not`() throws {
            let cable = try Cable()
            let links = cable.client.links
            let before = try links.features(cable.left.index)
            let checksum = "tx-checksum-ip-generic"
            #expect(before.active.contains(checksum))
            let change = try links.setFeatures(cable.left.index, [checksum: false, "tx-checksum-ipv4": true])
            #expect(change.changed[checksum] == false && change.changed.count > 1, "\(change)")
            #expect(change.refused == ["tx-checksum-ipv4": true], "a veth has no such feature")
            let after = try links.features(cable.left.index)
            #expect(before.active.symmetricDifference(after.active) == Set(change.changed.keys))
            #expect(change.changed.allSatisfy { after.active.contains($0.key) == $0.value })
            let rows = try table(witness("ethtool", "--json", "-k", "left", in: cable.namespace))
            let row = try #require(rows.first?[checksum] as? [String: Any])
            #expect(row["active"] as? Bool == false)
            #expect(try links.setFeatures(cable.left.index, [checksum: false]) == FeatureChange(), "nothing to do")
            let back = try links.setOffloads(cable.left.index, [.transmitChecksum: true])
            #expect(back.changed[checksum] == true)
            #expect(back.refused.isEmpty, "what the device does not let change is not asked for: \(back)")
            let unknown = try failure { () throws(NetlinkError) in
                try links.setFeatures(cable.left.index, ["no-such-feature": true])
            }
            #expect(unknown.errno == .notSupportedOnSocket && unknown.message == "bit name not found", "\(unknown)")
            let never = try failure { () throws(NetlinkError) in
                try links.setFeatures(cable.left.index, ["vlan-challenged": true, checksum: false])
            }
            #expect(never.errno == .invalidArgument, "\(never)")
            #expect(try links.features(cable.left.index).active == before.active, "all or nothing")
        }

        @Test(arguments: ["lo", "left"])
        func `tells what a device lets change as ethtool does`(_ name: String) throws {
            let cable = try Cable()
            let links = cable.client.links
            let index = try #require(try links.find(named: name)).index
            let features = try links.features(index)
            let rows = try table(witness("ethtool", "--json", "-k", name, in: cable.namespace))
            let row = try #require(rows.first)
            var compared = 0
            for feature in try links.featureNames() {
                // Of a few it has words of its own.
                guard let theirs = row[feature] as? [String: Any] else { continue }
                let isFixed = !features.changeable.contains(feature) || features.fixed.contains(feature)
                #expect(theirs["fixed"] as? Bool == isFixed, "\(feature)")
                #expect(theirs["active"] as? Bool == features.active.contains(feature), "\(feature)")
                compared += 1
            }
            #expect(compared > 30)
            #expect(features.changeable.contains("tx-tcp-segmentation"))
            #expect(!features.changeable.contains("tx-checksum-fcoe-crc"), "that is for storage adapters")
            #expect(features.fixed.contains("vlan-challenged"))
            #expect(try links.setOffloads(index, [.transmitChecksum: true]) == FeatureChange(), "nothing to do")
        }

        @Test func `reads the links of another namespace by its number`() throws {
            let here = try RouteClient(in: .anonymous())
            let cable = try Cable()
            let id = try here.namespaces.assign(to: cable.namespace)
            let names = try here.links.list(in: id).map(\.name)
            #expect(names.sorted() == ["left", "lo", "right"])
            #expect(try here.links.list().map(\.name) == ["lo"])
            let found = try #require(try here.links.find(named: "left", in: id))
            #expect(found == (try cable.client.links.find(named: "left")))
            #expect(try here.links.get(found.index, in: id)?.name == "left")
            #expect(try here.links.find(named: "left") == nil)
            let nobody = try failure { () throws(NetlinkError) in
                _ = try here.links.list(in: NamespaceID(rawValue: 999))
            }
            #expect(nobody.errno == .invalidArgument, "\(nobody)")
        }

        @Test func `reads counters without the rest`() throws {
            let cable = try Cable()
            try cable.client.addresses.add("10.0.0.1/24", to: cable.left.index)
            try cable.client.neighbors.add(
                Neighbor(address: "10.0.0.2", link: cable.left.index, macAddress: "02:00:00:00:00:02"))
            _ = try? witness("ping", "-c3", "-i0.01", "-W1", "-q", "10.0.0.2", in: cable.namespace)
            let alone = try #require(try cable.client.links.statistics(cable.left.index))
            #expect(alone.transmittedPackets > 0)
            #expect(try cable.client.links.get(cable.left.index)?.statistics == alone)
            let all = try cable.client.links.listStatistics()
            #expect(all[cable.left.index] == alone && all.count == 3)
            #expect(try cable.client.links.statistics(LinkIndex(rawValue: 9999)) == nil)
        }

        @Test func `knows the names of features as ethtool does`() throws {
            let cable = try Cable()
            let names = Set(try cable.client.links.featureNames())
            let rows = try table(witness("ethtool", "--json", "-k", "left", in: cable.namespace))
            let theirs = Set(try #require(rows.first).keys).filter { $0.hasPrefix("tx-") || $0.hasPrefix("rx-") }
                // Its own words for groups.
                .subtracting(["tx-checksumming", "rx-checksumming", "tx-vlan-offload", "rx-vlan-offload"])
            #expect(theirs.count > 30)
            #expect(theirs.isSubset(of: names), "\(theirs.subtracting(names))")
        }

        @Test func `asks for no more than it reads, and loses nothing by it`() throws {
            let cable = try Cable()
            func answer(_ mask: UInt32) throws -> (link: Link?, length: Int) {
                var length = 0
                let request = LinkRequest.find("left", mask: mask)
                let link = try cable.client.socket.object(request, .link, "find") {
                    message throws(MalformedMessage) in
                    length = message.payload.byteCount
                    return try Link(message)
                }
                return (link, length)
            }
            let (lean, all) = try (answer(LinkRequest.whatWeRead), answer(0))
            #expect(lean.length + 300 < all.length, "\(lean.length) of \(all.length) bytes")
            #expect(lean.link == all.link && lean.link?.statistics != nil)
            #expect(try cable.client.links.list().contains { $0 == all.link })
        }

        @Test func `counts what crosses`() throws {
            let cable = try Cable()
            try cable.client.addresses.add("10.0.0.1/24", to: cable.left.index)
            try cable.client.neighbors.add(
                Neighbor(address: "10.0.0.2", link: cable.left.index, macAddress: "02:00:00:00:00:02"))
            let before = try #require(try cable.client.links.get(cable.left.index)?.statistics)
            _ = try? witness("ping", "-c1", "-W1", "10.0.0.2", in: cable.namespace)
            let after = try #require(try cable.client.links.get(cable.left.index)?.statistics)
            #expect(after.transmittedPackets > before.transmittedPackets)
            #expect(after.transmittedBytes > before.transmittedBytes)
        }

        @Test func `a list that changes while it is read is read again`() throws {
            let cable = try Cable()
            for index in 0..<150 { try cable.client.links.create(.bridge("br\(index)")) }
            let descriptor = cable.namespace.fileDescriptor
            let done = DispatchSemaphore(value: 0)
            let churn = Thread {
                defer { done.signal() }
                guard let namespace = try? NetworkNamespace(duplicating: descriptor),
                    let client = try? RouteClient(in: namespace)
                else { return }
                for _ in 0..<100 {
                    guard let link = try? client.links.create(.bridge("churn")) else { return }
                    usleep(1000)
                    try? client.links.delete(link.index)
                    usleep(1000)
                }
            }
            churn.start()
            for _ in 0..<40 {
                let names = try cable.client.links.list().map(\.name)
                #expect(Set(names).count == names.count, "none twice")
                #expect((153...154).contains(names.count), "none left out")
            }
            done.wait()
            #expect(try cable.client.links.list().count == 153)
        }

        @Test func `lists more links than fit into one datagram`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: namespace)
            for index in 0..<150 { try client.links.create(.bridge("br\(index)")) }
            #expect(try client.links.list().count == 151)
            #expect(Set(try client.links.list().map(\.name)).count == 151)
        }
    }
}
