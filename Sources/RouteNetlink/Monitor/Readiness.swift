import Dispatch

/// Waits for a descriptor without holding a thread.
enum Readiness {
    /// Serial, so that its wake-ups do not depend on how busy the global queues are.
    private static let queue = DispatchQueue(label: "RouteNetlink.Readiness")

    /// Returns when `descriptor` is readable or in error, or the task is cancelled.
    ///
    /// By then nothing watches the descriptor any more, whichever it was: the only thing that wakes the task is the
    /// end of the watch. Hence the descriptor may be closed at once, and its number used again.
    static func wait(for descriptor: Int32) async {
        // Sources may be cancelled from any thread, which their type does not say.
        nonisolated(unsafe) let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // The source holds its handlers until it is cancelled, and it always is.
                source.setEventHandler { source.cancel() }
                source.setCancelHandler { continuation.resume() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
    }
}
