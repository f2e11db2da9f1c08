import Dispatch
import Foundation
import Logging
import SluiceCore
import SluiceKafka
import SluiceLog
import Testing

/// The real cluster named by `SLUICE_TEST_BOOTSTRAP`, with topics, groups and producers' names new in each test.
struct Cluster {
    static let bootstrap = ProcessInfo.processInfo.environment["SLUICE_TEST_BOOTSTRAP"]

    static let timeoutMilliseconds = 20_000
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let name = "sluice-test-\(UInt32.random(in: 0 ... .max))"
    let configuration: KafkaConfiguration
    let health: KafkaHealth

    var input: String { "\(name)-input" }
    var predictions: String { "\(name)-predictions" }
    var slots: String { "\(name)-slots" }

    /// With an input of two partitions, predictions of two, and a changelog of one.
    init() throws {
        health = KafkaHealth(logger: quiet)
        configuration = try KafkaConfiguration([
            "bootstrap.servers": Self.bootstrap ?? "", "heartbeat.interval.ms": "500", "session.timeout.ms": "6000",
        ])
        let admin = try KafkaAdmin(configuration, health: health, logger: quiet)
        defer { admin.close() }
        for (topic, partitions) in [(input, 2), (predictions, 2), (slots, 1)] {
            let entries = topic == slots ? ["cleanup.policy": "compact"] : [:]
            try admin.create(
                TopicDescription(name: topic, partitions: partitions, configuration: entries),
                timeoutMilliseconds: Self.timeoutMilliseconds)
        }
    }

    func producer(_ id: String = "one", rejects: String? = nil, isAlone: Bool = false) throws -> WaitingProducer {
        var topics: [OutputTopic: String] = [.predictions: predictions, .slots: slots]
        topics[.rejects] = rejects
        return try WaitingProducer(
            KafkaTransactions(
                configuration, id: "\(name)-\(id)", input: input, topics: topics, isAlone: isAlone, health: health,
                logger: quiet))
    }

    /// A topic that takes no larger batch.
    func limitedTopic(_ bytes: Int) throws -> String {
        let admin = try KafkaAdmin(configuration, health: health, logger: quiet)
        defer { admin.close() }
        let topic = "\(name)-\(bytes)"
        try admin.create(
            TopicDescription(name: topic, partitions: 1, configuration: ["max.message.bytes": "\(bytes)"]),
            timeoutMilliseconds: Self.timeoutMilliseconds)
        return topic
    }

    func reader(_ positions: [TopicPartition: Offset]) throws -> CopyingReader {
        let reader = try KafkaReader(configuration, health: health, logger: quiet)
        try reader.assign(positions)
        return CopyingReader(reader)
    }

    /// A member that owns both partitions of the input.
    func member(_ listener: Ownership) throws -> KafkaConsumer {
        let consumer = try KafkaConsumer(configuration, group: name, topic: input, health: health, logger: quiet)
        try consumer.subscribe(listener)
        let end = ContinuousClock.now + .seconds(60)
        while listener.owned.count < 2, .now < end { try consumer.poll(timeoutMilliseconds: 100, limit: 10) { _ in } }
        try #require(listener.owned == [0, 1])
        return consumer
    }
}

/// A transactional producer whose calls are waited for.
final class WaitingProducer {
    let producer: KafkaTransactions
    private let answered = DispatchSemaphore(value: 0)

    init(_ producer: KafkaTransactions) {
        self.producer = producer
        producer.onAnswer { [answered] in answered.signal() }
    }

    /// Nil: it was done.
    func failure(_ call: TransactionCall) throws -> TransactionFailure? {
        producer.start(call)
        // An answer in place of a call that does not return is told to who asks.
        var answer = producer.answer()
        let end = ContinuousClock.now + .seconds(60)
        while answer == nil, .now < end {
            _ = answered.wait(timeout: .now() + .milliseconds(500))
            answer = producer.answer()
        }
        switch try #require(answer, "no answer") {
        case .done: return nil
        case .failed(let failure): return failure
        }
    }

    /// A new producer of a name may have to wait until the brokers know the name's coordinator.
    func run(_ calls: TransactionCall...) throws {
        for call in calls {
            var failure = try failure(call)
            for _ in 0..<10 where failure?.remedy == .again { failure = try self.failure(call) }
            try #require(failure == nil, "\(call): \(failure.map { "\($0)" } ?? "")")
        }
    }
}

/// A reader that keeps the values it read, as `topic suffix/partition:value`.
final class CopyingReader {
    let reader: KafkaReader
    private(set) var values: [String] = []

    init(_ reader: KafkaReader) { self.reader = reader }

    func poll() throws {
        try reader.poll(timeoutMilliseconds: 50, limit: 1_000) { topic, record in
            let value = String(decoding: record.value, as: UTF8.self)
            values.append("\(topic.split(separator: "-").last ?? "")/\(record.partition):\(value)")
        }
    }

    /// Polls until the position of each partition is what is wanted, or a minute has passed.
    func poll(until wanted: [TopicPartition: Offset]) throws {
        let end = ContinuousClock.now + .seconds(60)
        while wanted.contains(where: { reader.position($0) != $1 }), .now < end { try poll() }
        for (partition, offset) in wanted { #expect(reader.position(partition) == offset, "\(partition)") }
    }
}

final class Ownership: RebalanceListener {
    private(set) var owned: Set<Int32> = []
    func partitionsAssigned(_ partitions: [Int32]) { owned.formUnion(partitions) }
    func partitionsRevoked(_ partitions: [Int32]) { owned.subtract(partitions) }
    func partitionsLost(_ partitions: [Int32]) { owned.subtract(partitions) }
}

extension Transaction {
    func addReject(_ value: String, header: String?) {
        outputs.arena.append(value)
        let range = 0..<outputs.arena.count
        if let header { outputs.headers = [OutputBatch.Header(name: header, value: 0..<5)] }
        outputs.entries.append(
            OutputBatch.Entry(
                topic: .rejects, partition: 0, key: 0..<3, value: range, headers: 0..<outputs.headers.count))
    }

    /// Each value as a prediction of partition 0 and 1 and as a record of the changelog.
    static func of(_ values: String..., positions: [CommittedPosition] = []) -> Transaction {
        let transaction = Transaction()
        func add(_ topic: OutputTopic, _ partition: Int32, _ value: String) {
            let start = transaction.outputs.arena.count
            transaction.outputs.arena.append(value)
            let range = start..<transaction.outputs.arena.count
            transaction.outputs.entries.append(
                OutputBatch.Entry(topic: topic, partition: partition, key: range, value: range))
        }
        for value in values {
            add(.predictions, 0, value)
            add(.predictions, 1, value)
            add(.slots, 0, value)
        }
        transaction.positions = positions
        return transaction
    }
}
