import Foundation
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    /// Disciplines and filters that this library has no words for are handed over whole, and can be put back.
    @Suite struct RawTrafficTests {
        /// A witness's rows about one kind, as text that can be compared.
        static func rows(_ text: String, kind: String) throws -> [String] {
            try table(text).filter { $0["kind"] as? String == kind }.map { row in
                var row = row
                row["dev"] = nil
                return String(
                    decoding: try JSONSerialization.data(withJSONObject: row, options: .sortedKeys), as: UTF8.self)
            }
        }

        @Test func `moves a discipline to another link by its raw parameters`() throws {
            let cable = try Cable()
            let qdiscs = cable.client.qdiscs
            let kind = "tbf"
            _ = try witness(
                "tc", "qdisc", "add", "dev", "left", "root", "handle", "7:", kind, "rate", "1mbit", "burst", "10kb",
                "limit", "30kb", in: cable.namespace)
            func seen(_ name: String) throws -> [String] {
                try Self.rows(witness("tc", "-j", "qdisc", "show", "dev", name, in: cable.namespace), kind: kind)
            }
            var found = try #require(try qdiscs.list(on: cable.left.index).first { $0.kind == kind })
            #expect(found.handle == 0x7_0000)
            #expect(found.parent == Qdisc.root)
            #expect(found.options?.isEmpty == false)
            let before = try seen("left")
            #expect(before.count == 1)
            found.link = cable.right.index
            try qdiscs.add(found)
            #expect(try seen("right") == before)
            #expect(try qdiscs.list(on: cable.right.index).first { $0.kind == kind } == found)
            #expect(try failure { () throws(NetlinkError) in try qdiscs.add(found) }.isAlreadyPresent)
            try qdiscs.delete(found)
            #expect(try seen("right").isEmpty)
            #expect(try seen("left") == before)
            let gone = try failure { () throws(NetlinkError) in try qdiscs.delete(found) }
            #expect(gone.isNotFound, "\(gone)")
        }

        /// A BPF filter's parameters without `TCA_BPF_FLAGS_GEN`.
        static func withoutHardware(_ options: [UInt8]) -> [UInt8] {
            var kept = Request(0)
            let span = options.span
            var cursor = AttributeCursor(span.bytes)
            while let attribute = cursor.next() {
                if attribute.type != 9 { kept.attribute(attribute.type, bytes: attribute.payload.array) }
            }
            return Array(kept.bytes.dropFirst(Request.headerLength))
        }

        @Test func `moves a filter to another hook by its raw parameters`() throws {
            let cable = try Cable()
            let filters = cable.client.filters
            let left = TrafficHook(link: cable.left.index, direction: .ingress)
            let right = TrafficHook(link: cable.right.index, direction: .egress)
            for hook in [left, right] { _ = try cable.client.qdiscs.ensureClsact(on: hook.link) }
            _ = try witness(
                "tc", "filter", "add", "dev", "left", "ingress", "protocol", "ip", "prio", "9", "handle", "3", "bpf",
                "bytecode", "2,40 0 0 12,6 0 0 4294967295", "classid", "1:2", in: cable.namespace)
            func bytecode(_ name: String, _ direction: String) throws -> [String] {
                let text = try witness("tc", "-j", "filter", "show", "dev", name, direction, in: cable.namespace)
                return try table(text).compactMap { $0["options"] as? [String: Any] }.map { options in
                    var options = options
                    // The program's number is another one.
                    options["prog"] = nil
                    return String(
                        decoding: try JSONSerialization.data(withJSONObject: options, options: .sortedKeys),
                        as: UTF8.self)
                }
            }
            let filter = try #require(try filters.list(at: left).first)
            #expect(filter.kind == "bpf" && filter.priority == 9 && filter.handle == 3 && filter.protocol == 0x0800)
            let refused = try failure { () throws(NetlinkError) in try filters.add(filter, at: right) }
            #expect(refused.errno == .invalidArgument, "it is not for us to say that hardware has it")
            var wish = filter
            wish.options = Self.withoutHardware(try #require(filter.options))
            try filters.add(wish, at: right)
            let copy = try #require(try filters.list(at: right).first)
            #expect(copy.protocol == 0x0800 && copy.priority == 9 && copy.handle == 3)
            let theirs = try bytecode("left", "ingress")
            #expect(!theirs.isEmpty)
            #expect(try bytecode("right", "egress") == theirs)
            #expect(try failure { () throws(NetlinkError) in try filters.add(wish, at: right) }.isAlreadyPresent)
            try filters.delete(filter, at: right)
            #expect(try filters.list(at: right).isEmpty)
            #expect(try filters.list(at: left) == [filter])
            let gone = try failure { () throws(NetlinkError) in try filters.delete(filter, at: right) }
            #expect(gone.isNotFound, "\(gone)")
            var zero = filter
            zero.handle = 0
            #expect(try failure { () throws(NetlinkError) in try filters.delete(zero, at: left) }.message != nil)
            #expect(try filters.list(at: left) == [filter])
        }

        @Test func `lists u32 on a discipline of another parent`() throws {
            let cable = try Cable()
            _ = try witness(
                "tc", "qdisc", "add", "dev", "left", "root", "handle", "7:", "htb", in: cable.namespace)
            _ = try witness(
                "tc", "filter", "add", "dev", "left", "parent", "7:", "protocol", "ip", "prio", "5", "u32", "match",
                "ip", "dst", "192.0.2.0/24", "flowid", "7:1", in: cable.namespace)
            let found = try cable.client.filters.list(on: cable.left.index, parent: 0x7_0000)
            let key = try #require(found.first { $0.options?.contains([0xc0, 0x00, 0x02, 0x00]) == true })
            #expect(key.kind == "u32" && key.priority == 5 && key.protocol == 0x0800)
            let rows = try table(
                witness("tc", "-j", "filter", "show", "dev", "left", "parent", "7:", in: cable.namespace))
            // Theirs has the row without a handle that heads the priority too.
            #expect(found.count == rows.count - 1)
            #expect(try cable.client.filters.list(on: cable.left.index, parent: 0).count == found.count)
        }
    }
}
