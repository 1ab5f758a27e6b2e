import CPseudowireMNL
import Glibc
import InternetAddress
import RouteNetlinkTestKit
import SystemPackage
import Testing

@testable import RouteNetlink

/// Many requests at once: order, pacing, lost answers.
@Suite struct BatchTests {
    static func batch(_ count: Int) -> RouteBatch {
        var batch = RouteBatch()
        for index in 0..<count {
            batch.add(
                Neighbor(
                    address: IPAddress(198, 18, UInt8(index >> 8), UInt8(index & 255)), link: LinkIndex(rawValue: 1),
                    macAddress: .zero))
        }
        return batch
    }

    private static func acknowledgement(_ sequence: UInt32, _ errno: Int32 = 0) -> ScriptedTransport.Step {
        .datagram(
            ExchangeTests.message(
                NLMSG_ERROR, sequence: sequence, payload: withUnsafeBytes(of: -errno) { Array($0) }))
    }

    /// What the kernel answers: each failure, and a success only where it was asked to.
    private static func answers(_ requests: [RecordedRequest], failing: Set<Int> = []) -> [ScriptedTransport.Step] {
        requests.enumerated().compactMap { index, request in
            if failing.contains(index) { return acknowledgement(request.sequence, EEXIST) }
            return request.wantsAcknowledgement ? acknowledgement(request.sequence) : nil
        }
    }

    @Test(arguments: [[], [0, 2, 9], [1, 4, 8], Set(0..<10)])
    func `each change has its own result`(_ failing: Set<Int>) throws {
        let transport = ScriptedTransport { Self.answers($0, failing: failing) }
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(10))
        let sent = transport.sent.flatMap(RecordedRequest.parse)
        #expect(transport.sent.count == 1 && sent.map(\.wantsAcknowledgement) == (0..<10).map { $0 == 9 })
        #expect(Set(sent.map(\.sequence)).count == 10 && !sent.map(\.sequence).contains(0))
        for (index, result) in results.enumerated() {
            switch result {
            case .success: #expect(!failing.contains(index))
            case .failure(let error):
                #expect(failing.contains(index) && error.isAlreadyPresent && !error.isOutcomeUnknown)
                #expect(error.operation == "add neighbor 198.18.0.\(index) on link 1" && error.object == .neighbor)
            }
        }
        #expect(transport.queue.isEmpty)
    }

    /// One by one or together, a change is called the same in an error.
    @Test func `names what failed`() throws {
        var batch = RouteBatch()
        let link = LinkIndex(rawValue: 3)
        var route = Route(to: "198.51.100.7/24", via: "192.0.2.2", link: link, priority: 5, table: 1000)
        batch.add(route)
        batch.delete(route)
        route.nextHops = [.init(gateway: nil, weight: 0)]
        batch.replace(route)
        batch.add("2001:db8::1/64", to: link)
        batch.delete("192.0.2.1/24", from: link)
        batch.deleteNeighbor("192.0.2.9", on: link)
        batch.update(link, LinkUpdate(isUp: true))
        batch.deleteLink(link)
        batch.deleteLink(LinkIndex(rawValue: 0))
        let transport = ScriptedTransport { Self.answers($0, failing: Set(0..<10)) }
        let errors = NetlinkSocket(transport, isRoute: true).perform(batch).map { result in
            if case .failure(let error) = result { return error.operation } else { return "done" }
        }
        #expect(
            errors == [
                "add route 198.51.100.0/24 via 192.0.2.2 dev 3 metric 5 table 1000",
                "delete route 198.51.100.0/24 via 192.0.2.2 dev 3 metric 5 table 1000",
                "replace route 198.51.100.0/24 via 192.0.2.2 dev 3 metric 5 table 1000",
                "add address 2001:db8::1/64 on link 3", "delete address 192.0.2.1/24 on link 3",
                "delete neighbor 192.0.2.9 on link 3", "update link 3", "delete link 3", "delete link 0",
            ])
    }

    @Test(arguments: [0, 1536, 15_360, 212_992]) func `asks for no more answers than there is room`(_ room: Int) {
        let transport = ScriptedTransport { Self.answers($0) }
        transport.receiveCapacity = room
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(200))
        #expect(results.count == 200)
        for datagram in transport.sent {
            var requests = 0
            forEachMessage(datagram) { _ in requests += 1 }
            #expect(requests <= 64 && requests * 1536 <= max(room, 1536))
        }
    }

    /// Once an answer is lost, only those that did arrive say anything; the next requests go out as ever.
    @Test(arguments: [false, true])
    func `exactly the changes without an answer are of unknown outcome`(_ isLastLost: Bool) throws {
        var hasLost = false
        let transport = ScriptedTransport { requests in
            defer { hasLost = true }
            guard !hasLost else { return Self.answers(requests) }
            return [.failed(.noBufferSpace)] + Self.answers(requests, failing: [2, 5]).dropLast(isLastLost ? 1 : 0)
        }
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(100))
        for (index, result) in results.enumerated() {
            let isKnown = [2, 5].contains(index) || (index == 63 && !isLastLost) || index > 63
            switch result {
            case .success: #expect(isKnown && ![2, 5].contains(index))
            case .failure(let error):
                #expect(error.isAlreadyPresent == [2, 5].contains(index) && error.isOutcomeUnknown == !isKnown)
            }
        }
        #expect(transport.sent.count == 2 && transport.queue.isEmpty)
    }

    /// Without a word from the kernel that something was lost, too.
    @Test func `silence after the last one is no success`() throws {
        let transport = ScriptedTransport { Array(Self.answers($0, failing: [1]).dropLast()) }
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(3))
        let unknown = results.map { result in
            if case .failure(let error) = result { return error.isOutcomeUnknown } else { return false }
        }
        #expect(unknown == [true, false, true])
    }

    @Test func `what cannot be sent spoils nothing else`() throws {
        var batch = RouteBatch()
        batch.deleteLink(LinkIndex(rawValue: 1))
        batch.deleteLink(LinkIndex(rawValue: 0))
        batch.deleteLink(LinkIndex(rawValue: 2))
        let transport = ScriptedTransport { Self.answers($0) }
        let results = NetlinkSocket(transport, isRoute: true).perform(batch)
        #expect(results.map { (try? $0.get()) != nil } == [true, false, true])
        #expect(transport.sent.flatMap(RecordedRequest.parse).map(\.wantsAcknowledgement) == [false, true])
    }
}

extension KernelTests {
    @Suite struct BatchKernelTests {
        @Test func `2,000 neighbours and one that is there already`() throws {
            let cable = try Cable()
            var batch = RouteBatch()
            for index in 0..<2000 {
                // The last is the first once more.
                let number = index == 1999 ? 0 : index
                batch.add(
                    Neighbor(
                        address: IPAddress(198, 18, UInt8(number >> 8), UInt8(number & 255)), link: cable.left.index,
                        macAddress: "02:00:00:00:00:01"))
            }
            let results = cable.client.perform(batch)
            let errors = results.compactMap { result in
                if case .failure(let error) = result { return error } else { return nil }
            }
            #expect(results.count == 2000)
            #expect(errors.map(\.isAlreadyPresent) == [true])
            #expect(try cable.client.neighbors.list(on: cable.left.index).count == 1999)
        }

        /// Every other change fails, and there is room for few of those answers: no failure passes for a success.
        @Test func `where the real kernel loses answers, silence is no success`() throws {
            let cable = try Cable()
            let transport = Boastful(try KernelTransport(NETLINK_ROUTE, in: cable.namespace))
            var odd = RouteBatch()
            var all = RouteBatch()
            for index in 0..<200 {
                let neighbor = Neighbor(
                    address: IPAddress(198, 18, 0, UInt8(index)), link: cable.left.index,
                    macAddress: "02:00:00:00:00:01")
                if index % 2 == 1 { odd.add(neighbor) }
                all.add(neighbor)
            }
            #expect(cable.client.perform(odd).allSatisfy { (try? $0.get()) != nil })
            let results = NetlinkSocket(transport, isRoute: true).perform(all)
            var unknown = 0
            for (index, result) in results.enumerated() {
                switch result {
                case .success: #expect(index % 2 == 0)
                case .failure(let error) where error.isOutcomeUnknown: unknown += 1
                case .failure(let error): #expect(index % 2 == 1 && error.isAlreadyPresent)
                }
            }
            #expect(unknown > 0 && unknown < 200)
            #expect(try cable.client.neighbors.list(on: cable.left.index).count == 200, "all were done all the same")
        }

        /// Has less room than it says.
        private final class Boastful: NetlinkTransport {
            private let kernel: KernelTransport

            init(_ kernel: KernelTransport) {
                self.kernel = kernel
                kernel.setReceiveBuffer(8192)
            }

            var fileDescriptor: Int32 { kernel.fileDescriptor }
            var portID: UInt32 { kernel.portID }
            let receiveCapacity = 1 << 20
            func send(_ bytes: UnsafeRawBufferPointer) -> Errno? { kernel.send(bytes) }
            func driver(of interface: String) -> Result<String, Errno> { kernel.driver(of: interface) }
            func receive(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> ReceivedDatagram {
                kernel.receive(into: buffer, waits: waits)
            }
        }

        /// Measured: 256 answers fit into the default buffer; the 257th request is done and its answer lost.
        @Test func `unpaced, the real kernel loses answers, and says so`() throws {
            let cable = try Cable()
            let transport = try KernelTransport(NETLINK_ROUTE, in: cable.namespace)
            let socket = NetlinkSocket(transport, isRoute: true)
            for index in 0..<600 {
                var request = LinkRequest.update(cable.left.index, LinkUpdate(alias: "a\(index)"))
                request.setSequence(UInt32.max)
                #expect(request.bytes.withUnsafeBytes(transport.send) == nil)
            }
            let error = try failure { () throws(NetlinkError) in
                try socket.perform(
                    LinkRequest.update(cable.left.index, LinkUpdate(alias: "last")), .link, "update link")
            }
            #expect(error.isOutcomeUnknown && error.errno == .noBufferSpace)
            #expect(try cable.client.links.get(cable.left.index)?.alias == "last", "it was done all the same")
            try socket.perform(LinkRequest.update(cable.left.index, LinkUpdate(alias: "again")), .link, "update link")
            #expect(try cable.client.links.get(cable.left.index)?.alias == "again")
        }
    }
}
