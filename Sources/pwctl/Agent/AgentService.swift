internal import Pseudowire
internal import ServiceLifecycle
internal import Synchronization
internal import UnixSignals

/// The agent, as something that starts and ends with a process.
struct AgentService: Service {
    let agent: PseudowireAgent
    let reporter: AgentReporter
    let ending: AgentEnding

    func run() async throws {
        let result: Result<AgentOutcome, PseudowireError> = await withGracefulShutdownHandler {
            do throws(PseudowireError) {
                return .success(try await agent.run { reporter.report($0) })
            } catch {
                return .failure(error)
            }
        } onGracefulShutdown: {
            agent.stop()
        }
        ending.set(result)
    }
}

/// Reads the file again whenever SIGHUP asks for it.
struct ReloadService: Service {
    let agent: PseudowireAgent
    let reporter: AgentReporter

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            reporter.reloads()
            agent.reload()
        }
    }
}

/// How the agent ended.
final class AgentEnding: Sendable {
    private let result = Mutex<Result<AgentOutcome, PseudowireError>?>(nil)

    func set(_ result: Result<AgentOutcome, PseudowireError>) { self.result.withLock { $0 = result } }
    var value: Result<AgentOutcome, PseudowireError>? { result.withLock { $0 } }
}
