import Glibc
import PseudowireTestbed
import Synchronization
import Testing

@testable import Pseudowire

/// An agent on a thread of its own, and what it has told.
final class RunningAgent {
    private final class Told: Sendable {
        let looks = Atomic<Int>(0)
        let failures = Mutex<[String]>([])
        let outcome = Mutex<Result<AgentOutcome, PseudowireError>?>(nil)
    }

    let agent: PseudowireAgent
    private let told = Told()

    /// Returns when it has looked at everything once.
    ///
    /// - Parameter recheck: nobody tells of a filter that is taken off the tcx hook.
    convenience init(
        _ document: PseudowireDocument, at arena: borrowing Churn, recheck: Duration = .milliseconds(300)
    ) throws {
        try self.init(document, in: .path(arena.wire.network.path(of: .edge1)), recheck: recheck)
    }

    init(_ document: PseudowireDocument, in namespace: NamespaceReference, recheck: Duration) throws {
        var options = PseudowireAgent.Options()
        options.quiet = .milliseconds(20)
        options.longest = .milliseconds(200)
        options.recheck = recheck
        let agent = PseudowireAgent(
            in: namespace, keeping: .document(document), options: options)
        self.agent = agent
        let told = told
        let failure = PlainThread.start {
            let outcome = Result { () throws(PseudowireError) in
                try agent.runBlocking { event in
                    switch event {
                    case .looked: told.looks.add(1, ordering: .sequentiallyConsistent)
                    case .failed, .troubled: told.failures.withLock { $0.append("\(event)") }
                    default: break
                    }
                }
            }
            told.outcome.withLock { $0 = outcome }
        }
        try #require(failure == nil)
        try wait { looks > 0 }
    }

    var looks: Int { told.looks.load(ordering: .sequentiallyConsistent) }
    var failures: [String] { told.failures.withLock { $0 } }

    private func wait(for condition: () -> Bool) throws {
        for _ in 0..<1000 where !condition() { usleep(10_000) }
        try #require(condition())
    }

    /// Waits for a look that has begun after now: the one that may be going on does not count.
    func lookAgain() throws {
        let before = looks
        try wait { looks >= before + 2 }
    }

    func end() throws {
        agent.stop()
        try wait { told.outcome.withLock { $0 != nil } }
        _ = try told.outcome.withLock { $0 }?.get()
    }
}

/// Random numbers that are the same each time (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
