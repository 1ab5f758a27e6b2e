/// What an agent has told already, so that it tells only what is new.
struct AgentLedger {
    private var waiting: [String: Waiting] = [:]
    private var health: [String: PseudowireStatus.Health] = [:]
    /// How many pseudowires there are, those that wait included.
    private(set) var count = 0
    private(set) var outcome = AgentOutcome(unhealthy: [:], failures: [], error: nil)

    mutating func note(
        _ kept: Kept, _ wires: [PseudowireStatus], retry: Duration, _ report: (AgentEvent) -> Void
    ) {
        for failure in kept.failures { report(.failed(failure, retry: retry)) }
        for waits in kept.waiting where waiting[waits.name] != waits { report(.waiting(waits)) }
        let waited = waiting
        waiting = Dictionary(kept.waiting.map { ($0.name, $0) }) { first, _ in first }
        let found = Dictionary(wires.map { ($0.name, $0.health) }) { first, _ in first }
        for wire in wires {
            // One that waits no longer may be as well as it was before.
            let isNews = health[wire.name] != wire.health || waited[wire.name] != nil && waiting[wire.name] == nil
            // What it waits for has been said already.
            if isNews, waiting[wire.name]?.reason != wire.health.sentence { report(.health(wire.name, wire.health)) }
        }
        health = found
        count = found.count + waiting.keys.count { found[$0] == nil }
        outcome = AgentOutcome(
            unhealthy: found.filter { $0.value.state != .up }, failures: kept.failures, error: nil)
        for waits in kept.waiting {
            outcome.unhealthy[waits.name] =
                found[waits.name].flatMap { $0.state == .up ? nil : $0 }
                ?? PseudowireStatus.Health(state: .waiting, sentence: waits.reason)
        }
    }

    mutating func note(_ error: PseudowireError, retry: Duration, _ report: (AgentEvent) -> Void) {
        outcome.error = error
        report(.troubled(error, retry: retry))
    }
}
