import Foundation
package import Logging
import SluiceAdmin
package import SluiceCore
package import SluiceLog
package import SluiceSchema
import Synchronization

/// Writes commands to the control topic and learns from the audit when they took effect: the same way for streams of
/// this instance and of others. One thread with its own clients.
package final class ControlPlane: Sendable {
    /// How long an answer is waited for.
    package static let answerSeconds = 10.0
    private static let queueMaximum = 10_000
    private static let backOffSeconds = 1.0

    package struct Clients {
        package var producer: any LogProducer
        package var reader: any LogReader

        package init(producer: any LogProducer, reader: any LogReader) {
            self.producer = producer
            self.reader = reader
        }
    }

    private struct State {
        var queue: [(command: Command, partition: Int32)] = []
        var waiting: [String: CheckedContinuation<Event?, any Error>] = [:]
        var ends: [Int32: Offset] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())
    private let topics: TopicPlan
    private let eventsPartitions: Int
    private let inputPartitions: Int
    private let logger: Logger
    private let onEvent: @Sendable (Event) -> Void
    private let makeClients: @Sendable () throws -> Clients

    /// - Parameter onEvent: called on the control thread with the latest records of the audit, then with each as it
    ///   comes; again with some of them after a broker was away.
    package init(
        topics: TopicPlan, inputPartitions: Int, eventsPartitions: Int, logger: Logger,
        onEvent: @escaping @Sendable (Event) -> Void = { _ in },
        makeClients: @escaping @Sendable () throws -> Clients
    ) {
        self.topics = topics
        self.inputPartitions = inputPartitions
        self.eventsPartitions = eventsPartitions
        self.logger = logger
        self.onEvent = onEvent
        self.makeClients = makeClients
    }

    package func start() {
        let thread = Thread { [self] in work() }
        thread.name = "control"
        thread.start()
    }

    /// Answers who still waits, too: the thread may be held by a broker that is away.
    package func stop() {
        let left = state.withLock { state in
            state.isStopping = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for answer in left { answer.resume(returning: nil) }
    }

    /// Ends of the input partitions, a second old at most while the broker answers.
    package var ends: [Int32: Offset] { state.withLock { $0.ends } }

    /// Writes a command for a partition without waiting for its effect.
    package func send(_ command: Command, to partition: Int32) throws {
        try state.withLock { try enqueue(command, partition, &$0) }
    }

    /// Writes a command and waits for its record on the audit; nil after ten seconds without.
    package func perform(_ command: Command, on partition: Int32) async throws -> Event? {
        // Its own clock, not the thread's: that one may wait for a broker much longer.
        let lateness = Task {
            try await Task.sleep(for: .seconds(Self.answerSeconds))
            answer(command.id, nil)
        }
        defer { lateness.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                try state.withLock { state in
                    try enqueue(command, partition, &state)
                    state.waiting[command.id] = continuation
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func enqueue(_ command: Command, _ partition: Int32, _ state: inout State) throws {
        guard !state.isStopping, state.queue.count < Self.queueMaximum else {
            throw SluiceError(
                .delivery, "commands cannot be taken now", remedy: "try again when the broker answers", retry: .later)
        }
        state.queue.append((command, partition))
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func work() {
        while !isStopping {
            do {
                try serve(try makeClients())
            } catch {
                logger.warning("the control plane restarts", metadata: ["error": "\(error)"])
                Thread.sleep(forTimeInterval: Self.backOffSeconds)
            }
        }
    }

    private func serve(_ clients: Clients) throws {
        defer {
            clients.reader.close()
            clients.producer.close()
        }
        var positions: [TopicPartition: Offset] = [:]
        for partition in 0..<Int32(eventsPartitions) {
            let key = TopicPartition(topic: topics.events, partition: partition)
            let ends = try clients.reader.watermarks(key, timeoutMilliseconds: 5_000)
            positions[key] = max(ends.low, ends.high - Offset(AuditFeed.historyMaximum))
        }
        try clients.reader.assign(positions)
        let messages = try MessageDecoder()
        var endsDue = Date.distantPast
        while !isStopping {
            try produceQueued(clients.producer)
            try clients.reader.poll(timeoutMilliseconds: 50, limit: 1_000) { _, record in
                if let event = try? messages.event(record.value) {
                    answer(event.id, event)
                    onEvent(event)
                }
            }
            if Date() >= endsDue {
                try refreshEnds(clients.reader)
                endsDue = Date(timeIntervalSinceNow: 1)
            }
        }
    }

    private func produceQueued(_ producer: any LogProducer) throws {
        let queued = state.withLock { state in
            defer { state.queue = [] }
            return state.queue
        }
        guard !queued.isEmpty else { return }
        var batch = OutputBatch()
        for (command, partition) in queued {
            let value = command.encode(into: &batch.arena)
            var key: Range<Int>?
            if case .stream(let stream) = command.target {
                let start = batch.arena.count
                batch.arena.append(stream)
                key = start..<batch.arena.count
            }
            batch.entries.append(OutputBatch.Entry(topic: .control, partition: partition, key: key, value: value))
        }
        var produced = 0
        while produced < batch.entries.count && !isStopping {
            produced = try producer.produce(batch, from: produced)
            try producer.poll(timeoutMilliseconds: produced < batch.entries.count ? 100 : 0)
        }
        _ = try producer.flush(timeoutMilliseconds: 5_000)
    }

    private func answer(_ id: String, _ event: Event?) {
        state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: event)
    }

    private func refreshEnds(_ reader: any LogReader) throws {
        var ends: [Int32: Offset] = [:]
        for partition in 0..<Int32(inputPartitions) {
            let key = TopicPartition(topic: topics.input, partition: partition)
            ends[partition] = try reader.watermarks(key, timeoutMilliseconds: 5_000).high
        }
        state.withLock { $0.ends = ends }
    }
}
