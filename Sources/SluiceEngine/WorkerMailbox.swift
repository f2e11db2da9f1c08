import Synchronization

/// How other threads reach a worker: closures run on its thread between two batches, so what they see is consistent
/// and stands at known offsets.
package final class WorkerMailbox: Sendable {
    private struct State {
        var requests: [@Sendable (Worker?) -> Void] = []
        var wake: (@Sendable () -> Void)?
        var isStopping = false
        var isClosed = false
    }

    /// Requests waiting at most; more are answered with nil at once.
    private static let requestsMaximum = 1_024
    private let state = Mutex(State())
    /// Called on the worker's thread when it has finished and before it leaves its group.
    let beforeLeaving: @Sendable () -> Void

    package init(beforeLeaving: @escaping @Sendable () -> Void = {}) { self.beforeLeaving = beforeLeaving }

    /// Runs `body` on the worker's thread and returns its result; nil when the worker is stopping, gone or overloaded.
    package func ask<Result: Sendable>(_ body: @escaping @Sendable (Worker) -> Result) async -> Result? {
        await withCheckedContinuation { continuation in
            let request: @Sendable (Worker?) -> Void = { worker in continuation.resume(returning: worker.map(body)) }
            let (accepted, wake) = state.withLock { state in
                let accepted =
                    !state.isClosed && !state.isStopping && state.requests.count < Self.requestsMaximum
                if accepted { state.requests.append(request) }
                return (accepted, state.wake)
            }
            if accepted { wake?() } else { request(nil) }
        }
    }

    /// Asks the worker to finish: what is folded is delivered, saved and committed first. Requests that wait are
    /// answered with nil at once: finishing may take long.
    package func stop() {
        let (left, wake) = state.withLock { state in
            state.isStopping = true
            defer { state.requests.removeAll() }
            return (state.requests, state.wake)
        }
        for request in left { request(nil) }
        wake?()
    }

    package var isStopping: Bool { state.withLock { $0.isStopping } }

    func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    func take() -> [@Sendable (Worker?) -> Void] {
        state.withLock { state in
            defer { state.requests.removeAll() }
            return state.requests
        }
    }

    /// No worker will come any more: everything waiting is answered with nil.
    package func close() {
        let left = state.withLock { state in
            state.isClosed = true
            state.wake = nil
            defer { state.requests.removeAll() }
            return state.requests
        }
        for request in left { request(nil) }
    }

    /// The worker failed and may be restarted; until then nothing wakes.
    func detach() { state.withLock { $0.wake = nil } }
}
