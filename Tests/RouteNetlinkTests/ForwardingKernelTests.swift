import Foundation
import InternetAddress
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct ForwardingTests {
        @Test func `adds, moves, lists and deletes rows of a bridge`() throws {
            let cable = try Cable()
            let client = cable.client
            let bridge = try client.links.create(.bridge("br0"))
            for link in [cable.left, cable.right] {
                try client.links.update(link.index, LinkUpdate(master: bridge.index))
            }
            let entry = ForwardingEntry("02:00:00:00:00:99", port: cable.left.index)
            try client.neighbors.addForwarding(entry)
            let again = try failure { () throws(NetlinkError) in try client.neighbors.addForwarding(entry) }
            #expect(again.isAlreadyPresent, "\(again)")
            func ports() throws -> [LinkIndex] {
                try client.neighbors.listForwarding().filter { $0.macAddress == entry.macAddress }.map(\.port)
            }
            #expect(try ports() == [cable.left.index])
            var moved = entry
            moved.port = cable.right.index
            try client.neighbors.replaceForwarding(moved)
            #expect(try ports() == [cable.right.index])
            let rows = try table(witness("bridge", "-j", "fdb", "show", "br", "br0", in: cable.namespace))
            let row = try #require(rows.first { $0["mac"] as? String == "02:00:00:00:00:99" })
            #expect(row["ifname"] as? String == "right")
            #expect(row["state"] as? String == "static")
            try client.neighbors.deleteForwarding(moved)
            #expect(try ports().isEmpty)
            let gone = try failure { () throws(NetlinkError) in try client.neighbors.deleteForwarding(moved) }
            #expect(gone.isNotFound, "\(gone)")
        }

        @Test func `appends far ends to a VXLAN's address for flooding`() throws {
            let client = try RouteClient(in: .anonymous())
            let tunnel = try client.links.create(.vxlan("vx0", id: 42, local: "192.0.2.1"))
            for remote in ["192.0.2.2", "192.0.2.3"] as [IPAddress] {
                try client.neighbors.appendForwarding(
                    ForwardingEntry(.zero, port: tunnel.index, in: .own, state: .permanent, remote: remote))
            }
            let found = try client.neighbors.listForwarding(on: tunnel.index).filter { $0.macAddress == .zero }
            #expect(found.compactMap { $0.remote?.description }.sorted() == ["192.0.2.2", "192.0.2.3"])
            #expect(found.allSatisfy { $0.database == .own && $0.state == .permanent })
        }
    }
}
