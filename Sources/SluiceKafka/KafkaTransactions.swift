internal import Dispatch
internal import Foundation
package import Logging
package import SluiceCore
package import SluiceLog
internal import Synchronization

/// `TransactionalProducer` over librdkafka's transactional producer.
///
/// librdkafka's calls block, so they run on a thread of their own, the commit thread, which owns the handle. One call
/// at a time, in bounded steps; each ends with an answer. `transaction.timeout.ms` (10 s unless the user says
/// otherwise) bounds what one transaction may take.
package final class KafkaTransactions: TransactionalProducer {
    package let messageBytesMax: Int
    private let thread: CommitThread

    /// Connects to nobody yet: `initialise` does.
    /// - Parameters:
    ///   - id: `transactional.id`; of two producers with the same one the later fences the earlier.
    ///   - input: the topic that the positions belong to.
    ///   - isAlone: every record goes in a batch of its own, uncompressed, so that a refusal says of which one.
    /// - Throws: `configuration-invalid`.
    package init(
        _ configuration: KafkaConfiguration, id: String, input: String, topics: [OutputTopic: String],
        isAlone: Bool = false, health: KafkaHealth, logger: Logger
    ) throws {
        let client = try TransactionClient(
            configuration, id: id, input: input, topics: topics, isAlone: isAlone, health: health, logger: logger)
        messageBytesMax = client.messageBytesMax
        thread = CommitThread(client, logger: logger)
        thread.start(named: id)
    }

    deinit { close() }

    package func start(_ call: TransactionCall) { thread.hand(call) }
    package func answer() -> TransactionAnswer? { thread.takeAnswer() }
    package func changelogEnd(_ partition: Int32) -> Offset? { thread.changelogEnd(partition) }
    package func onAnswer(_ body: @escaping @Sendable () -> Void) { thread.onAnswer(body) }
    package func close() { thread.close() }
}

/// Waits for brokers in place of the worker. A handle is destroyed by the thread that used it, after its last call.
private final class CommitThread: Sendable {
    /// How long `close` waits. A thread that is inside a call then goes on, destroys the handle when the call returns,
    /// and ends; it is of no harm, because a successor of the same name fences it.
    private static let closeSeconds = 2
    /// Errors of an idle handle are served so often, or they would pile up.
    private static let idleMilliseconds = 1_000

    private struct State {
        var call: TransactionCall?
        var answer: TransactionAnswer?
        var changelogEnds: [Int32: Offset] = [:]
        var onAnswer: (@Sendable () -> Void)?
        /// When the call under way was handed over.
        var began: ContinuousClock.Instant?
        /// A call has not returned in its time; what it may still say is not heard.
        var isGivenUp = false
    }

    private let client: TransactionClient
    private let logger: Logger
    private let state = Mutex(State())
    private let handed = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ client: TransactionClient, logger: Logger) {
        self.client = client
        self.logger = logger
    }

    func start(named name: String) {
        let thread = Thread { [self] in work() }
        thread.name = "commit-\(name)"
        thread.start()
    }

    private func work() {
        while !client.isClosing.load(ordering: .acquiring) {
            guard handed.wait(timeout: .now() + .milliseconds(Self.idleMilliseconds)) == .success else {
                client.serve()
                continue
            }
            guard let call = state.withLock({ $0.call.take() }) else { continue }
            let answer = client.perform(call)
            let ends = client.changelogEnds
            let told = state.withLock { state in
                if !state.isGivenUp { state.answer = answer }
                state.changelogEnds = ends
                return state.onAnswer
            }
            told?()
        }
        client.close()
        ended.signal()
    }

    func hand(_ call: TransactionCall) {
        state.withLock { state in
            precondition(state.began == nil, "one call at a time")
            state.began = .now
            state.call = call
        }
        handed.signal()
    }

    /// Also where a call does not return: librdkafka 2.0 waits without a limit for the group's coordinator
    /// (`rdkafka_coord.c`, whose `creq_ts_timeout` nobody reads).
    func takeAnswer() -> TransactionAnswer? {
        state.withLock { state in
            guard let began = state.began else { return nil }
            if let answer = state.answer.take() {
                state.began = nil
                return answer
            }
            guard .now - began > client.answerLimit else { return nil }
            state.began = nil
            state.isGivenUp = true
            return .failed(
                TransactionFailure(
                    .anew, SluiceError(.broker, "a call of a transaction does not return", retry: .fatal)))
        }
    }

    func changelogEnd(_ partition: Int32) -> Offset? {
        state.withLock { $0.changelogEnds[partition] }.flatMap { $0 < 0 ? nil : $0 }
    }

    func onAnswer(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onAnswer = body } }

    func close() {
        guard !client.isClosing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        handed.signal()
        guard ended.wait(timeout: .now() + .seconds(Self.closeSeconds)) == .timedOut else { return }
        logger.notice("a transactional producer ends in the background: it waits for a broker's answer")
    }
}
