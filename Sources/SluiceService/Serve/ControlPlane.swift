import Foundation
package import Logging
import SluiceAdmin
package import SluiceCore
package import SluiceLog
package import SluiceSchema
import Synchronization

/// Writes commands to the control topic and learns from the audit when they took effect: the same way for streams of
/// this instance and of others. One thread with its own clients.
///
/// A command stays queued until the broker has it: clients that fail are made anew and produce it again, and a stop
/// waits for it a little. Its id makes it one command however often it is written. One that the broker does not confirm
/// in time is given up, and its caller gets an error: without an error a command is in the log.
package final class ControlPlane: Sendable {
    /// How long an answer is waited for, and how long a stop waits for what is queued.
    package struct Patience: Sendable {
        package var answer: Duration = .seconds(10)
        package var stop: Duration = .seconds(5)
    }

    private static let backOffSeconds = 1.0
    private static let flushMilliseconds = 100
    /// Bytes of a message besides key and value, amply.
    private static let recordOverhead = 128

    package struct Clients {
        package var producer: any LogProducer
        package var reader: any LogReader

        package init(producer: any LogProducer, reader: any LogReader) {
            self.producer = producer
            self.reader = reader
        }
    }

    private struct State {
        var queue = CommandQueue()
        var ends: [Int32: Offset] = [:]
        /// When a stop no longer waits for what is queued; nil before one.
        var stopsAt: ContinuousClock.Instant?
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let topics: TopicPlan
    private let eventsPartitions: Int
    private let inputPartitions: Int
    private let logger: Logger
    private let patience: Patience
    private let onEvent: @Sendable (Event) -> Void
    private let makeClients: @Sendable () throws -> Clients

    /// - Parameter onEvent: called on the control thread with the latest records of the audit, then with each as it
    ///   comes; again with some of them after a broker was away.
    package init(
        topics: TopicPlan, inputPartitions: Int, eventsPartitions: Int, logger: Logger, patience: Patience = Patience(),
        onEvent: @escaping @Sendable (Event) -> Void = { _ in },
        makeClients: @escaping @Sendable () throws -> Clients
    ) {
        self.topics = topics
        self.inputPartitions = inputPartitions
        self.eventsPartitions = eventsPartitions
        self.logger = logger
        self.patience = patience
        self.onEvent = onEvent
        self.makeClients = makeClients
    }

    package func start() {
        let thread = Thread { [self] in work() }
        thread.name = "control"
        thread.start()
    }

    /// Takes no more commands, and ends when what is queued is written or a few seconds are over.
    package func stop() {
        let isFirst = state.withLock { state in
            guard state.stopsAt == nil else { return false }
            state.stopsAt = .now + patience.stop
            return true
        }
        guard isFirst else { return }
        // Its own clock, not the thread's: a call to the broker may hold that one longer.
        Task {
            try? await Task.sleep(for: patience.stop)
            end()
        }
    }

    /// Returns when it has stopped.
    package func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    /// Ends of the input partitions, a second old at most while the broker answers.
    package var ends: [Int32: Offset] { state.withLock { $0.ends } }

    /// Writes a command for some partitions, without waiting for its effect.
    ///
    /// - Throws: `delivery`, to be tried again, when the broker does not have it on all of them within ten seconds.
    package func record(_ command: Command, on partitions: [Int32]) async throws {
        guard !partitions.isEmpty else { return }
        _ = try await submit(command, partitions, awaitsEffect: false)
    }

    /// Writes a command and waits for its record on the audit; nil when that has not come ten seconds later, although
    /// the broker has the command.
    ///
    /// - Throws: `delivery`, to be tried again, when the broker does not have it by then; `command-refused` where the
    ///   record says that it takes no effect.
    package func perform(_ command: Command, on partition: Int32) async throws -> Event? {
        let event = try await submit(command, [partition], awaitsEffect: true)
        if let event, event.type == .refused { throw Problem(.commandRefused, event.cause ?? "it says no reason") }
        return event
    }

    private func submit(_ command: Command, _ partitions: [Int32], awaitsEffect: Bool) async throws -> Event? {
        // Its own clock, as in `stop`.
        let lateness = Task {
            try await Task.sleep(for: patience.answer)
            giveUp(command.id)
        }
        defer { lateness.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let caller = CommandQueue.Caller(awaitsEffect: awaitsEffect, answer: continuation)
            let isTaken = state.withLock { state in
                state.stopsAt == nil && state.queue.add(command, on: partitions, for: caller)
            }
            if !isTaken { continuation.resume(throwing: Self.refusal("commands are not taken now")) }
        }
    }

    private static func refusal(_ message: String) -> SluiceError {
        SluiceError(.delivery, message, remedy: "try again when /readyz says that the service is ready", retry: .later)
    }

    private func giveUp(_ id: String) {
        let caller = state.withLock { $0.queue.withdraw(id) }
        caller?.dismiss(Self.refusal("the broker has not confirmed the command in time: it is given up"))
    }

    /// Until a stop, and then until what is queued is written, for as long as the stop waits.
    private var goesOn: Bool {
        state.withLock { state in state.stopsAt.map { !state.queue.isEmpty && .now < $0 } ?? true }
    }

    private func work() {
        while goesOn {
            do {
                try serve(try makeClients())
            } catch {
                logger.warning("the control plane restarts", metadata: ["error": "\(error)"])
                let end = Date(timeIntervalSinceNow: Self.backOffSeconds)
                while goesOn && Date() < end { Thread.sleep(forTimeInterval: 0.05) }
            }
        }
        end()
    }

    private func end() {
        let (callers, waiting) = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return (state.queue.withdrawAll(), state.waiting)
        }
        for caller in callers {
            caller.dismiss(
                Self.refusal("the service stops, and the broker has not confirmed the command: it is given up"))
        }
        for waiter in waiting { waiter.resume() }
    }

    private func serve(_ clients: Clients) throws {
        defer {
            clients.reader.close()
            clients.producer.close()
            state.withLock { $0.queue.producerClosed() }
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
        // Closing a producer is what takes back a command that it holds.
        while goesOn, !state.withLock({ $0.queue.isProducerStale }) {
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

    /// Hands over what is new, and takes out of the queue what the broker has.
    private func produceQueued(_ producer: any LogProducer) throws {
        refuseLarge(producer.messageBytesMax)
        let fresh = state.withLock { $0.queue.takeFresh() }
        if !fresh.isEmpty {
            var batch = Self.batch(fresh)
            let end = Date(timeIntervalSinceNow: Double(Self.flushMilliseconds) / 1_000)
            while try !producer.produce(&batch), Date() < end { try producer.poll(timeoutMilliseconds: 5) }
            // What it has taken of those behind comes twice then, and takes effect once: it has its id.
            if !batch.isHandedOver { state.withLock { $0.queue.putBack(from: fresh[batch.next]) } }
        }
        guard state.withLock({ $0.queue.hasHanded }) else { return }
        guard try producer.flush(timeoutMilliseconds: Self.flushMilliseconds) else { return }
        for caller in state.withLock({ $0.queue.handedAreRecorded() }) { caller.answer.resume(returning: nil) }
    }

    /// No producer would take them: they would be in the way of all others.
    private func refuseLarge(_ maximum: Int) {
        let refused = state.withLock { state in
            state.queue.takeLarge { Self.batch([$0]).arena.count + Self.recordOverhead > maximum }
        }
        for caller in refused {
            caller.answer.resume(
                throwing: Problem(
                    .bodyTooLarge,
                    "the command has more bytes than a message of \(topics.control) may have: \(maximum) "
                        + "(message.max.bytes)"))
        }
    }

    private static func batch(_ entries: [CommandQueue.Entry]) -> OutputBatch {
        var batch = OutputBatch()
        for entry in entries {
            let value = entry.command.encode(into: &batch.arena)
            var key: Range<Int>?
            if case .stream(let stream) = entry.command.target {
                let start = batch.arena.count
                batch.arena.append(stream)
                key = start..<batch.arena.count
            }
            batch.entries.append(OutputBatch.Entry(topic: .control, partition: entry.partition, key: key, value: value))
        }
        return batch
    }

    private func answer(_ id: String, _ event: Event) {
        state.withLock { $0.queue.tookEffect(id) }?.answer.resume(returning: event)
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
