import Foundation
import SystemPackage
import Testing

@testable import RouteNetlink

extension KernelTests {
    @Suite struct NamespaceTests {
        /// The namespaces of all threads of this process.
        static func census() throws -> Set<String> {
            var found: Set<String> = []
            for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
                // A thread may end between the two looks.
                let path = "/proc/self/task/\(thread)/ns/net"
                if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: path) { found.insert(link) }
            }
            return found
        }

        /// The open sockets and namespaces; the runtime's own descriptors come and go.
        static func descriptors() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }.filter { $0.hasPrefix("socket:") || $0.hasPrefix("net:") || $0 == "/dev/null" }.sorted()
        }

        /// What is open now and was not before; what others closed meanwhile, as Foundation a finished witness's
        /// socket, is not ours to judge.
        static func opened(since before: [String]) throws -> [String] {
            var rest = before
            return try descriptors().filter { descriptor in
                guard let index = rest.firstIndex(of: descriptor) else { return true }
                rest.remove(at: index)
                return false
            }
        }

        /// A name that nobody else has.
        static func freshName() -> String { "pw-test-\(getpid())-\(UInt32.random(in: 0...(.max)))" }

        @Test func `200 clients leave no thread and no descriptor behind`() async throws {
            let before = try Self.census()
            let namespace = try NetworkNamespace.anonymous()
            let open = try Self.descriptors()
            for _ in 0..<200 {
                let client = try RouteClient(in: namespace)
                #expect(try client.links.list().map(\.name) == ["lo"])
                _ = try client.links.offloads(LinkIndex(rawValue: 1))
                _ = try NetworkNamespace.anonymous().cookie()
            }
            // Many tasks, so that the pool starts threads after the visits.
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<200 { group.addTask { _ = try? NetworkNamespace.current().inode } }
            }
            #expect(try Self.opened(since: open).isEmpty)
            #expect(try Self.census() == before)
            #expect(before.count == 1)
        }

        @Test func `1,200 tasks at work in other namespaces leave every thread at home`() async throws {
            let home = try NetworkNamespace.current().inode
            let before = try Self.census()
            let blue = try NetworkNamespace.anonymous()
            let red = try NetworkNamespace.anonymous()
            let others = [blue.fileDescriptor, red.fileDescriptor]
            let inodes = [blue.inode, red.inode]
            let open = try Self.descriptors()
            var visits = 0
            // Waves, since each task holds descriptors while others run on its thread.
            for _ in 0..<12 {
                visits += await withTaskGroup(of: Bool.self) { group in
                    for index in 0..<100 {
                        group.addTask {
                            await Self.visit(others[index % 2], inode: inodes[index % 2], home: home)
                        }
                    }
                    return await group.reduce(into: 0) { count, isRight in count += isRight ? 1 : 0 }
                }
                #expect(try Self.census() == before, "between the waves")
            }
            #expect(visits == 1200)
            // Threads that the pools start from now on descend from those that were there.
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask { await Task.yield() }
                    DispatchQueue.global().async { usleep(100) }
                }
            }
            #expect(try Self.census() == before)
            #expect(before.count == 1)
            #expect(try Self.opened(since: open).isEmpty)
        }

        /// Works in another namespace, gives way to other tasks in between; whether it was always where it belongs.
        static func visit(_ descriptor: Int32, inode: UInt64, home: UInt64) async -> Bool {
            guard let other = try? NetworkNamespace(duplicating: descriptor), other.inode == inode,
                let client = try? RouteClient(in: other)
            else { return false }
            await Task.yield()
            guard (try? client.links.list().map(\.name)) == ["lo"], (try? NetworkNamespace.current().inode) == home
            else { return false }
            await Task.yield()
            let inside = try? other.run { () -> UInt64 in (try? NetworkNamespace.current().inode) ?? 0 }
            guard inside == inode else { return false }
            await Task.yield()
            return (try? NetworkNamespace.current().inode) == home
        }

        @Test func `errors leave no descriptor behind`() throws {
            let open = try Self.descriptors()
            for _ in 0..<50 {
                #expect(throws: NetlinkError.self) { _ = try NetworkNamespace(path: "/dev/null") }
                #expect(throws: NetlinkError.self) { _ = try NetworkNamespace(path: "/nonexistent") }
                #expect(throws: NetlinkError.self) { _ = try NetworkNamespace(processID: -1) }
                #expect(throws: NetlinkError.self) { _ = try NetworkNamespace(duplicating: -1) }
            }
            #expect(try Self.opened(since: open).isEmpty)
        }

        @Test func `two openings of one namespace have one identity`() throws {
            let one = try NetworkNamespace.anonymous()
            let two = try one.duplicate()
            let other = try NetworkNamespace.anonymous()
            #expect(one.inode == two.inode)
            #expect(one.inode != other.inode)
            #expect(try one.cookie() == two.cookie())
            #expect(try one.cookie() != other.cookie())
            #expect(try RouteClient(in: one).namespaceCookie == one.cookie())
            #expect(try RouteClient().namespaceCookie == NetworkNamespace.current().cookie())
            #expect(try NetworkNamespace(processID: getpid()).inode == NetworkNamespace.current().inode)
            #expect(fcntl(one.fileDescriptor, F_GETFD) & FD_CLOEXEC != 0)
        }

        @Test func `runs inside, and hands back results and errors`() throws {
            struct Failure: Error, Equatable { var number: Int }
            let namespace = try NetworkNamespace.anonymous()
            let inside = try namespace.run { () -> UInt64 in (try? NetworkNamespace.current().inode) ?? 0 }
            #expect(inside == namespace.inode)
            #expect(try NetworkNamespace.current().inode != namespace.inode)
            #expect(throws: Failure(number: 7)) {
                try namespace.run { () throws -> Int in throw Failure(number: 7) }
            }
            var before = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &before)
            let blocked = try namespace.run { () -> Bool in
                var mask = sigset_t()
                pthread_sigmask(SIG_SETMASK, nil, &mask)
                return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1
            }
            #expect(blocked)
            var after = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &after)
            for signal in 1...64 { #expect(sigismember(&before, Int32(signal)) == sigismember(&after, Int32(signal))) }
            let nested = try namespace.run { () -> UInt64 in
                (try? NetworkNamespace.anonymous().run { () -> UInt64 in 1 }) ?? 0
            }
            #expect(nested == 1)
        }

        @Test func `names namespaces as ip netns does`() throws {
            let name = Self.freshName()
            defer { try? NetworkNamespace.delete(named: name) }
            let made = try NetworkNamespace.create(named: name)
            #expect(try NetworkNamespace.names().contains(name))
            #expect(try NetworkNamespace(named: name).inode == made.inode)
            #expect(made.inode != (try NetworkNamespace.current().inode))
            let here = try NetworkNamespace.current()
            #expect(try witness("ip", "netns", "list", in: here).contains(name))
            _ = try witness("ip", "-n", name, "link", "set", "lo", "up", in: here)
            #expect(try RouteClient(in: made).links.find(named: "lo")?.isUp == true)
            let taken = try failure { () throws(NetlinkError) in try NetworkNamespace.create(named: name) }
            #expect(taken.isAlreadyPresent)
            #expect(try NetworkNamespace(named: name).inode == made.inode, "the failure removed nothing")
            try NetworkNamespace.delete(named: name)
            #expect(try !NetworkNamespace.names().contains(name))
            #expect(try failure { () throws(NetlinkError) in try NetworkNamespace.delete(named: name) }.isNotFound)
            #expect(try failure { () throws(NetlinkError) in _ = try NetworkNamespace(named: name) }.isNotFound)
            #expect(try RouteClient(in: made).links.list().count == 1, "it lives on while we hold it")
        }

        @Test func `opens and deletes what ip netns made, and passes over stale files`() throws {
            let name = Self.freshName()
            let here = try NetworkNamespace.current()
            _ = try witness("ip", "netns", "add", name, in: here)
            #expect(try NetworkNamespace.names().contains(name))
            try NetworkNamespace.delete(named: name)
            #expect(try !witness("ip", "netns", "list", in: here).contains(name))

            // What a creator that was killed half-way leaves: a file with nothing over it.
            let path = "/run/netns/\(name)"
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            #expect(try !NetworkNamespace.names().contains(name))
            let stale = try failure { () throws(NetlinkError) in _ = try NetworkNamespace(named: name) }
            #expect(stale.message == "the file is no namespace")
            try NetworkNamespace.delete(named: name)
            #expect(!FileManager.default.fileExists(atPath: path))
        }

        @Test(arguments: ["", ".", "..", "a/b", "a\0b", String(repeating: "x", count: 256)])
        func `refuses names that cannot be`(_ name: String) throws {
            let validated = try failure { () throws(NetlinkError) in try NetworkNamespace.validate(name: name) }
            #expect(validated.errno == .invalidArgument)
            let created = try failure { () throws(NetlinkError) in try NetworkNamespace.create(named: name) }
            #expect(created.errno == .invalidArgument)
            let deleted = try failure { () throws(NetlinkError) in try NetworkNamespace.delete(named: name) }
            #expect(deleted.errno == .invalidArgument)
        }

        @Test func `a deleted interface of another namespace answers nobody's question`() throws {
            // Sockets of different namespaces share port numbers; echoes across namespaces reach the wrong one.
            let home = try NetworkNamespace.anonymous()
            let away = try NetworkNamespace.anonymous()
            let client = try RouteClient(in: home)
            let stranger = try RouteClient(in: away)
            for index in 0..<20 {
                let link = try client.links.create(
                    .veth("v\(index)", peer: .init(name: "w\(index)", namespace: away.fileDescriptor)))
                #expect(try stranger.links.find(named: "w\(index)")?.index == link.peer)
                #expect(try client.links.find(named: "w\(index)") == nil)
            }
            #expect(try stranger.links.list().count == 21)
        }
    }
}
