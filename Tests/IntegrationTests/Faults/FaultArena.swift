import Pseudowire
import PseudowireTestbed
import RouteNetlink
import Testing

/// A scenario's network: the four namespaces, with more interfaces at the first edge.
final class FaultArena {
    let wire: Wire
    let scenario: FaultScenario
    let command: FaultCommand
    let before: PseudowireDocument
    let after: PseudowireDocument
    private let file: DocumentFile?
    private static let ports = ["acc0", "acc1", "und0", "und1"]

    init(_ scenario: FaultScenario) throws {
        let wire = try Wire()
        let client = try wire.client(.edge1)
        for name in Self.ports {
            let end = try client.links.create(.veth(name, peer: .init(name: "far-\(name)")))
            try client.links.update(end.index, LinkUpdate(isUp: true))
        }
        let others = scenario.hasBystander ? [FaultScenario.bystander] : []
        if scenario.hasBystander {
            try wire.second.add(Cell.all[0].configuration(at: .edge2))
        }
        file = try scenario.document.map { try DocumentFile($0) }
        command = FaultCommand(
            scenario.verb, file.map { [$0.path] } ?? scenario.words, in: wire.network.path(of: .edge1))
        before = PseudowireDocument(others + scenario.before)
        after = PseudowireDocument(others + scenario.after)
        self.scenario = scenario
        self.wire = wire
        try reset()
    }

    var manager: PseudowireManager { wire.first }

    /// Back to what was there before the command.
    func reset() throws {
        let plan = try manager.plan(applying: before)
        if !plan.isEmpty { try manager.execute(plan) }
    }

    func census() throws -> Census { try Census(manager) }

    /// Everything must be as it was at one of some moments.
    func expect(_ wanted: [Census], _ place: String, _ location: SourceLocation = #_sourceLocation) {
        do {
            let census = try census()
            guard !wanted.contains(census) else { return }
            let differences = wanted.map { census.differences(from: $0) }.joined(separator: "\nor\n")
            Issue.record("\(place):\n\(differences)", sourceLocation: location)
        } catch {
            Issue.record("\(place): \(error)", sourceLocation: location)
        }
    }

    /// While the bystander carries frames, and loses none.
    func undisturbed(_ body: () throws -> Void) throws {
        guard scenario.hasBystander else { return try body() }
        let outcome = try wire.streaming(during: body)
        #expect(outcome.lost == 0, "\(outcome)")
    }

    func takeDown() throws {
        let client = try wire.client(.edge1)
        try manager.teardown()
        for name in Self.ports { try client.links.delete(wire.index(name, client)) }
        try wire.takeDown()
    }
}
