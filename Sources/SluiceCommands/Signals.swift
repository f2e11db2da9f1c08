internal import Glibc
internal import SluiceService
internal import Synchronization
internal import UnixSignals

/// SIGINT and SIGTERM: the first one ends a command in order, the second one at once.
enum Signals {
    /// Runs `body` until it is over; `first` is called on the first signal, or when the task is cancelled.
    static func during<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result, first: @escaping @Sendable () async -> Void
    ) async throws -> Result {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await withoutCancellation(body) }
            group.addTask {
                var isFirst = true
                for await _ in signals {
                    // Nobody waits for what a second signal interrupts.
                    guard isFirst else { _exit(1) }
                    isFirst = false
                    await first()
                }
                // The command's own task was cancelled, or the body is over.
                if isFirst { await first() }
                return nil
            }
            while let result = try await group.next() {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            throw CancellationError()
        }
    }

    /// A cancelled command ends as after a signal, by `first`, not in the middle of its work.
    private static func withoutCancellation<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Task { try await body() }.value
    }

    /// Waits for the first signal, or for the task's cancellation.
    static func wait() async {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return }
    }
}

/// Set by the first signal, looked at by the work that it interrupts.
final class Interruption: Sendable {
    private let flag = Atomic<Bool>(false)

    var isRequested: Bool { flag.load(ordering: .relaxed) }
    func request() { flag.store(true, ordering: .relaxed) }
}

extension Signals {
    /// Runs work that computes for long on a thread of its own, with the console of the command.
    static func onThread<Result: Sendable>(
        _ body: @escaping @Sendable (Interruption) throws -> Result
    ) async throws -> Result {
        let console = Console.current
        let interruption = Interruption()
        return try await during {
            try await SluiceService.onThread {
                try Console.$current.withValue(console) { try body(interruption) }
            }
        } first: {
            interruption.request()
        }
    }
}
