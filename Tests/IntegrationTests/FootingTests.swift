import BPF
import CPseudowireObject
import Foundation
import Glibc
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

@Suite("what the state stands on", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct FootingTests {
    private static func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    /// Where there is no tcx, no filter's link says that the namespace is there.
    private static func clsact(_ configuration: inout PseudowireConfiguration) { configuration.attach = .clsact }

    @Test(
        "another namespace's command takes none for gone whose splitter, or joiner, was removed",
        arguments: [true, false])
    func reaped(isSplitter: Bool) throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0], change: Self.clsact)
        let before = try Census(wire.first)
        let client = try wire.client(.edge1)
        try client.links.delete(wire.index(isSplitter ? "pw-split0" : "pw-join0", client))
        try wire.second.refresh()
        #expect(wire.first.directory.exists)
        try wire.first.refresh()
        #expect(try Census(wire.first).differences(from: before) == "")
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("a watch that a command which died has pinned, and not yet named, does not stand in the way")
    func temporary() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0], change: Self.clsact)
        let before = try Census(wire.first)
        let client = try wire.client(.edge1)
        let directory = wire.first.directory
        for name in ["pw-split0", "pw-join0"] { try client.links.delete(wire.index(name, client)) }
        let program = try Program(id: try ProgramLink(pinnedAt: directory.pin(DatapathObject.alive)).info().programID)
        for (outer, pin) in [
            (try Splitter.create(client, in: wire.first.namespace).outer, DatapathObject.alive),
            (try Joiner.create(client).outer, StateDirectory.joinerWatch),
        ] {
            try Watch.begin(program, on: outer, at: directory.pin("\(pin):1:ab"), wire.first)
        }
        try wire.first.refresh()
        #expect(try Census(wire.first).differences(from: before) == "")
        try wire.takeDown()
    }

    @Test("where the state is on a BPF file system that is not seen here, nothing is touched, whatever else is amiss")
    func elsewhere() throws {
        let wire = try Wire()
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("pwbpf-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try BPFFileSystem.mount(at: root)
        defer { umount2(root, Int32(MNT_DETACH)) }
        let near = Cell.all[0].configuration(at: .edge1)
        let other = try PseudowireManager(in: .path(wire.network.path(of: .edge1)), fileSystem: root)
        var made = Cell.oneOfMany(4, .auto)
        (made.makesInterface, made.access, made.vlan) = (true, "lan0", .any)
        for configuration in [near, made] { try other.add(configuration) }
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        let client = try wire.client(.edge1)
        func names() throws -> Set<String> { Set(try client.links.list().map(\.name)) }
        let before = try names()
        func expectRefusal(_ body: () throws -> Void) {
            let message = Self.message(body)
            #expect(message.contains("is on another BPF file system than /sys/fs/bpf"), "\(message)")
        }
        expectRefusal { try wire.first.refresh() }
        expectRefusal { try wire.first.add(near) }
        expectRefusal { try wire.first.teardown() }
        #expect(try names() == before)
        try wire.expectPings()
        try client.links.delete(wire.index("pw-split0", client))
        expectRefusal { try wire.first.refresh() }
        #expect(try names() == before.subtracting(["pw-split0", "pw-split1"]))
        try other.teardown()
        try wire.takeDown()
    }

    @Test("where the datapath's names are somebody else's it is refused, and nothing is left to be undone")
    func foreignNames() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        for name in Splitter.pair.names + Joiner.pair.names {
            var wanted = Cell.all[0].configuration(at: .edge1)
            let theirs = try client.links.create(.veth(name, peer: .init(name: "other")))
            let before = try Census(wire.first)
            let message = Self.message { try wire.first.add(wanted) }
            #expect(message.contains("not ours") && !message.contains("undoing"), "\(message)")
            #expect(try Census(wire.first).differences(from: before) == "")
            try client.links.delete(theirs.index)
            (wanted.makesInterface, wanted.access) = (true, name)
            let named = Self.message { _ = try wire.first.plan(adding: [wanted]) }
            #expect(named.contains("is what an interface of the datapath's own is called"), "\(named)")
        }
        try wire.takeDown()
    }

    @Test("a pair of the datapath's that somebody has renamed is known by its mark, and goes with the rest")
    func renamed() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        let client = try wire.client(.edge1)
        for name in Splitter.pair.names + Joiner.pair.names {
            let index = try wire.index(name, client)
            try client.links.update(index, LinkUpdate(isUp: false))
            try client.links.update(index, LinkUpdate(name: "\(name)x"))
        }
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .broken)
        let before = try #require(try wire.first.openState()).identity
        try wire.first.refresh()
        #expect(try wire.first.pseudowire(named: "pw0").health.state == .up)
        let after = try #require(try wire.first.openState()).identity
        #expect(after.splitter == before.splitter && after.joiner == before.joiner)
        try wire.expectPings(sizes: [56, 3000])
        try wire.takeDown()
    }

    @Test("a name of the datapath's that somebody else has taken stands in no teardown's way, and stays theirs")
    func takenNames() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        for name in ["pw-split0", "pw-join0"] {
            try wire.connect(Cell.all[0])
            var made = Cell.oneOfMany(4, .auto)
            (made.makesInterface, made.access, made.vlan) = (true, "lan0", .any)
            try wire.first.add(made)
            try client.links.delete(wire.index(name, client))
            let theirs = try client.links.create(.veth(name, peer: .init(name: "other")))
            try wire.first.teardown()
            #expect(try wire.first.pseudowires().isEmpty)
            #expect(try client.links.find(named: name)?.index == theirs.index)
            try client.links.delete(theirs.index)
            try wire.second.teardown()
        }
        try wire.takeDown()
    }

    @Test("an underlay that is gone keeps its name, also where a command dies and the next one goes on for it")
    func goneUnderlay() throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        let spare = try client.links.create(.veth("und7", peer: .init(name: "far7")))
        var near = Cell.all[0].configuration(at: .edge1)
        near.underlays = ["veth12", "und7"]
        try wire.first.add(near)
        try wire.second.add(Cell.all[0].configuration(at: .edge2))
        try client.links.delete(spare.index)
        let command = FaultCommand("set", ["pw0", "ttl=9"], in: wire.network.path(of: .edge1))
        #expect(try command.run(.kill(3)).wasKilled)
        #expect(FileSystem.exists(wire.first.directory.pin(Journal.name)))
        try wire.first.refresh()
        #expect(!FileSystem.exists(wire.first.directory.pin(Journal.name)))
        near.ttl = 9
        #expect(try wire.first.export().pseudowires == [near])
        try wire.expectPings()
        try wire.takeDown()
    }

    @Test("what is written down and cannot be read stops every change but teardown, and harms nothing")
    func unreadable() throws {
        let wire = try Wire()
        try wire.connect(Cell.all[0])
        var made = Cell.oneOfMany(4, .auto)
        made.makesInterface = true
        made.access = "lan0"
        made.vlan = .any
        try wire.first.add(made)
        let state = try #require(try wire.first.openState())
        for name in ["pw0", made.name] {
            var value = try #require(try state.pseudowires[pw_name(name)])
            value.attach = 99
            try state.pseudowires.update(key: pw_name(name), value: value)
        }
        for message in [
            Self.message { _ = try wire.first.pseudowires() }, Self.message { _ = try wire.first.export() },
            Self.message { try wire.first.add(Cell.oneOfMany(5, .auto)) },
            Self.message { try wire.first.remove("pw0") },
            Self.message { try wire.first.apply(PseudowireDocument([])) },
        ] {
            #expect(message.contains("\"pw0\" is nothing that this program can read"), "\(message)")
        }
        try wire.expectPings()
        // Also from wherever a teardown has died.
        let command = FaultCommand("teardown", in: wire.network.path(of: .edge1))
        #expect(try command.run(.kill(4)).wasKilled)
        #expect(FileSystem.exists(wire.first.directory.pin(Journal.name)))
        try wire.takeDown()
    }

    #if DEBUG
        @Test("a qdisc that somebody makes in the moment before we would is theirs")
        func overtaken() throws {
            let wire = try Wire()
            let client = try wire.client(.edge1)
            let indexes = try ["veth10", "veth12"].map { try wire.index($0, client) }
            FaultPoint.hook = { (point) throws(PseudowireError) in
                guard point == .portWritten else { return }
                for index in indexes { _ = try? client.qdiscs.ensureClsact(on: index) }
            }
            defer { FaultPoint.hook = nil }
            try wire.connect(Cell.all[0], change: Self.clsact)
            FaultPoint.hook = nil
            try wire.expectPings()
            for manager in [wire.first, wire.second] { try manager.remove("pw0") }
            for index in indexes {
                #expect(try client.qdiscs.list(on: index).contains { $0.kind == "clsact" })
                try client.qdiscs.deleteClsact(on: index)
            }
            try wire.takeDown()
        }

    #endif

    @Test("a reader, too, waits no longer for a command that stands still than it was asked to, and says that it waits")
    func reader() throws {
        let arena = try FaultArena(try #require(FaultScenario.all.first { $0.testDescription == "set" }))
        let points = try arena.command.points()
        try arena.reset()
        let holder = try arena.command.start(.stop(points.count / 2))
        holder.waitUntilStopped()
        let manager = arena.manager
        var waited = 0
        manager.onWait = { waited += 1 }
        manager.patience = .milliseconds(1200)
        let message = Self.message { _ = try manager.pseudowires() }
        let comm = try String(contentsOfFile: "/proc/\(holder.identifier)/comm", encoding: .utf8).dropLast()
        #expect(
            message.contains("another command is changing pseudowires: \(comm), process \(holder.identifier);"),
            "\(message)")
        #expect(waited == 1)
        Glibc.kill(holder.identifier, SIGCONT)
        #expect(holder.wait().status == 0)
        manager.patience = nil
        #expect(try manager.pseudowires().count == 2)
        try arena.takeDown()
    }

    @Test("what tells an agent that its change is over comes before anyone else can begin one")
    func released() throws {
        let wire = try Wire()
        var isHeld: [Bool] = []
        let base = wire.first.directory.base
        wire.first.onRelease = {
            let message = Self.message { _ = try StateLock(base, .exclusive, patience: .zero) }
            isHeld.append(message.contains("another command is changing"))
        }
        try wire.connect(Cell.all[0])
        #expect(throws: PseudowireError.self) { try wire.first.add(Cell.all[0].configuration(at: .edge1)) }
        #expect(isHeld == [true, true])
        try wire.takeDown()
    }
}
