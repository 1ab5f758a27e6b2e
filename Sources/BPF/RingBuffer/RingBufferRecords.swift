internal import CPseudowireBPF
internal import Dispatch
internal import Glibc
internal import SystemPackage

/// The records of a BPF ring buffer as they come, for `for await`.
///
/// ```swift
/// for try await record in RingBufferRecords(descriptor: map.fileDescriptor, name: "events") { … }
/// ```
///
/// Ends when the task is cancelled. Nothing is taken out of the ring before it is asked for, so a slow reader loses
/// what the ring has no room for, and no more. Records that a program puts in with `BPF_RB_NO_WAKEUP` are seen with the
/// next one that wakes. Each iterator maps the ring anew, and lets go of it when it is dropped; of several at once,
/// each record reaches one. Errors: `BPFError`. Linux 5.8.
public struct RingBufferRecords: AsyncSequence, Sendable {
    /// A record's octets as the program wrote them, without the ring's header.
    public typealias Element = [UInt8]
    public typealias Failure = BPFError

    private let descriptor: Int32
    private let name: String

    /// - Parameter descriptor: the map's; must be open when iteration begins, and may be closed then.
    public init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Maps the ring; what prevents that is thrown by the first `next()`.
    public func makeAsyncIterator() -> Iterator {
        // An iterator cannot be refused; an error waits for the first record asked for.
        do throws(BPFError) {
            return Iterator(state: .success(try RingBufferReader(descriptor: descriptor, name: name)))
        } catch {
            return Iterator(state: .failure(error))
        }
    }

    /// Takes records out of the ring, one for each call.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var state: Result<RingBufferReader, BPFError>?

        fileprivate init(state: Result<RingBufferReader, BPFError>) {
            self.state = state
        }

        /// The next record, when there is one; nil when the task has been cancelled, and ever after an error.
        public mutating func next() async throws(BPFError) -> [UInt8]? {
            try await next(isolation: nil)
        }

        /// The same, without leaving the caller's actor.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(BPFError) -> [UInt8]? {
            guard let state else { return nil }
            do throws(BPFError) {
                let reader = try state.get()
                while !Task.isCancelled {
                    if let record = try reader.record() { return record }
                    await Readiness(of: reader.pollDescriptor).wait(isolation: actor)
                }
            } catch {
                self.state = nil
                throw error
            }
            self.state = nil
            return nil
        }
    }
}

/// One wait for a descriptor to become readable, which cancelling the task ends.
private struct Readiness: Sendable {
    // Dispatch's sources may be used from any thread, but do not say so.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    init(of descriptor: Int32) {
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
    }

    /// Returns once Dispatch no longer looks at the descriptor, so that it may be closed.
    func wait(isolation actor: isolated (any Actor)?) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                // Both ends of the wait, readiness and cancellation, come here, once.
                source.setCancelHandler { continuation.resume() }
                source.setEventHandler { [source] in source.cancel() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
    }
}
