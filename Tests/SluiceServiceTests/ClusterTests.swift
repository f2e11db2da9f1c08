import Logging
import SluiceConfiguration
import SluiceKafka
import Testing

@testable import SluiceService

/// The Kafka side of a service on the embedded broker.
@Suite struct ClusterTests {
    /// A broker that is told another number than the one it would choose.
    @Test(arguments: [3, 7]) func missingInputHasTheBrokersPartitions(partitions: Int) throws {
        let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let broker = try EmbeddedBroker(partitions: partitions, port: 0, logger: quiet)
        defer { broker.close() }
        let loaded = try Configuration.load(
            text: """
                application: cluster
                kafka: {bootstrap.servers: "\(broker.bootstrap)"}
                input: {topic: in, features: {x: /x}}
                output: {topic: out}
                """)
        let cluster = try Cluster(
            loaded.configuration, health: KafkaHealth(logger: quiet), logger: quiet, isCancelled: { false })
        #expect(cluster.inputPartitions == partitions)
        #expect(cluster.eventsPartitions == partitions)
    }
}
