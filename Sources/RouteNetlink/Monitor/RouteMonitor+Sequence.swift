/// The events as they come, for as long as the task is not cancelled.
///
/// ```swift
/// for try await event in try RouteMonitor(.links, in: namespace, includingPresent: true) {
///     print(event)
/// }
/// ```
///
/// Nothing is read before it is asked for: a slow reader's events wait in the socket's buffer, and when that is full
/// comes `.resynchronise`. Waiting holds no thread. Cancelling the task ends the loop; an error does too, but not the
/// monitor, which can be iterated again. Several iterators share the events, each of which goes to one of them.
extension RouteMonitor: AsyncSequence {
    /// Takes the monitor's events one by one; it holds none itself.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let monitor: RouteMonitor

        /// The next event, when there is one; nil when the task has been cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(NetlinkError) -> RouteEvent? {
            while !Task.isCancelled {
                if let event = try monitor.next() { return event }
                await Readiness.wait(for: monitor.fileDescriptor)
            }
            return nil
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(monitor: self) }
}
