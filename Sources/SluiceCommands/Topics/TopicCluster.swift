internal import Logging
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceKafka
internal import SluiceLog
internal import SluiceService

/// The cluster as `sluice topics` sees it. Confined to one thread.
final class TopicCluster {
    private static let timeoutMilliseconds = 10_000

    private let admin: KafkaAdmin
    private let kafka: KafkaConfiguration
    private let health: KafkaHealth
    private let logger: Logger
    private let id: String?
    let isEmbedded: Bool

    /// - Throws: `broker` when none answers within ten seconds.
    init(_ configuration: Configuration, logger: Logger) throws {
        let kafka = try KafkaConfiguration(configuration.kafka)
        health = KafkaHealth(logger: logger)
        admin = try KafkaAdmin(kafka, health: health, logger: logger)
        self.logger = logger
        do {
            let id = try admin.clusterID(timeoutMilliseconds: Self.timeoutMilliseconds)
            self.id = id
            isEmbedded = EmbeddedBroker.isEmbedded(clusterID: id)
            self.kafka = kafka.adapted(toCluster: id)
        } catch let error as SluiceError where error.retry == .later {
            admin.close()
            throw SluiceError(
                .broker, "no broker answers at \(kafka.bootstrapServers)",
                remedy: "check kafka.bootstrap.servers, and that the broker runs", retry: .later)
        }
    }

    func close() { admin.close() }

    /// The largest batch that producers send.
    var batchBytes: Int { get throws { try kafka.batchBytes } }

    /// The topics of the plan that exist.
    func describe(_ plan: TopicPlan) throws -> [TopicDescription] {
        try admin.describe(plan.needs.map(\.name), timeoutMilliseconds: Self.timeoutMilliseconds)
    }

    /// What the input topic holds of the last `retrain.window`.
    func source(_ configuration: Configuration) throws -> TopicSource {
        let topic = configuration.input.topic
        let described = try admin.describe([topic], timeoutMilliseconds: Self.timeoutMilliseconds)
        guard let partitions = described.first?.partitions else {
            throw SluiceError(.topic, "the input \(topic) does not exist", remedy: "check input.topic")
        }
        let window = configuration.retrain.window / .milliseconds(1)
        return TopicSource(
            topic: topic, partitions: partitions, from: SystemClock().wallMilliseconds() - EpochMilliseconds(window),
            window: Int64(window), cluster: id
        ) { [kafka, health, logger] in
            try KafkaReader(kafka, health: health, logger: logger)
        }
    }

    /// - Returns: the topic as it is now.
    func create(_ topic: TopicDescription) throws -> TopicDescription {
        do {
            try admin.create(topic, timeoutMilliseconds: Self.timeoutMilliseconds)
        } catch let error as SluiceError where error.code == .topicExists {
            // Somebody was quicker: what it is now counts.
        }
        let described = try admin.describe([topic.name], timeoutMilliseconds: Self.timeoutMilliseconds)
        guard let made = described.first else {
            throw SluiceError(.topic, "the topic \(topic.name) was made but is not there yet", retry: .later)
        }
        return made
    }
}
