internal import Glibc
internal import SluiceService
internal import Synchronization
internal import UnixSignals

/// SIGINT and SIGTERM: the first one ends a command in order, the second one at once.
enum Signals {
    /// Runs `body` until it is over; `first` is called on the first signal, or when the task is cancelled.
    ///
    /// - Parameter further: called on each signal after it; whether it has an order to end in, too.
    static func during<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result, first: @escaping @Sendable () async -> Void,
        further: @escaping @Sendable () -> Bool = { false }
    ) async throws -> Result {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let watch = Task {
            var isFirst = true
            for await _ in signals {
                if isFirst {
                    isFirst = false
                    await first()
                } else if !further() {
                    // Nobody waits for what a second signal interrupts.
                    _exit(1)
                }
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

/// Set by a signal, looked at by the work that it interrupts.
final class Interruption: Sendable {
    /// Of the work, and of what is left to do when it has ended.
    private let work = Atomic<Bool>(false)
    private let rest = Atomic<Bool>(false)
    private let isResting = Atomic<Bool>(false)

    var isRequested: Bool { work.load(ordering: .relaxed) }
    /// - Throws: `CancellationError` once it is requested: what was done until then stands, and the command has failed.
    func check() throws {
        if isRequested { throw CancellationError() }
    }
    /// Whether what is left to do is to be left out.
    var isRestRequested: Bool { rest.load(ordering: .relaxed) }

    /// The work has ended, interrupted or not: the next request is about the rest.
    func beginRest() { isResting.store(true, ordering: .relaxed) }

    /// - Returns: false where everything has been interrupted already.
    @discardableResult
    func request() -> Bool {
        isResting.load(ordering: .relaxed)
            ? !rest.exchange(true, ordering: .relaxed) : !work.exchange(true, ordering: .relaxed)
    }
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
        } further: {
            interruption.request()
        }
    }
}
