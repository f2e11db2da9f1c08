import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

@Suite struct EmbeddedBrokerTests {
    @Test func aForwardedClientStaysOnTheForwarderAndMentionsTopicsIntoBeing() throws {
        let broker = try EmbeddedBroker(partitions: 3, port: 0, logger: Fixture.quiet)
        defer { broker.close() }
        #expect(broker.bootstrap != broker.internalBootstrap)
        try Fixture.produce(["a", "b"], to: "mentioned", partition: 2, on: broker)

        let admin = try KafkaAdmin(Fixture.configuration(broker), health: Fixture.health, logger: Fixture.quiet)
        #expect(EmbeddedBroker.isEmbedded(clusterID: try admin.clusterID(timeoutMilliseconds: 5_000)))
        #expect(
            try admin.describe(["mentioned", "absent"], timeoutMilliseconds: 5_000)
                == [TopicDescription(name: "mentioned", partitions: 3)])
        try admin.create(
            TopicDescription(name: "made", partitions: TopicDescription.brokersPartitions), timeoutMilliseconds: 5_000)
        #expect(try admin.describe(["made"], timeoutMilliseconds: 5_000).map(\.partitions) == [3])
        admin.close()

        let consumer = try Fixture.consumer("mentioned", group: "forwarded", on: broker)
        let recorder = Recorder(consumer)
        try consumer.subscribe(recorder)
        var copies: [Copy] = []
        try consumer.poll(into: &copies) { $0.count >= 2 }
        #expect(copies.map(\.value) == ["a", "b"])
        #expect(recorder.owned == [0, 1, 2])
        consumer.close()
    }

    @Test func topicsAreCreatedOnce() throws {
        try Fixture.broker.create("made", partitions: 7)
        let again = #expect(throws: SluiceError.self) { try Fixture.broker.create("made", partitions: 7) }
        #expect(again?.code == .topicExists)
        let admin = try KafkaAdmin(Fixture.configuration(), health: Fixture.health, logger: Fixture.quiet)
        #expect(try admin.describe(["made"], timeoutMilliseconds: 5_000).map(\.partitions) == [7])
        try admin.create(TopicDescription(name: "by-mention", partitions: 4), timeoutMilliseconds: 5_000)
        let exists = #expect(throws: SluiceError.self) {
            try admin.create(TopicDescription(name: "by-mention", partitions: 4), timeoutMilliseconds: 5_000)
        }
        #expect(exists?.code == .topicExists)
        let other = #expect(throws: SluiceError.self) {
            try admin.create(TopicDescription(name: "unequal", partitions: 5), timeoutMilliseconds: 5_000)
        }
        #expect(other?.message.contains("4 partitions, not 5") == true)
        admin.close()
    }

    @Test func aTakenPortIsNamed() throws {
        let broker = try EmbeddedBroker(port: 0, logger: Fixture.quiet)
        defer { broker.close() }
        let port = try #require(broker.bootstrap.split(separator: ":").last.flatMap { Int($0) })
        let error = #expect(throws: SluiceError.self) { _ = try EmbeddedBroker(port: port, logger: Fixture.quiet) }
        #expect(error?.code == .portTaken)
        #expect(error?.message.contains("\(port)") == true)
        #expect(error?.remedy?.contains("--port") == true)
    }

    @Test func aBrokerThatGoesAndComesBackIsOneLineEachWay() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let capture = LogCapture()
        let health = KafkaHealth(logger: capture.logger)
        let configuration = try Fixture.configuration(broker, ["reconnect.backoff.max.ms": "200"])
        // Asked before there is a handle: from then on librdkafka's threads connect when they like.
        #expect(health.state == .connecting)
        let reader = try KafkaReader(configuration, health: health, logger: capture.logger)
        try reader.assign([TopicPartition(topic: "gone", partition: 0): 0])
        var values: [String] = []
        func poll(until done: () -> Bool) throws {
            let end = ContinuousClock.now + .seconds(20)
            while !done(), .now < end {
                try reader.poll(timeoutMilliseconds: 20, limit: 10) {
                    values.append(String(decoding: $1.value, as: UTF8.self))
                }
            }
        }
        try Fixture.produce(["before"], to: "gone", on: broker)
        try poll { !values.isEmpty }
        #expect(health.state == .connected)

        try broker.setReachable(false)
        try poll { if case .away = health.state { !capture.lines.isEmpty } else { false } }
        #expect(capture.lines.count == 1)
        #expect(capture.lines.first?.contains("Kafka is away, retrying") == true)

        try broker.setReachable(true)
        try Fixture.produce(["after"], to: "gone", on: broker)
        try poll { values.count == 2 }
        #expect(values == ["before", "after"])
        #expect(health.state == .connected)
        #expect(capture.lines.count == 2)
        #expect(capture.lines.last?.contains("Kafka is back") == true)
        reader.close()
    }
}
