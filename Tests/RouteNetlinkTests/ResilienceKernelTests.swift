import CPseudowireMNL
import Glibc
import InternetAddress
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    /// What a real kernel does to those who trust it.
    @Suite struct ResilienceTests {
        /// The first socket of each namespace gets the process's number as its port: all have the same.
        @Test func `an echo that strays in from another namespace is nobody's answer`() throws {
            let sender = try RouteClient(in: .anonymous())
            let bystander = try RouteClient(in: .anonymous())
            #expect(sender.socket.transport.portID == bystander.socket.transport.portID)
            var request = LinkRequest.create(.bridge("strayed", namespace: bystander.namespace.fileDescriptor)).bytes
            request[6] |= UInt8(NLM_F_ECHO)
            #expect(request.withUnsafeBytes(sender.socket.transport.send) == nil)
            var ready = pollfd(fd: bystander.socket.fileDescriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&ready, 1, 10_000) == 1, "nothing strayed: the test tests nothing")

            // Taken for an answer, it would be in the list twice.
            #expect(try bystander.links.list().map(\.name).sorted() == ["lo", "strayed"])
            #expect(try sender.links.list().map(\.name) == ["lo"])
        }

        @Test func `no task ever runs in another namespace, whatever is open in it`() async throws {
            let home = try NetworkNamespace.current().inode
            let cable = try Cable()
            let descriptor = cable.namespace.fileDescriptor
            let watchers = (0..<4).map { _ in
                Task {
                    for try await _ in try RouteMonitor(.all, in: NetworkNamespace(duplicating: descriptor)) {}
                }
            }
            let astray = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<2000 {
                    group.addTask {
                        if number % 20 == 0 {
                            _ = try RouteClient(in: NetworkNamespace(duplicating: descriptor)).links.list()
                        }
                        await Task.yield()
                        return try NetworkNamespace.current().inode != home
                    }
                    if number % 20 == 0 {
                        try cable.client.links.update(cable.left.index, LinkUpdate(alias: "a\(number)"))
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(astray == 0)
            for watcher in watchers {
                watcher.cancel()
                try await watcher.value
            }
            #expect(try NamespaceTests.census() == ["net:[\(home)]"])
        }

        /// 256 answers in the 212,992 bytes of the default, measured on Linux 6.18; how large one is depends on the
        /// kernel's own structs, hence it is asked.
        @Test func `answers are lost where the books say, and requests are done all the same`() throws {
            let cable = try Cable()
            let transport = try KernelTransport(NETLINK_ROUTE, in: cable.namespace)
            transport.setReceiveBuffer(106_496)
            #expect(transport.receiveCapacity == 212_992)
            func ask(_ count: Int) {
                for number in 1...count {
                    var request = LinkRequest.update(cable.left.index, LinkUpdate(alias: "asked \(number)"))
                    request.setSequence(7)
                    #expect(request.bytes.withUnsafeBytes(transport.send) == nil)
                }
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)
            defer { buffer.deallocate() }
            func answers() -> (arrived: Int, errors: [Errno]) {
                var arrived = 0
                var errors: [Errno] = []
                while true {
                    switch transport.receive(into: buffer, waits: false) {
                    case .datagram: arrived += 1
                    case .failed(.resourceTemporarilyUnavailable): return (arrived, errors)
                    case .failed(let errno): errors.append(errno)
                    }
                }
            }
            ask(1)
            let cost = try Self.unreadBytes(transport.fileDescriptor)
            #expect(answers() == (1, []))
            #expect(cost > 0 && cost <= NetlinkSocket.answerCost, "a batch would outrun its answers")
            let room = 212_992 / cost

            ask(room)
            #expect(answers() == (room, []))
            // Kernels that compare before they add let one more in.
            ask(room + 2)
            #expect(try cable.client.links.get(cable.left.index)?.alias == "asked \(room + 2)")
            let (arrived, errors) = answers()
            #expect((room...room + 1).contains(arrived))
            #expect(errors == [.noBufferSpace])
            ask(1)
            #expect(answers() == (1, []), "read empty, it accepts again")
        }

        /// What waits in a socket, by the kernel's way to count: `SK_MEMINFO_RMEM_ALLOC` of `SO_MEMINFO`.
        private static func unreadBytes(_ descriptor: Int32) throws -> Int {
            var info = [UInt32](repeating: 0, count: 9)
            var length = socklen_t(36)
            try #require(getsockopt(descriptor, SOL_SOCKET, 55, &info, &length) == 0)
            return Int(info[0])
        }

        /// A client in a namespace with so many links that their list takes several datagrams.
        private static func crowd() throws -> RouteClient {
            let client = try RouteClient(in: .anonymous())
            for number in 0..<80 { try client.links.create(.veth("a\(number)", peer: .init(name: "b\(number)"))) }
            return client
        }

        /// Lists the links; `onStart` is called at the first message of each attempt.
        private static func list(_ client: RouteClient, onStart: (_ attempt: Int) throws -> Void) throws -> [String] {
            var attempts = 0
            var trouble: (any Error)?
            let names = try client.socket.dump(LinkRequest.list(), .link, "list links") {
                message throws(MalformedMessage) -> String? in
                let link = try Link(message)
                if link?.name == "lo" {
                    attempts += 1
                    do { try onStart(attempts) } catch { trouble = error }
                }
                return link?.name
            }
            if let trouble { throw trouble }
            return names
        }

        @Test func `a list that changes while it is read is read again, and is whole`() throws {
            let client = try Self.crowd()
            let other = try RouteClient(in: client.namespace)
            var attempts = 0
            let names = try Self.list(client) { attempt in
                attempts = attempt
                if attempt < 4 { try other.links.create(.bridge("br\(attempt)")) }
            }
            #expect(attempts == 4, "the kernel flags each list that changed")
            let expected = ["lo", "br1", "br2", "br3"] + (0..<80).flatMap { ["a\($0)", "b\($0)"] }
            #expect(names.sorted() == expected.sorted())
        }

        @Test func `a list that never holds still is an error, and the next one is fine`() throws {
            let client = try Self.crowd()
            let other = try RouteClient(in: client.namespace)
            let error = #expect(throws: NetlinkError.self) {
                _ = try Self.list(client) { try other.links.create(.bridge("br\($0)")) }
            }
            #expect(error?.isInterrupted == true)
            #expect(try client.links.list().count == 161 + NetlinkSocket.dumpAttempts)
        }

        @Test func `10,000 clients leave no descriptor and no thread behind`() throws {
            let namespace = try NetworkNamespace.anonymous()
            let open = try NamespaceTests.descriptors()
            let threads = try NamespaceTests.census()
            for _ in 0..<10_000 { _ = try RouteClient(in: namespace) }
            #expect(try NamespaceTests.descriptors() == open)
            #expect(try NamespaceTests.census() == threads)
        }
    }
}
