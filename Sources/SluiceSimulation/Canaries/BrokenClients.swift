import SluiceCore
import SluiceLog

/// Says that all is delivered when it is only handed over.
final class HastyProducer: LogProducer {
    private let producer: SimulatedProducer

    init(_ producer: SimulatedProducer) { self.producer = producer }

    func produce(_ batch: inout OutputBatch) throws -> Bool { try producer.produce(&batch) }
    func poll(timeoutMilliseconds: Int) throws { try? producer.poll(timeoutMilliseconds: timeoutMilliseconds) }
    func flush(timeoutMilliseconds: Int) throws -> Bool {
        try producer.poll(timeoutMilliseconds: 0)
        return true
    }
    var isMarkDelivered: Bool { true }
    var pending: Int { 0 }
    var messageBytesMax: Int { producer.messageBytesMax }
    var messagesMaximum: Int { producer.messagesMaximum }
    func close() { producer.close() }
}

/// Gives some records the key of the one before them.
final class MixingConsumer: LogConsumer {
    private let consumer: SimulatedConsumer
    private var count = 0

    init(_ consumer: SimulatedConsumer) { self.consumer = consumer }

    func subscribe(_ listener: any RebalanceListener) throws { try consumer.subscribe(listener) }
    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Void) throws {
        try consumer.poll(timeoutMilliseconds: timeoutMilliseconds, limit: limit) { records in
            var mixed = Array(records)
            for index in mixed.indices.dropFirst() where mixed[index].key.count > 0 {
                count += 1
                if count.isMultiple(of: 5) { mixed[index].key = mixed[index - 1].key }
            }
            try mixed.withUnsafeBufferPointer(body)
        }
    }
    func start(partition: Int32, at offset: Offset) throws { try consumer.start(partition: partition, at: offset) }
    func pause(_ partitions: [Int32]) throws { try consumer.pause(partitions) }
    func resume(_ partitions: [Int32]) throws { try consumer.resume(partitions) }
    func committed(_ partitions: [Int32], timeoutMilliseconds: Int) throws -> [CommittedPosition] {
        try consumer.committed(partitions, timeoutMilliseconds: timeoutMilliseconds)
    }
    func startCommit(_ positions: [CommittedPosition]) throws { try consumer.startCommit(positions) }
    func isCommitAnswered(timeoutMilliseconds: Int) throws -> Bool {
        try consumer.isCommitAnswered(timeoutMilliseconds: timeoutMilliseconds)
    }
    func watermarks(partition: Int32, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        try consumer.watermarks(partition: partition, timeoutMilliseconds: timeoutMilliseconds)
    }
    func membership() throws -> GroupMembership { try consumer.membership() }
    func wake() { consumer.wake() }
    func close() { consumer.close() }
}

/// A reader as it is, for others to break.
class ForwardingReader: LogReader {
    private let reader: SimulatedReader

    init(_ reader: SimulatedReader) { self.reader = reader }

    func assign(_ wanted: [TopicPartition: Offset]) throws { try reader.assign(wanted) }
    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void) throws {
        try reader.poll(timeoutMilliseconds: timeoutMilliseconds, limit: limit, body)
    }
    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        try reader.watermarks(partition, timeoutMilliseconds: timeoutMilliseconds)
    }
    func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> Offset {
        try reader.highWatermark(partition, timeoutMilliseconds: timeoutMilliseconds)
    }
    func position(_ partition: TopicPartition) -> Offset? { reader.position(partition) }
    func offset(
        _ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int
    ) throws -> Offset? {
        try reader.offset(partition, at: time, timeoutMilliseconds: timeoutMilliseconds)
    }
    func onArrival(_ body: @escaping @Sendable () -> Void) { reader.onArrival(body) }
    func close() { reader.close() }
}

/// Knows no position but that of the last record: marks and aborted records behind it are never passed.
final class ShortReader: ForwardingReader {
    private var positions: [TopicPartition: Offset] = [:]

    override func assign(_ wanted: [TopicPartition: Offset]) throws {
        positions = wanted
        try super.assign(wanted)
    }
    override func poll(
        timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void
    ) throws {
        try super.poll(timeoutMilliseconds: timeoutMilliseconds, limit: limit) { topic, record in
            positions[TopicPartition(topic: topic, partition: record.partition)] = record.offset + 1
            try body(topic, record)
        }
    }
    override func position(_ partition: TopicPartition) -> Offset? { positions[partition] }
}

/// Reads the audit as if it were empty.
final class ForgetfulReader: ForwardingReader {
    override func poll(
        timeoutMilliseconds: Int, limit: Int, _ body: (_ topic: String, LogRecord) throws -> Void
    ) throws {
        try super.poll(timeoutMilliseconds: timeoutMilliseconds, limit: limit) { topic, record in
            if topic != Topics.events { try body(topic, record) }
        }
    }
}
