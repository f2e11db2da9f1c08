import Foundation
package import Logging
import SluiceCore
package import SluiceEngine
import Synchronization

/// Runs one worker on a thread of its own, and a new one after a failure that a retry can mend.
package final class WorkerThread: Sendable {
    private static let backOffSeconds = [1.0, 2, 5, 10, 30]

    package let mailbox: WorkerMailbox
    private let index: Int
    private let logger: Logger
    private let departure: Departure
    private let makeWorker: @Sendable (WorkerMailbox) throws -> Worker
    private let ended = Mutex<(isOver: Bool, waiting: [CheckedContinuation<Void, any Error>], error: (any Error)?)>(
        (false, [], nil))

    package init(
        index: Int, logger: Logger, departure: Departure,
        makeWorker: @escaping @Sendable (WorkerMailbox) throws -> Worker
    ) {
        self.index = index
        self.logger = logger
        self.departure = departure
        self.makeWorker = makeWorker
        mailbox = WorkerMailbox {
            departure.settled(index)
            departure.wait()
        }
    }

    package func start() {
        let thread = Thread { [self] in work() }
        thread.name = "worker-\(index)"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Returns when the worker has stopped, by request or for good.
    package func wait() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let result: Result<Void, any Error>? = ended.withLock { state in
                guard state.isOver else {
                    state.waiting.append(continuation)
                    return nil
                }
                return state.error.map { .failure($0) } ?? .success(())
            }
            if let result { continuation.resume(with: result) }
        }
    }

    private func work() {
        var failures = 0
        var last: (any Error)?
        while !mailbox.isStopping {
            let began = Date()
            do {
                try makeWorker(mailbox).run()
                last = nil
            } catch {
                last = error
                guard let known = error as? SluiceError, known.retry != .never else { break }
                failures = began.timeIntervalSinceNow < -60 ? 0 : failures
                pause(Self.backOffSeconds[min(failures, Self.backOffSeconds.count - 1)], after: known)
                failures += 1
            }
        }
        mailbox.close()
        departure.settled(index)
        let error = mailbox.isStopping && (last as? SluiceError)?.retry != .never ? nil : last
        let waiting = ended.withLock { state in
            state.isOver = true
            state.error = error
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting {
            if let error { continuation.resume(throwing: error) } else { continuation.resume() }
        }
    }

    private func pause(_ seconds: Double, after error: SluiceError) {
        logger.warning(
            "worker restarts", metadata: ["worker": "\(index)", "error": "\(error)", "seconds": "\(seconds)"])
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end && !mailbox.isStopping { Thread.sleep(forTimeInterval: 0.1) }
    }
}
