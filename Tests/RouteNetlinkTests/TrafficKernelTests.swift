import Foundation
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct QdiscTests {
        @Test func `ensures, lists and deletes clsact`() throws {
            let cable = try Cable()
            let qdiscs = cable.client.qdiscs
            let link = cable.left.index
            #expect(try failure { () throws(NetlinkError) in try qdiscs.deleteClsact(on: link) }.isNotFound)
            #expect(try qdiscs.ensureClsact(on: link) == .created)
            #expect(try qdiscs.ensureClsact(on: link) == .alreadyPresent)
            let clsact = try #require(try qdiscs.list(on: link).first { $0.kind == "clsact" })
            #expect(clsact.parent == Qdisc.clsactParent)
            #expect(clsact.link == link)
            #expect(try qdiscs.list(on: cable.right.index).filter { $0.kind == "clsact" }.isEmpty)
            let rows = try table(witness("tc", "-j", "qdisc", "show", "dev", "left", in: cable.namespace))
            #expect(rows.contains { $0["kind"] as? String == "clsact" })
            try qdiscs.deleteClsact(on: link)
            #expect(try qdiscs.list(on: link).filter { $0.kind == "clsact" }.isEmpty)
            let gone = try failure { () throws(NetlinkError) in
                _ = try qdiscs.ensureClsact(on: LinkIndex(rawValue: 9999))
            }
            #expect(gone.isNotFound, "\(gone)")
        }

        @Test func `tells a legacy ingress qdisc from clsact and leaves it alone`() throws {
            let cable = try Cable()
            _ = try witness("tc", "qdisc", "add", "dev", "left", "ingress", in: cable.namespace)
            let error = try failure { () throws(NetlinkError) in
                _ = try cable.client.qdiscs.ensureClsact(on: cable.left.index)
            }
            #expect(error.errno == .fileExists)
            #expect(error.message?.contains("legacy ingress") == true)
            _ = try failure { () throws(NetlinkError) in try cable.client.qdiscs.deleteClsact(on: cable.left.index) }
            #expect(try cable.client.qdiscs.list(on: cable.left.index).contains { $0.kind == "ingress" })
        }
    }

    @Suite struct FilterTests {
        @Test(arguments: TrafficDirection.allCases)
        func `adds, replaces in place, gets, lists and deletes exactly ours`(_ direction: TrafficDirection) throws {
            let cable = try Cable()
            let filters = cable.client.filters
            let hook = TrafficHook(link: cable.left.index, direction: direction)
            let one = try loadClassifier()
            let two = try loadClassifier(verdict: 0)
            defer {
                close(one)
                close(two)
            }
            var filter = BPFFilter(program: one, name: "first", priority: 7, handle: 3)
            // Without a clsact there is nowhere to put it, to look for it or to delete it.
            #expect(try failure { () throws(NetlinkError) in try filters.add(filter, at: hook) }.isNotFound)
            #expect(try filters.get(priority: 7, handle: 3, at: hook) == nil)
            #expect(try filters.list(at: hook).isEmpty)
            let none = try failure { () throws(NetlinkError) in try filters.delete(priority: 7, handle: 3, at: hook) }
            #expect(none.isNotFound, "\(none)")

            #expect(try cable.client.qdiscs.ensureClsact(on: hook.link) == .created)
            let added = try filters.add(filter, at: hook)
            #expect(added.priority == 7)
            #expect(added.handle == 3)
            #expect(added.name == "first")
            #expect(added.isDirectAction)
            #expect(added.programTag?.count == 8)
            let programID = try #require(added.programID)
            #expect(try failure { () throws(NetlinkError) in try filters.add(filter, at: hook) }.isAlreadyPresent)

            // Neighbours, ours and somebody else's, that must survive all that follows.
            try filters.add(BPFFilter(program: one, name: "beside", priority: 7, handle: 4), at: hook)
            _ = try witness(
                "tc", "filter", "add", "dev", "left", "\(direction)", "prio", "9", "bpf", "da", "bytecode",
                "1,6 0 0 4294967295,",
                in: cable.namespace)

            filter.program = two
            filter.name = "second"
            let replaced = try filters.replace(filter, at: hook)
            #expect(replaced.programID != programID)
            #expect(replaced.name == "second")
            #expect(try filters.get(priority: 7, handle: 3, at: hook) == replaced)
            let listed = try filters.list(at: hook)
            #expect(listed.map(\.kind) == ["bpf", "bpf", "bpf"])
            #expect(listed.map(\.handle).prefix(2).sorted() == [3, 4])
            #expect(listed.map(\.priority) == [7, 7, 9])
            #expect(listed.allSatisfy { $0.protocol == 3 && $0.chain == 0 })
            let other: TrafficDirection = direction == .ingress ? .egress : .ingress
            #expect(try filters.list(at: TrafficHook(link: hook.link, direction: other)).isEmpty)
            let rows = try table(
                witness("tc", "-j", "filter", "show", "dev", "left", "\(direction)", in: cable.namespace))
            let options = rows.compactMap { $0["options"] as? [String: Any] }
            let ours = try #require(options.first { $0["bpf_name"] as? String == "second" })
            #expect((ours["prog"] as? [String: Any])?["id"] as? UInt32 == replaced.programID)
            #expect(ours["direct-action"] as? Bool == true)

            try filters.delete(priority: 7, handle: 3, at: hook)
            let gone = try failure { () throws(NetlinkError) in try filters.delete(priority: 7, handle: 3, at: hook) }
            #expect(gone.isNotFound, "\(gone)")
            #expect(try filters.get(priority: 7, handle: 3, at: hook) == nil)
            #expect(try filters.list(at: hook).map(\.kind) == ["bpf", "bpf"])
            try filters.delete(priority: 7, handle: 4, at: hook)
            #expect(try filters.get(priority: 7, handle: 4, at: hook) == nil)
            #expect(try filters.list(at: hook).map(\.kind) == ["bpf"])
        }

        @Test func `replaces what is not there yet, and works in a chain`() throws {
            let cable = try Cable()
            let hook = TrafficHook(link: cable.left.index, direction: .ingress)
            _ = try cable.client.qdiscs.ensureClsact(on: hook.link)
            let program = try loadClassifier()
            defer { close(program) }
            let filter = BPFFilter(program: program, name: "c", priority: 1, handle: 1, chain: 5, directAction: true)
            let made = try cable.client.filters.replace(filter, at: hook)
            #expect(made.chain == 5)
            #expect(try cable.client.filters.get(priority: 1, handle: 1, at: hook) == nil)
            #expect(try cable.client.filters.get(priority: 1, handle: 1, chain: 5, at: hook) == made)
            try cable.client.filters.delete(priority: 1, handle: 1, chain: 5, at: hook)
            #expect(try cable.client.filters.list(at: hook).isEmpty)
        }

        @Test func `deletes all of a priority, then all of a hook, and nothing of the other hook`() throws {
            let cable = try Cable()
            let filters = cable.client.filters
            let link = cable.left.index
            _ = try cable.client.qdiscs.ensureClsact(on: link)
            let program = try loadClassifier()
            defer { close(program) }
            let hooks = TrafficDirection.allCases.map { TrafficHook(link: link, direction: $0) }
            for hook in hooks {
                for (priority, handle) in [(1, 1), (1, 2), (2, 1), (3, 1)] as [(UInt16, UInt32)] {
                    try filters.add(
                        BPFFilter(program: program, name: "x", priority: priority, handle: handle), at: hook)
                }
            }
            try filters.deleteAll(priority: 1, at: hooks[0])
            #expect(try filters.list(at: hooks[0]).map(\.priority) == [2, 3])
            let none = try failure { () throws(NetlinkError) in try filters.deleteAll(priority: 1, at: hooks[0]) }
            #expect(none.isNotFound, "\(none)")
            try filters.deleteAll(at: hooks[0])
            #expect(try filters.list(at: hooks[0]).isEmpty)
            try filters.deleteAll(at: hooks[0])
            #expect(try filters.list(at: hooks[1]).map(\.priority) == [1, 1, 2, 3])
            #expect(
                try failure { () throws(NetlinkError) in try filters.deleteAll(priority: 0, at: hooks[1]) }.errno
                    == .invalidArgument)
        }

        @Test func `deletes all in every chain`() throws {
            let cable = try Cable()
            let filters = cable.client.filters
            let hook = TrafficHook(link: cable.left.index, direction: .egress)
            func deleteAll(_ priority: UInt16? = nil) throws -> NetlinkError {
                try failure { () throws(NetlinkError) in try filters.deleteAll(priority: priority, at: hook) }
            }
            for priority in [nil, 1] as [UInt16?] {
                let absent = try deleteAll(priority)
                #expect(absent.isNotFound && absent.message?.hasPrefix("Parent Qdisc") == true, "\(absent)")
            }
            _ = try cable.client.qdiscs.ensureClsact(on: hook.link)
            try filters.deleteAll(at: hook)
            #expect(try deleteAll(1).isNotFound)

            let program = try loadClassifier()
            defer { close(program) }
            func fill(_ chains: [UInt32]) throws {
                for chain in chains {
                    for (priority, handle) in [(1, 1), (1, 2), (2, 1)] as [(UInt16, UInt32)] {
                        try filters.add(
                            BPFFilter(program: program, name: "x", priority: priority, handle: handle, chain: chain),
                            at: hook)
                    }
                }
            }
            try fill([0, 5, 9])
            try filters.delete(priority: 2, handle: 1, chain: 9, at: hook)
            try filters.deleteAll(priority: 2, at: hook)
            #expect(try filters.list(at: hook).map(\.chain) == [0, 0, 5, 5, 9, 9])
            #expect(try filters.list(at: hook).allSatisfy { $0.priority == 1 })
            #expect(try deleteAll(2).isNotFound)
            try filters.deleteAll(at: hook)
            #expect(try filters.list(at: hook).isEmpty)
            let text = try witness("tc", "filter", "show", "dev", "left", "egress", in: cable.namespace)
            #expect(text.isEmpty, "\(text)")

            // The chain of those without one may be the one that has none.
            try fill([5])
            try filters.deleteAll(priority: 1, at: hook)
            #expect(try filters.list(at: hook).map(\.priority) == [2])
            #expect(try deleteAll(1).isNotFound)
            try filters.deleteAll(at: hook)
            #expect(try filters.list(at: hook).isEmpty)
            try filters.deleteAll(at: hook)
        }

        @Test func `refuses zeros and descriptors that are no program`() throws {
            let cable = try Cable()
            let hook = TrafficHook(link: cable.left.index, direction: .ingress)
            _ = try cable.client.qdiscs.ensureClsact(on: hook.link)
            let zero = try failure { () throws(NetlinkError) in
                try cable.client.filters.delete(priority: 0, handle: 1, at: hook)
            }
            #expect(zero.errno == .invalidArgument)
            let error = try failure { () throws(NetlinkError) in
                try cable.client.filters.add(
                    BPFFilter(program: cable.namespace.fileDescriptor, name: "x", priority: 1, handle: 1), at: hook)
            }
            #expect(error.operation == "add filter on link \(hook.link) ingress priority 1 handle 1")
            #expect(!error.isNotFound && !error.isAlreadyPresent)
            #expect(try cable.client.filters.list(at: hook).isEmpty)
        }
    }
}
