import BPF
import CPseudowireObject
import Glibc
import PseudowireTestbed
import RouteNetlink
import Testing

@testable import Pseudowire

extension Churn {
    func expect(_ said: ChurnTests.Said, _ comment: String, _ location: SourceLocation = #_sourceLocation) throws {
        let health = try wire.first.pseudowire(named: "pw1").health
        #expect(health.state == said.state, "\(comment): \(health)", sourceLocation: location)
        #expect(health.sentence.contains(said.words), "\(comment): \(health)", sourceLocation: location)
        let other = try wire.first.pseudowire(named: "pw0").health
        #expect(other.state == (said.concernsAll ? said.state : .up), "\(comment): \(other)", sourceLocation: location)
    }

    /// The same, within seconds.
    func await(_ said: ChurnTests.Said, _ comment: String, _ location: SourceLocation = #_sourceLocation) throws {
        for _ in 0..<500 {
            let health = try wire.first.pseudowire(named: "pw1").health
            if health.state == said.state, health.sentence.contains(said.words) { break }
            usleep(20_000)
        }
        // What is up may still be changed: a filter that nobody missed.
        usleep(300_000)
        try expect(said, comment, location)
    }

    /// Waits until an agent has nothing more to do.
    func settle(_ agent: RunningAgent) throws {
        var before = -1
        for _ in 0..<100 where agent.looks != before {
            before = agent.looks
            usleep(300_000)
        }
        #expect(agent.looks == before)
    }

    /// Every entry, port and filter belongs to a record that is in its place; nothing of anybody else's was touched.
    func expectNothingStale(_ location: SourceLocation = #_sourceLocation) throws {
        let state = try #require(try wire.first.openState())
        let records = try wire.first.records(state)
        let links = try client.links.list()
        let indexes = Set(links.map(\.index.rawValue))
        let placed = records.filter { $0.access != 0 }
        #expect(records.filter(\.isReady).count == records.count, sourceLocation: location)
        #expect(
            try Set(state.sessions.entries().map(\.key)) == Set(placed.map(\.configuration.session.local.rawValue)),
            sourceLocation: location)
        for (key, value) in try state.sessions.entries() {
            #expect(indexes.contains(value.access_ifindex), "session \(key)", sourceLocation: location)
        }
        #expect(
            try Set(state.access.entries().map(\.key.ifindex)) == Set(placed.map(\.access)), sourceLocation: location)
        for (_, key) in try state.paths.entries() {
            #expect(placed.contains { $0.access == key.ifindex }, sourceLocation: location)
        }
        let used = Set(placed.map(\.access)).union(records.flatMap(\.underlays))
        #expect(try Set(state.ports.entries().map(\.key)) == used, sourceLocation: location)
        for link in links where !link.name.hasPrefix("pw-") {
            let filters = (try? client.filters.list(at: TrafficHook(link: link.index, direction: .ingress))) ?? []
            let ours = try Set(filters.filter { $0.priority == 1701 }.compactMap(\.programID))
                .union(wire.tcxPrograms(on: link.index, in: .edge1))
            var expected: Set<UInt32> = []
            if placed.contains(where: { $0.access == link.index.rawValue }) { expected.insert(state.programs.encap.id) }
            if records.contains(where: { $0.underlays.contains(link.index.rawValue) }) {
                expected.insert(state.programs.decap.id)
            }
            #expect(ours == expected, "\(link.name)", sourceLocation: location)
            let isAccess = expected.contains(state.programs.encap.id) || link.name == "alien"
            #expect(link.flags.contains(.promiscuous) == isAccess, "\(link.name)", sourceLocation: location)
            if link.name == "alien" {
                let kinds = try client.qdiscs.list(on: link.index).map(\.kind)
                #expect(kinds.contains("clsact"), sourceLocation: location)
            }
        }
    }
}
