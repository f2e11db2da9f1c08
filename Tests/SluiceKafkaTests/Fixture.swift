import Logging
import SluiceCore
import SluiceLog
import Synchronization

@testable import SluiceKafka

/// One embedded broker for the whole suite: a group's first join waits three seconds, a broker's start is quick.
enum Fixture {
    static let broker: EmbeddedBroker = {
        do { return try EmbeddedBroker(logger: quiet) } catch { preconditionFailure("\(error)") }
    }()
    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    static let health = KafkaHealth(logger: quiet)

    static func configuration(_ broker: EmbeddedBroker = broker, _ more: [String: String] = [:]) throws
        -> KafkaConfiguration
    {
        try KafkaConfiguration(["bootstrap.servers": broker.bootstrap].merging(more) { $1 }).adapted(
            toCluster: "mockCluster")
    }

    static func producer(_ topic: String, _ more: [String: String] = [:], on broker: EmbeddedBroker = broker) throws
        -> KafkaProducer
    {
        try KafkaProducer(configuration(broker, more), topics: [.predictions: topic], health: health, logger: quiet)
    }

    static func consumer(
        _ topic: String, group: String, _ more: [String: String] = [:], on broker: EmbeddedBroker = broker
    ) throws -> KafkaConsumer {
        try KafkaConsumer(configuration(broker, more), group: group, topic: topic, health: health, logger: quiet)
    }

    static func reader(_ more: [String: String] = [:], on broker: EmbeddedBroker = broker) throws -> KafkaReader {
        try KafkaReader(configuration(broker, more), health: health, logger: quiet)
    }

    /// Produces values and waits for their delivery.
    static func produce(_ values: [String], to topic: String, partition: Int32 = 0, on broker: EmbeddedBroker = broker)
        throws
    {
        let producer = try producer(topic, on: broker)
        defer { producer.close() }
        var batch = OutputBatch()
        for value in values { batch.add(value: value, partition: partition) }
        let taken = try producer.produce(&batch)
        let flushed = try producer.flush(timeoutMilliseconds: 10_000)
        precondition(taken && flushed)
    }
}

extension OutputBatch {
    mutating func add(
        _ topic: OutputTopic = .predictions, key: String? = nil, value: String?, partition: Int32 = 0,
        timestamp: EpochMilliseconds = 0, headers: [(String, String)] = []
    ) {
        func append(_ text: String) -> Range<Int> {
            let start = arena.count
            arena.append(text)
            return start..<arena.count
        }
        let first = self.headers.count
        for (name, value) in headers { self.headers.append(Header(name: name, value: append(value))) }
        entries.append(
            Entry(
                topic: topic, partition: partition, timestamp: timestamp, key: key.map(append),
                value: value.map(append),
                headers: first..<self.headers.count))
    }
}

/// A record copied out of the client's memory.
struct Copy: Equatable {
    var partition: Int32
    var offset: Offset
    var timestamp: EpochMilliseconds
    var key: String?
    var value: String?
    var boundary: String?

    init(_ record: LogRecord) {
        func text(_ bytes: UnsafeRawBufferPointer) -> String? {
            bytes.baseAddress == nil ? nil : String(decoding: bytes, as: UTF8.self)
        }
        partition = record.partition
        offset = record.offset
        timestamp = record.timestamp
        key = text(record.key)
        value = text(record.value)
        boundary = text(record.boundary)
    }
}

/// Keeps what it was told; starts newly assigned partitions where `startOffset` says, or leaves them gated.
final class Recorder: RebalanceListener {
    enum Event: Equatable {
        case assigned([Int32])
        case revoked([Int32])
        case lost([Int32])
    }
    var events: [Event] = []
    var owned: Set<Int32> = []
    var startOffset: ((Int32) -> Offset)?
    var onRevoke: (([Int32]) -> Void)?
    weak var consumer: KafkaConsumer?

    init(_ consumer: KafkaConsumer, startOffset: ((Int32) -> Offset)? = { _ in 0 }) {
        self.consumer = consumer
        self.startOffset = startOffset
    }

    func partitionsAssigned(_ partitions: [Int32]) {
        // A round that gives nothing.
        if partitions.isEmpty { return }
        events.append(.assigned(partitions.sorted()))
        owned.formUnion(partitions)
        guard let startOffset else { return }
        for partition in partitions { try? consumer?.start(partition: partition, at: startOffset(partition)) }
    }
    func partitionsRevoked(_ partitions: [Int32]) {
        events.append(.revoked(partitions.sorted()))
        onRevoke?(partitions)
        owned.subtract(partitions)
    }
    func partitionsLost(_ partitions: [Int32]) {
        events.append(.lost(partitions.sorted()))
        owned.subtract(partitions)
    }
}

extension KafkaConsumer {
    /// Polls until `done`; records end up in `copies`. Gives up after twenty seconds.
    func poll(into copies: inout [Copy], until done: ([Copy]) -> Bool) throws {
        let end = ContinuousClock.now + .seconds(20)
        while !done(copies), .now < end {
            try poll(timeoutMilliseconds: 100, limit: 1_000) { copies += $0.map { Copy($0) } }
        }
    }
}

/// Lines that were logged.
final class LogCapture: Sendable {
    private let content = Mutex<[String]>([])
    var lines: [String] { content.withLock { $0 } }
    var logger: Logger { Logger(label: "capture", factory: { _ in Handler(capture: self) }) }

    struct Handler: LogHandler {
        let capture: LogCapture
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let text = "\(event.level) \(event.message) \(event.metadata ?? [:])"
            capture.content.withLock { $0.append(text) }
        }
    }
}
