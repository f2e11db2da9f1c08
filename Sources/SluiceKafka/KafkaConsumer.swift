internal import CLibrdkafka
package import Logging
package import SluiceCore
package import SluiceLog
internal import Synchronization

/// A group member on one input topic: `LogConsumer` over librdkafka's balanced consumer.
///
/// A rebalance callback assigns at once, paused and behind a gate of its own, and returns; `start` opens the gate at an
/// offset by a seek that the next `poll` performs. Whatever librdkafka still delivers of a partition that is gated,
/// paused or revoked is dropped, and so is what lies before the position. Memory: prefetched records stay under
/// `queued.max.messages.kbytes` plus one fetch. Cooperative and eager assignment both work.
@safe
package final class KafkaConsumer: LogConsumer {
    package let topic: String
    let handle: KafkaHandle
    let queue: OpaquePointer
    /// Asks for watermarks while records are fetched.
    let asking: QuietHandle
    /// By partition number.
    var gates: [Gate] = []
    /// Some gate is `starting`.
    var hasStarts = false
    weak var listener: (any RebalanceListener)?
    private var hasSubscribed = false
    /// librdkafka has called back with an assignment, be it an empty one.
    var hasBeenAssigned = false
    /// librdkafka has been told, while leaving, that nothing is assigned any more.
    var hasUnassigned = false
    /// How long leaving waits for a first assignment that is under way.
    private static let firstAssignmentMilliseconds = 5_000
    /// How long leaving the group may take, besides what the last revocation does.
    private static let leaveMilliseconds = 10_000
    private var batch = MessageBatch(capacity: Limits.batchRecords)
    private var prefetch: Prefetch
    let waker: QueueWaker
    /// Where the answer to the commit under way arrives.
    var answers: OpaquePointer?

    /// - Parameters:
    ///   - group: the consumer group.
    ///   - instance: identity of this member that outlives a restart (`group.instance.id`).
    package init(
        _ configuration: KafkaConfiguration, group: String, topic: String, instance: String? = nil,
        health: KafkaHealth, logger: Logger
    ) throws {
        self.topic = topic
        var owned = ["group.id": group]
        owned["group.instance.id"] = instance
        prefetch = Prefetch(try configuration.settings(.consumer))
        asking = QuietHandle(configuration, health: health, logger: logger)
        handle = try KafkaHandle(.consumer, configuration, owned: owned, health: health, logger: logger)
        // Errors of the handle, rebalances and records all come through the one queue.
        unsafe rd_kafka_poll_set_consumer(handle.pointer)
        unsafe queue = rd_kafka_queue_get_consumer(handle.pointer)
        waker = unsafe QueueWaker(queue)
        unsafe handle.context.rebalance = { [unowned self] code, partitions in unsafe rebalance(code, partitions) }
    }

    deinit { close(leaving: false) }

    package func subscribe(_ listener: any RebalanceListener) throws {
        self.listener = listener
        hasSubscribed = true
        let list = PartitionList(topic: topic, [RD_KAFKA_PARTITION_UA])
        let code = unsafe rd_kafka_subscribe(handle.pointer, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code).during("subscribing to \(topic)") }
    }

    package func poll(
        timeoutMilliseconds: Int, limit: Int, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Void
    ) throws {
        try handle.check()
        if hasStarts { try performStarts() }
        // A start that has to be tried again must not wait for records of others.
        let timeout = hasStarts ? min(timeoutMilliseconds, Self.startRetryMilliseconds) : timeoutMilliseconds
        unsafe batch.receive(queue, timeoutMilliseconds: timeout, limit: limit)
        defer { batch.release() }
        unsafe prefetch.took(batch, from: queue, handle) { openEnds }
        let failure = admit(&gates)
        if batch.kept > 0 { try unsafe body(batch.keptRecords) }
        if let failure { throw failure }
        try handle.check()
    }

    private var openEnds: PartitionList {
        let list = PartitionList(capacity: gates.count)
        for index in gates.indices where gates[index].phase == .open {
            list.add(topic, Int32(index), offset: Offset(RD_KAFKA_OFFSET_END))
        }
        return list
    }

    /// Keeps the records whose gate is open, advances the positions, returns the first error among them.
    private func admit(_ gates: inout [Gate]) -> SluiceError? {
        var failure: SluiceError?
        var current: Int32 = -1
        var gate = Gate()
        for index in 0..<batch.count {
            let message = unsafe batch[index]
            let partition = unsafe message.pointee.partition
            if partition != current {
                if current >= 0 { gates[Int(current)] = gate }
                current = partition
                if current >= 0 {
                    grow(&gates, to: partition)
                    gate = gates[Int(partition)]
                }
            }
            if unsafe message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                guard unsafe gate.phase == .open && message.pointee.offset > gate.next else { continue }
                if gate.isProven { unsafe gate.next = message.pointee.offset } else { askOnceMore(&gate) }
            } else if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                let error = unsafe self.failure(message, &gate)
                failure = failure ?? error
            } else if unsafe gate.phase == .open && message.pointee.offset >= gate.next {
                if unsafe !gate.isProven && message.pointee.offset > gate.next {
                    askOnceMore(&gate)
                    continue
                }
                gate.isProven = true
                unsafe batch.keep(message)
                unsafe gate.next = message.pointee.offset + 1
            }
        }
        if current >= 0 { gates[Int(current)] = gate }
        return failure
    }

    /// Marks of transactions leave gaps, and so would a seek that went wrong.
    private func askOnceMore(_ gate: inout Gate) {
        gate.phase = .starting
        gate.isProven = true
        hasStarts = true
    }

    /// The error of a partition or of the subscription; nil when it concerns what is not delivered anyway.
    private func failure(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ gate: inout Gate) -> SluiceError? {
        let partition = unsafe message.pointee.partition
        let code = unsafe message.pointee.err
        let text = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) }
        let cause = KafkaError(code, text)
        guard partition >= 0 else {
            if code == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED {
                // The listener is told of the loss.
                handle.context.logger.warning("\(cause.message)")
                return nil
            }
            return cause.during("consuming \(topic)")
        }
        guard gate.phase == .open else { return nil }
        if code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE {
            gate.phase = .gated
            return SluiceError(
                .offsetOutOfRange, "\(topic)/\(partition): offset \(gate.next) is not in the log",
                remedy: "the worker restores the partition anew, from what the log still holds", retry: .fatal,
                cause: cause)
        }
        return cause.during("consuming \(topic)/\(partition)")
    }

    package func position(_ partition: Int32) -> Offset? {
        guard gates.indices.contains(Int(partition)) else { return nil }
        let gate = gates[Int(partition)]
        return switch gate.phase {
        case .open, .paused: gate.next
        case .foreign, .gated, .starting: nil
        }
    }

    package func wake() { waker.wake() }

    package func close() { close(leaving: true) }

    private func close(leaving: Bool) {
        guard let pointer = unsafe handle.pointer else { return }
        waker.disarm()
        asking.close()
        defer { forgetCommit() }
        guard awaitFirstAssignment() else {
            // Left behind on purpose, with its threads: the process would abort otherwise.
            handle.context.logger.warning("a consumer that never joined its group is abandoned")
            handle.abandon()
            gates = []
            return
        }
        if leaving, unsafe !leave(pointer) {
            handle.context.logger.warning("leaving the group took too long: the consumer is abandoned")
            unsafe handle.context.rebalance = nil
            handle.abandon()
            gates = []
            return
        }
        unsafe rd_kafka_queue_destroy(queue)
        unsafe handle.context.rebalance = nil
        handle.close()
        gates = []
    }

    /// Serves the last revocation through the callback; false when the group is not left in time. librdkafka before 2.4
    /// may wait for ever where the member is joining anew (confluentinc/librdkafka, issue 4527).
    private func leave(_ pointer: OpaquePointer) -> Bool {
        let served = unsafe rd_kafka_queue_new(pointer)
        defer { unsafe rd_kafka_queue_destroy(served) }
        guard let served = unsafe served else { return false }
        if let error = unsafe rd_kafka_consumer_close_queue(pointer, served) {
            let cause = unsafe KafkaError(consuming: error)
            handle.context.logger.warning("leaving the group failed", metadata: ["error": "\(cause)"])
            return true
        }
        unsafe handle.context.rebalance = { [unowned self] in unsafe rebalanceWhileLeaving($0, $1) }
        var left = Self.leaveMilliseconds
        while unsafe rd_kafka_consumer_closed(pointer) == 0 && left > 0 {
            unsafe batch.receive(served, timeoutMilliseconds: 50, limit: 1)
            batch.release()
            left -= 50
        }
        return unsafe rd_kafka_consumer_closed(pointer) != 0
    }

    /// librdkafka before 2.3 aborts the process when a member of a cooperative-sticky group is destroyed between
    /// joining and its first assignment (confluentinc/librdkafka, issue 4312): such a member is waited for.
    private func awaitFirstAssignment() -> Bool {
        guard hasSubscribed, rd_kafka_version() < 0x0203_00FF else { return true }
        var left = Self.firstAssignmentMilliseconds
        while !hasBeenAssigned && isCooperative && left > 0 {
            unsafe batch.receive(queue, timeoutMilliseconds: 50, limit: 1)
            batch.release()
            left -= 50
        }
        return hasBeenAssigned || !isCooperative
    }
}

/// Whether a partition's records are delivered, and from where.
struct Gate {
    enum Phase {
        /// Owned by someone else.
        case foreign
        /// Owned; nothing delivered before `start`.
        case gated
        /// To be sought at `next`.
        case starting
        case open
        case paused
    }
    var phase = Phase.foreign
    /// The offset of the next record to be delivered.
    var next: Offset = 0
    /// The first record behind a start was the one at `next`, or the broker was asked twice.
    var isProven = false
    /// Seeks tried in vain for the present start.
    var attempts = 0
}

@inline(__always)
func grow(_ gates: inout [Gate], to partition: Int32) {
    while gates.count <= Int(partition) { gates.append(Gate()) }
}
