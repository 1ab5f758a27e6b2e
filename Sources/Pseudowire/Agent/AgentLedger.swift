/// What an agent has told already, so that it tells only what is new.
struct AgentLedger {
    private var waiting: [String: Waiting] = [:]
    private var health: [String: Pseudowire.Health] = [:]
    private(set) var outcome = AgentOutcome(unhealthy: [:], failures: [], error: nil)

    mutating func note(
        _ kept: Kept, _ wires: [Pseudowire], retry: Duration, _ report: (AgentEvent) -> Void
    ) {
        for failure in kept.failures { report(.failed(failure, retry: retry)) }
        for waits in kept.waiting where waiting[waits.name] != waits { report(.waiting(waits)) }
        waiting = Dictionary(kept.waiting.map { ($0.name, $0) }) { first, _ in first }
        let found = Dictionary(wires.map { ($0.name, $0.health) }) { first, _ in first }
        // What it waits for has been said already.
        for wire in wires where health[wire.name] != wire.health && waiting[wire.name]?.reason != wire.health.sentence {
            report(.health(wire.name, wire.health))
        }
        health = found
        outcome = AgentOutcome(
            unhealthy: found.filter { $0.value.state != .up }, failures: kept.failures, error: nil)
        for waits in kept.waiting {
            outcome.unhealthy[waits.name] =
                found[waits.name].flatMap { $0.state == .up ? nil : $0 }
                ?? Pseudowire.Health(state: .waiting, sentence: waits.reason)
        }
    }

    mutating func note(_ error: PseudowireError, retry: Duration, _ report: (AgentEvent) -> Void) {
        outcome.error = error
        report(.troubled(error, retry: retry))
    }
}
