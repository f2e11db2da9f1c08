internal import CLibrdkafka
package import Logging
package import SluiceCore
package import SluiceLog

/// Reads named partitions outside any group: `LogReader` over librdkafka's simple consumer, all partitions on one
/// queue.
///
/// No group, no coordinator, nothing committed. Memory as for `KafkaConsumer`.
@safe
package final class KafkaReader: LogReader {
    let handle: KafkaHandle
    private let queue: OpaquePointer
    /// A topic's handle and name, for as long as the reader lives.
    private var topics: [String: OpaquePointer] = unsafe [:]
    /// The next offset to be delivered of each partition that is read.
    private var positions: [TopicPartition: Offset] = [:]
    private var batch = MessageBatch(capacity: Limits.batchRecords)
    private var prefetch: Prefetch
    private var arrival: QueueEvent?
    /// Asks for watermarks while records are fetched.
    private let asking: QuietHandle
    /// Asks for the end of the log as it is, transactions under way included: what a handle is told of an end depends
    /// on its isolation.
    let undecided: QuietHandle

    package init(_ configuration: KafkaConfiguration, health: KafkaHealth, logger: Logger) throws {
        prefetch = Prefetch(try configuration.settings(.reader))
        asking = QuietHandle(configuration, health: health, logger: logger)
        undecided = QuietHandle(
            configuration, owned: ["isolation.level": "read_uncommitted"], health: health, logger: logger)
        handle = try KafkaHandle(.reader, configuration, health: health, logger: logger)
        unsafe queue = rd_kafka_queue_new(handle.pointer)
        // Errors of the handle come through the same queue as the records.
        let main = unsafe rd_kafka_queue_get_main(handle.pointer)
        unsafe rd_kafka_queue_forward(main, queue)
        unsafe rd_kafka_queue_destroy(main)
    }

    deinit { close() }

    package func assign(_ wanted: [TopicPartition: Offset]) throws {
        for old in positions.keys {
            if let topic = unsafe topics[old.topic] { unsafe rd_kafka_consume_stop(topic, old.partition) }
        }
        positions = [:]
        for (partition, offset) in wanted {
            precondition(offset >= 0, "a start is explicit")
            let topic = try unsafe topic(partition.topic)
            if unsafe rd_kafka_consume_start_queue(topic, partition.partition, offset, queue) != 0 {
                throw KafkaError(rd_kafka_last_error()).during("reading \(partition)")
            }
            positions[partition] = offset
        }
    }

    private func topic(_ name: String) throws -> OpaquePointer {
        if let known = unsafe topics[name] { return unsafe known }
        guard let made = unsafe rd_kafka_topic_new(handle.pointer, name, nil) else {
            throw KafkaError(rd_kafka_last_error()).during("opening topic \(name)")
        }
        unsafe topics[name] = made
        return unsafe made
    }

    package func poll(
        timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void
    ) throws {
        try handle.check()
        unsafe batch.receive(queue, timeoutMilliseconds: timeoutMilliseconds, limit: limit)
        defer { batch.release() }
        unsafe prefetch.took(batch, from: queue, handle) { ends }
        // Records come in runs of one partition: its position is looked up once a run.
        var current: (handle: OpaquePointer, partition: TopicPartition)?
        var next: Offset?
        defer { if let current = unsafe current { unsafe note(current.partition, next) } }
        for index in 0..<batch.count {
            let message = unsafe batch[index]
            guard let topic = unsafe message.pointee.rkt else {
                throw unsafe KafkaError(message.pointee.err).during("reading")
            }
            if unsafe current?.handle != topic || current?.partition.partition != message.pointee.partition {
                if let current = unsafe current { unsafe note(current.partition, next) }
                let name = unsafe String(cString: rd_kafka_topic_name(topic))
                let partition = unsafe TopicPartition(topic: name, partition: message.pointee.partition)
                unsafe current = unsafe (topic, partition)
                next = positions[partition]
            }
            guard let position = next, let partition = unsafe current?.partition else { continue }
            if unsafe message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                next = unsafe max(position, message.pointee.offset)
                continue
            }
            if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw unsafe failure(message, partition, position)
            }
            guard unsafe message.pointee.offset >= position else { continue }
            next = unsafe message.pointee.offset + 1
            try body(partition.topic, unsafe MessageBatch.record(message))
        }
        try handle.check()
    }

    private var ends: PartitionList {
        let list = PartitionList(capacity: positions.count)
        for partition in positions.keys {
            list.add(partition.topic, partition.partition, offset: Offset(RD_KAFKA_OFFSET_END))
        }
        return list
    }

    private func note(_ partition: TopicPartition, _ next: Offset?) {
        if let next { positions[partition] = next }
    }

    private func failure(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ partition: TopicPartition, _ position: Offset
    ) -> SluiceError {
        let code = unsafe message.pointee.err
        let cause = unsafe KafkaError(code, rd_kafka_message_errstr(message).map { unsafe String(cString: $0) })
        guard code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE else {
            return cause.during("reading \(partition)")
        }
        return SluiceError(
            .offsetOutOfRange, "\(partition): offset \(position) is not in the log",
            remedy: "reading begins anew from what the log still holds; if this comes again, keep the topic's records "
                + "for longer", retry: .fatal, cause: cause)
    }

    package func position(_ partition: TopicPartition) -> Offset? { positions[partition] }

    /// A handle on which no answer waits behind a fetch.
    func idleHandle() throws -> KafkaHandle { positions.isEmpty ? handle : try asking.opened() }

    package func onArrival(_ body: @escaping @Sendable () -> Void) {
        arrival = nil
        unsafe arrival = QueueEvent(queue, body)
    }

    package func close() {
        guard unsafe handle.pointer != nil else { return }
        arrival = nil
        for partition in positions.keys {
            if let topic = unsafe topics[partition.topic] { unsafe rd_kafka_consume_stop(topic, partition.partition) }
        }
        positions = [:]
        unsafe topics.values.forEach { unsafe rd_kafka_topic_destroy($0) }
        unsafe topics = [:]
        unsafe rd_kafka_queue_destroy(queue)
        asking.close()
        undecided.close()
        handle.close()
    }
}
