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
        let watch = Task {
            var isFirst = true
            for await _ in signals {
                // Nobody waits for what a second signal interrupts.
                guard isFirst else { _exit(1) }
                isFirst = false
                await first()
            }
        }
        defer { watch.cancel() }
        // Not a child: a cancelled command ends as after a signal, by `first`, not in the middle of its work.
        let work = Task { try await body() }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            Task { await first() }
        }
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
