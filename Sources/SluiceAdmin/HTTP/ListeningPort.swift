internal import Synchronization

/// A value that is settled once and may be awaited before and after by any number of tasks.
final class ListeningPort: Sendable {
    private enum State {
        case open([CheckedContinuation<Int, any Error>])
        case settled(Result<Int, any Error>)
    }

    private let state = Mutex(State.open([]))

    var value: Int {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Int, any Error>? = state.withLock { state in
                    switch state {
                    case .open(let waiting):
                        state = .open(waiting + [continuation])
                        return nil
                    case .settled(let result): return result
                    }
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }

    /// The first result counts, later ones are ignored.
    func settle(_ result: Result<Int, any Error>) {
        let waiting: [CheckedContinuation<Int, any Error>] = state.withLock { state in
            guard case .open(let waiting) = state else { return [] }
            state = .settled(result)
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }
}
