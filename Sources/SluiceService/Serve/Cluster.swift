import Foundation
package import Logging
package import SluiceConfiguration
import SluiceCore
package import SluiceKafka
import SluiceLog

/// The Kafka side of one service: reached at start, then a maker of clients.
package struct Cluster: Sendable {
    private static let attemptMilliseconds = 5_000
    private static let createdAttempts = 50

    package let kafka: KafkaConfiguration
    package let id: String
    package let topics: TopicPlan
    package let inputPartitions: Int
    package let eventsPartitions: Int
    package let health: KafkaHealth
    private let application: String
    private let logger: Logger

    /// Waits until the cluster answers, however long that takes, then checks and completes the topics.
    ///
    /// - Parameter isCancelled: asked between attempts.
    /// - Throws: what is wrong with the topics, all of it; `CancellationError`.
    package init(
        _ configuration: Configuration, health: KafkaHealth, logger: Logger, isCancelled: () -> Bool
    ) throws {
        let kafka = try KafkaConfiguration(configuration.kafka)
        let admin = try KafkaAdmin(kafka, health: health, logger: logger)
        defer { admin.close() }
        id = try Self.retrying(isCancelled) { try admin.clusterID(timeoutMilliseconds: Self.attemptMilliseconds) }
        self.kafka = kafka.adapted(toCluster: id)
        self.health = health
        self.logger = logger
        application = configuration.application
        let isEmbedded = EmbeddedBroker.isEmbedded(clusterID: id)
        topics = configuration.topics(isEmbedded: isEmbedded)
        let plan = topics
        let described = try Self.retrying(isCancelled) { try Self.topics(plan, admin, isEmbedded: isEmbedded) }
        for topic in topics.narrow(described, batchBytes: try kafka.batchBytes) { logger.warning("\(topic)") }
        for warning in topics.forgetfulness(described) { logger.warning("\(warning)") }
        func partitions(_ name: String) -> Int { described.first { $0.name == name }?.partitions ?? 0 }
        inputPartitions = partitions(topics.input)
        eventsPartitions = partitions(topics.events)
    }

    /// The topics of the plan, all there and as they must be.
    ///
    /// - Throws: what is wrong with them, all of it.
    static func topics(_ plan: TopicPlan, _ admin: any LogAdmin, isEmbedded: Bool) throws -> [TopicDescription] {
        let described = try complete(plan, admin, isEmbedded: isEmbedded)
        let problems = plan.problems(described)
        guard problems.isEmpty else {
            throw SluiceError(
                .topic, problems.map(\.description).joined(separator: "; "),
                remedy: "\"sluice topics create\" makes what is missing, \"sluice topics check\" looks again")
        }
        return described
    }

    /// Makes the service's own topics where they are missing (all topics on the embedded broker, where a mention makes
    /// them), and describes what is there then.
    private static func complete(
        _ plan: TopicPlan, _ admin: any LogAdmin, isEmbedded: Bool
    ) throws -> [TopicDescription] {
        let names = plan.needs.map(\.name)
        var described = try admin.describe(names, timeoutMilliseconds: attemptMilliseconds)
        if isEmbedded, !described.contains(where: { $0.name == plan.input }) {
            let input = TopicDescription(name: plan.input, partitions: TopicDescription.brokersPartitions)
            do {
                try admin.create(input, timeoutMilliseconds: attemptMilliseconds)
            } catch let error as SluiceError where error.code == .topicExists {
                // A client that mentioned it was quicker.
            }
            described = try admin.describe(names, timeoutMilliseconds: attemptMilliseconds)
        }
        guard let input = described.first(where: { $0.name == plan.input }) else { return described }
        for topic in plan.missing(described, inputPartitions: input.partitions)
        where isEmbedded || plan.isInternal(topic.name) {
            do {
                try admin.create(topic, timeoutMilliseconds: attemptMilliseconds)
            } catch let error as SluiceError where error.code == .topicExists || isEmbedded {
                // Another instance was quicker; the embedded broker's partitions are looked at below.
                continue
            }
        }
        // A topic just made is not known to every broker at once.
        for _ in 0..<createdAttempts {
            described = try admin.describe(names, timeoutMilliseconds: attemptMilliseconds)
            let known = Set(described.map(\.name))
            if plan.needs.allSatisfy({ known.contains($0.name) || !(isEmbedded || plan.isInternal($0.name)) }) { break }
            Thread.sleep(forTimeInterval: 0.2)
        }
        return described
    }

    private static func retrying<Result>(_ isCancelled: () -> Bool, _ body: () throws -> Result) throws -> Result {
        while true {
            do {
                return try body()
            } catch let error as SluiceError where error.retry == .later {
                if isCancelled() { throw CancellationError() }
                Thread.sleep(forTimeInterval: 0.2)
            }
            if isCancelled() { throw CancellationError() }
        }
    }

    package var isEmbedded: Bool { EmbeddedBroker.isEmbedded(clusterID: id) }

    /// - Parameter instance: the worker's identity, which outlives a restart. The embedded broker does not know static
    ///   members and
    ///   would wait for one that has left until its session is over.
    package func makeConsumer(instance: String) throws -> KafkaConsumer {
        try KafkaConsumer(
            kafka, group: application, topic: topics.input, instance: isEmbedded ? nil : instance, health: health,
            logger: logger)
    }

    /// Who is in the service's consumer group.
    package func members() throws -> [GroupMember] {
        let admin = try KafkaAdmin(kafka, health: health, logger: logger)
        defer { admin.close() }
        return try admin.members(
            of: application, topic: topics.input, timeoutMilliseconds: Self.attemptMilliseconds)
    }

    package func makeReader() throws -> KafkaReader { try KafkaReader(kafka, health: health, logger: logger) }

    /// - Parameter isAlone: every record goes in a batch of its own.
    package func makeProducer(isAlone: Bool = false) throws -> KafkaProducer {
        try KafkaProducer(kafka, topics: topics.outputs, isAlone: isAlone, health: health, logger: logger)
    }

    /// - Parameters:
    ///   - instance: the worker's identity: a producer of the same name fences the one before it.
    ///   - isAlone: every record goes in a batch of its own.
    package func makeTransactions(instance: String, isAlone: Bool) throws -> KafkaTransactions {
        try KafkaTransactions(
            kafka, id: "\(application)-\(instance)", input: topics.input, topics: topics.outputs,
            isAlone: isAlone, health: health, logger: logger)
    }
}
