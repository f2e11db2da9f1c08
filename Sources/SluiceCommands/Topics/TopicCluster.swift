internal import Logging
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceKafka
internal import SluiceLSTM
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

    /// What the input topic holds, with the commands that the service has recorded.
    ///
    /// - Parameter span: nil: the last `retrain.window`.
    /// - Throws: `topic` without such a topic; `input-invalid` for an earlier training on another one.
    func source(_ configuration: Configuration, _ span: TopicSpan?) throws -> TopicSource {
        let topic = configuration.input.topic
        var events = configuration.topics(isEmbedded: isEmbedded).events
        var window: Int64?
        if case .records(let known)? = span {
            try check(known, topic)
            (events, window) = (known.commands?.topic ?? events, known.window)
        } else if span == nil {
            window = configuration.retrain.window.wholeMilliseconds
        }
        let described = try admin.describe([topic, events], timeoutMilliseconds: Self.timeoutMilliseconds)
        guard let partitions = described.first(where: { $0.name == topic })?.partitions else {
            throw SluiceError(.topic, "the input \(topic) does not exist", remedy: "check input.topic")
        }
        var audit: TopicSource.Audit? = TopicSource.Audit(
            topic: events, partitions: described.first { $0.name == events }?.partitions)
        if case .records(let known)? = span { audit = try audit?.repeating(known.commands) }
        let start = window.map { SystemClock().wallMilliseconds() - $0 }
        return TopicSource(
            topic: topic, partitions: partitions,
            span: span ?? .window(from: start.map { .time($0) } ?? .beginning, until: nil), window: window,
            audit: audit, cluster: id
        ) { [kafka, health, logger] in
            try KafkaReader(kafka, health: health, logger: logger)
        }
    }

    /// Whether the records of an earlier training can be those of a topic here.
    private func check(_ known: DataManifest.Topic, _ topic: String) throws {
        guard known.name == topic else {
            throw SluiceError(
                .invalidInput, "that model was trained on the topic \(known.name), and input.topic is \(topic)",
                remedy: "give the configuration that it was trained with")
        }
        guard let id, let cluster = known.cluster, cluster != id else { return }
        throw SluiceError(
            .invalidInput,
            "that model was trained on the cluster \(cluster), and this is \(id): an offset is another record here",
            remedy: "check kafka.bootstrap.servers")
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
