import CPseudowireMNL
import Glibc
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    /// A monitor as a sequence: waiting, cancelling, and what is there already.
    @Suite struct MonitorSequenceTests {
        private static func read(_ monitor: RouteMonitor) throws -> [RouteEvent] {
            var events: [RouteEvent] = []
            while let event = try monitor.next() { events.append(event) }
            return events
        }

        /// The aliases of `left` that a task sees, until it sees `last`; it says by `ready` that it is subscribed.
        private static func aliases(
            in descriptor: Int32, until last: String, _ ready: AsyncStream<Void>.Continuation
        ) async throws -> [String] {
            var seen: [String] = []
            let monitor = try RouteMonitor(.links, in: NetworkNamespace(duplicating: descriptor))
            ready.yield()
            for try await event in monitor {
                guard case .link(_, let link) = event, link.name == "left", let alias = link.alias else { continue }
                // The kernel also tells late of the carrier, with the alias of then.
                if seen.last != alias { seen.append(alias) }
                if alias == last { break }
            }
            return seen
        }

        @Test func `wakes for each event, in order`() async throws {
            let cable = try Cable()
            let descriptor = cable.namespace.fileDescriptor
            let (subscribed, ready) = AsyncStream<Void>.makeStream()
            let task = Task { try await Self.aliases(in: descriptor, until: "a49", ready) }
            var iterator = subscribed.makeAsyncIterator()
            _ = await iterator.next()
            for number in 0..<50 {
                try cable.client.links.update(cable.left.index, LinkUpdate(alias: "a\(number)"))
                await Task.yield()
            }
            #expect(try await task.value == (0..<50).map { "a\($0)" })
        }

        @Test func `reads no more than it is asked for`() async throws {
            let cable = try Cable()
            let transport = try KernelTransport(NETLINK_ROUTE, in: cable.namespace)
            try transport.join(3)
            let monitor = RouteMonitor(over: transport)
            for number in 0..<20 {
                let address = IPAddress(192, 0, 2, UInt8(number))
                try cable.client.neighbors.add(
                    Neighbor(address: address, link: cable.left.index, macAddress: "02:00:00:00:00:02"))
            }
            var iterator = monitor.makeAsyncIterator()
            for _ in 0..<3 { #expect(try await iterator.next() != nil) }
            var waiting = 0
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)
            defer { buffer.deallocate() }
            while case .datagram = transport.receive(into: buffer, waits: false) { waiting += 1 }
            #expect(waiting == 17)
        }

        @Test(arguments: [false, true])
        func `cancelled, it ends and leaves nothing behind`(_ includingPresent: Bool) async throws {
            let cable = try Cable()
            let descriptor = cable.namespace.fileDescriptor
            func watch(_ count: Int) async throws {
                for number in 0..<count {
                    let (started, ready) = AsyncStream<Void>.makeStream()
                    let task = Task {
                        let namespace = try NetworkNamespace(duplicating: descriptor)
                        let monitor = try RouteMonitor(.all, in: namespace, includingPresent: includingPresent)
                        ready.yield()
                        for try await _ in monitor {}
                        return Task.isCancelled
                    }
                    var iterator = started.makeAsyncIterator()
                    // Before it starts, before it waits, while it waits.
                    if number % 3 > 0 { _ = await iterator.next() }
                    if number % 3 > 1 { for _ in 0..<10 { await Task.yield() } }
                    task.cancel()
                    #expect(try await task.value)
                }
            }
            // Dispatch opens descriptors of its own at its first use.
            try await watch(3)
            let open = try NamespaceTests.descriptors()
            let here = try NetworkNamespace.current().inode
            try await watch(150)
            #expect(try NamespaceTests.descriptors() == open)
            #expect(try NamespaceTests.census().allSatisfy { $0 == "net:[\(here)]" })
        }

        @Test func `an ended wait can be begun again, by another task too`() async throws {
            let cable = try Cable()
            let transport = try KernelTransport(NETLINK_ROUTE, in: cable.namespace)
            try transport.join(1)
            let descriptor = transport.fileDescriptor
            for _ in 0..<100 {
                let task = Task { await Readiness.wait(for: descriptor) }
                await Task.yield()
                task.cancel()
                await task.value
            }
            try cable.client.links.update(cable.left.index, LinkUpdate(alias: "now"))
            await Readiness.wait(for: descriptor)
            #expect(try RouteMonitor(over: transport).next() != nil)
        }

        @Test func `tells first what is there, and misses nothing of what changes meanwhile`() throws {
            let cable = try Cable()
            let index = cable.left.index
            try cable.client.addresses.add("192.0.2.1/24", to: index)
            try cable.client.rules.add(Rule(.v4, mark: 7, priority: 700))
            let neighbor = Neighbor(address: "192.0.2.2", link: index, macAddress: "02:00:00:00:00:02")
            try cable.client.neighbors.add(neighbor)
            _ = try cable.client.qdiscs.ensureClsact(on: index)
            let monitor = try RouteMonitor(.all, in: cable.namespace, includingPresent: true)

            // The first list has been read by the time of the first event; links come after namespaces' numbers.
            let first = try #require(try monitor.next())
            try cable.client.links.update(index, LinkUpdate(alias: "meanwhile"))
            let events = try [first] + Self.read(monitor)
            let border = try #require(events.firstIndex(of: .synchronised))
            #expect(events.filter { $0 == .synchronised }.count == 1)
            let present = events[..<border]
            #expect(Set(try cable.client.links.list().map(\.name)) == Set(present.compactMap(\.linkName)))
            func has(_ matches: (RouteEvent) -> Bool) -> Bool { present.contains(where: matches) }
            #expect(has { if case .address(.present, let it) = $0 { it.prefix == "192.0.2.1/24" } else { false } })
            #expect(has { if case .route(.present, let it) = $0 { it.destination == "192.0.2.0/24" } else { false } })
            #expect(has { if case .rule(.present, let it) = $0 { it.priority == 700 } else { false } })
            #expect(has { if case .neighbor(.present, neighbor) = $0 { true } else { false } })
            #expect(has { if case .qdisc(.present, let it) = $0 { it.kind == "clsact" } else { false } })
            #expect(
                events[border...].contains {
                    if case .link(.present, let link) = $0 { link.alias == "meanwhile" } else { false }
                })
        }

        @Test func `after an overflow it tells anew what is there`() throws {
            let cable = try Cable()
            let monitor = try RouteMonitor(
                .links, in: cable.namespace, includingPresent: true, receiveBuffer: 64 << 10)
            #expect(try Self.read(monitor).contains(.synchronised))
            for number in 0..<600 {
                try cable.client.links.update(cable.left.index, LinkUpdate(alias: "a\(number)"))
            }
            let events = try Self.read(monitor)
            #expect(events.first == .resynchronise)
            let border = try #require(events.firstIndex(of: .synchronised))
            let present = events[1..<border]
            #expect(present.compactMap(\.linkName).sorted() == ["left", "lo", "right"])
            #expect(present.contains { if case .link(_, let link) = $0 { link.alias == "a599" } else { false } })
        }

        @Test func `tells of filters, rules, forwarding entries and numbers of namespaces`() throws {
            let cable = try Cable()
            let index = cable.left.index
            let bridge = try cable.client.links.create(.bridge("br0"))
            try cable.client.links.update(index, LinkUpdate(master: bridge.index))
            _ = try cable.client.qdiscs.ensureClsact(on: index)
            let program = try loadClassifier()
            defer { close(program) }
            let monitor = try RouteMonitor(.all, in: cable.namespace)

            let hook = TrafficHook(link: index, direction: .egress)
            let added = try cable.client.filters.add(
                BPFFilter(program: program, name: "seen", priority: 3, handle: 9), at: hook)
            try cable.client.filters.delete(priority: 3, handle: 9, at: hook)
            let rule = Rule(.v6, table: 700, priority: 700)
            try cable.client.rules.add(rule)
            try cable.client.rules.delete(rule)
            let row = ForwardingEntry("02:00:00:00:00:09", port: index)
            try cable.client.neighbors.addForwarding(row)
            try cable.client.neighbors.deleteForwarding(row)
            let id = try cable.client.namespaces.assign(to: .anonymous())

            // A namespace's number goes when the kernel has taken the namespace down, which it does in its own time.
            var events: [RouteEvent] = []
            while !events.contains(.namespaceID(.removed, id)) {
                if let event = try monitor.next() {
                    events.append(event)
                } else {
                    var ready = pollfd(fd: monitor.fileDescriptor, events: Int16(POLLIN), revents: 0)
                    try #require(poll(&ready, 1, 60_000) == 1, "the number stays")
                }
            }
            #expect(events.contains(.namespaceID(.present, id)))
            let filters = events.compactMap { event in
                if case .filter(let change, let filter, index, let parent) = event {
                    return (change, filter, parent)
                } else {
                    return nil
                }
            }
            #expect(filters.map(\.0) == [.present, .removed])
            #expect(filters.allSatisfy { $0.1.handle == 9 && $0.1.priority == 3 && $0.2 == 0xffff_fff3 })
            #expect(filters.first?.1.programID == added.programID)
            #expect(filters.first?.1.name == "seen")
            let rules = events.compactMap { if case .rule(let change, rule) = $0 { change } else { nil } }
            #expect(rules == [.present, .removed])
            let rows = events.compactMap { event in
                if case .forwarding(let change, let it) = event, it.macAddress == row.macAddress { change } else { nil }
            }
            #expect(rows == [.present, .removed])
            #expect(!events.contains { if case .unrecognized = $0 { true } else { false } })
        }
    }
}

extension RouteEvent {
    /// The name of a link that is present.
    fileprivate var linkName: String? { if case .link(.present, let link) = self { link.name } else { nil } }
}
