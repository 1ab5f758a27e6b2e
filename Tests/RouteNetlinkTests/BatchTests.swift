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

    @Test func `each change has its own result, whatever the order of the answers`() throws {
        let transport = ScriptedTransport { requests in
            requests.map(\.sequence).enumerated().map { Self.acknowledgement($1, $0 % 2 == 0 ? 0 : EEXIST) }.reversed()
        }
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(10).entries)
        #expect(transport.sent.count == 1)
        for (index, result) in results.enumerated() {
            switch result {
            case .success: #expect(index % 2 == 0)
            case .failure(let error): #expect(index % 2 == 1 && error.isAlreadyPresent && !error.isOutcomeUnknown)
            }
        }
    }

    @Test(arguments: [0, 1536, 15_360, 212_992]) func `asks for no more answers than there is room`(_ room: Int) {
        let transport = ScriptedTransport { $0.map { Self.acknowledgement($0.sequence) } }
        transport.receiveCapacity = room
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(200).entries)
        #expect(results.count == 200)
        for datagram in transport.sent {
            var requests = 0
            forEachMessage(datagram) { _ in requests += 1 }
            #expect(requests <= 64 && requests * 1536 <= max(room, 1536))
        }
    }

    @Test func `exactly the changes whose answers were lost are of unknown outcome`() throws {
        let lost: Set = [3, 4, 9]
        let transport = ScriptedTransport { requests in
            [.failed(.noBufferSpace)]
                + requests.map(\.sequence).enumerated().filter { !lost.contains($0.offset) }.map {
                    Self.acknowledgement($1)
                }
        }
        let results = NetlinkSocket(transport, isRoute: true).perform(Self.batch(10).entries)
        for (index, result) in results.enumerated() {
            switch result {
            case .success: #expect(!lost.contains(index))
            case .failure(let error): #expect(lost.contains(index) && error.isOutcomeUnknown)
            }
        }
        #expect(transport.queue.isEmpty)
    }

    @Test func `what cannot be sent spoils nothing else`() throws {
        var batch = RouteBatch()
        batch.deleteLink(LinkIndex(rawValue: 1))
        batch.deleteLink(LinkIndex(rawValue: 0))
        batch.deleteLink(LinkIndex(rawValue: 2))
        let transport = ScriptedTransport { $0.map { Self.acknowledgement($0.sequence) } }
        let results = NetlinkSocket(transport, isRoute: true).perform(batch.entries)
        #expect(results.map { (try? $0.get()) != nil } == [true, false, true])
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
