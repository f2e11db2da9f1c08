import Foundation
import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

private let bootstrap = ProcessInfo.processInfo.environment["SLUICE_TEST_BOOTSTRAP"]

/// What the embedded broker cannot show, on a cluster named by `SLUICE_TEST_BOOTSTRAP`. Topics and groups are new in
/// each run.
@Suite(.enabled(if: bootstrap != nil, "SLUICE_TEST_BOOTSTRAP names no cluster"), .serialized)
struct RealBrokerTests {
    let configuration: KafkaConfiguration
    let run = "sluice-test-\(UInt32.random(in: 0 ... .max))"

    init() throws {
        configuration = try KafkaConfiguration([
            "bootstrap.servers": bootstrap ?? "", "message.max.bytes": "12000000", "heartbeat.interval.ms": "500",
            "session.timeout.ms": "6000",
        ])
    }

    func admin() throws -> KafkaAdmin { try KafkaAdmin(configuration, health: Fixture.health, logger: Fixture.quiet) }

    func consumer(_ topic: String) throws -> KafkaConsumer {
        try KafkaConsumer(configuration, group: run, topic: topic, health: Fixture.health, logger: Fixture.quiet)
    }

    func produce(_ topic: String, _ values: [(Int32, String)]) throws {
        let producer = try KafkaProducer(
            configuration, topics: [.predictions: topic], health: Fixture.health, logger: Fixture.quiet)
        defer { producer.close() }
        var batch = OutputBatch()
        for (partition, value) in values { batch.add(value: value, partition: partition) }
        // What one request of a partition has no room for is taken when that is answered.
        let end = ContinuousClock.now + .seconds(30)
        while try !producer.produce(&batch), .now < end { try producer.poll(timeoutMilliseconds: 20) }
        let isTaken = batch.isHandedOver
        #expect(isTaken)
        #expect(try producer.flush(timeoutMilliseconds: 20_000))
    }

    @Test func aTopicIsCreatedAndDescribedWithItsConfiguration() throws {
        let admin = try admin()
        defer { admin.close() }
        #expect(try !EmbeddedBroker.isEmbedded(clusterID: admin.clusterID(timeoutMilliseconds: 10_000)))
        let wanted = ["cleanup.policy": "compact", "max.message.bytes": "12000000"]
        let topic = TopicDescription(name: "\(run)-made", partitions: 3, configuration: wanted)
        try admin.create(topic, timeoutMilliseconds: 20_000)
        let again = #expect(throws: SluiceError.self) { try admin.create(topic, timeoutMilliseconds: 20_000) }
        #expect(again?.code == .topicExists)
        let found = try admin.describe([topic.name, "\(run)-absent"], timeoutMilliseconds: 20_000)
        #expect(found.map(\.partitions) == [3])
        #expect(found.first?.configuration.filter { wanted[$0.key] != nil } == wanted)
        let bad = #expect(throws: SluiceError.self) {
            try admin.create(
                TopicDescription(name: "\(run)-bad", partitions: 1, configuration: ["no.such": "1"]),
                timeoutMilliseconds: 20_000)
        }
        #expect(bad?.code == .topic)
    }

    @Test func topicsAreKnownOnceTheyAreMade() throws {
        let admin = try admin()
        defer { admin.close() }
        for index in 0..<12 {
            let topic = TopicDescription(name: "\(run)-known-\(index)", partitions: 4)
            try admin.create(topic, timeoutMilliseconds: 20_000)
            #expect(try admin.describe([topic.name], timeoutMilliseconds: 20_000).map(\.partitions) == [4])
        }
    }

    @Test func aMemberStartsCommitsReadsTenMegabytesAndHandsOver() throws {
        let topic = "\(run)-life"
        let made = try admin()
        try made.create(
            TopicDescription(name: topic, partitions: 4, configuration: ["max.message.bytes": "12000000"]),
            timeoutMilliseconds: 20_000)
        made.close()
        try produce(topic, (0..<40).map { (Int32($0 % 4), "\($0)") })
        try produce(topic, [(0, String(repeating: "x", count: 10_000_000)), (0, "after")])
        let first = try consumer(topic)
        let one = Recorder(first, startOffset: { $0 == 0 ? 8 : 10 })
        try first.subscribe(one)
        var copies: [Copy] = []
        try first.poll(into: &copies) { $0.count >= 4 }
        #expect(copies.map(\.offset) == [8, 9, 10, 11])
        #expect(copies.map { $0.value?.utf8.count } == [2, 2, 10_000_000, 5])
        #expect(try first.watermarks(partition: 0, timeoutMilliseconds: 10_000) == (0, 12))
        let position = CommittedPosition(partition: 0, offset: 12, metadata: "R=8;id=7f")
        try first.commit([position])
        #expect(try first.committed([0, 1], timeoutMilliseconds: 10_000) == [position])

        let second = try consumer(topic)
        let two = Recorder(second, startOffset: { _ in 3 })
        one.onRevoke = { partitions in
            #expect(throws: Never.self) {
                try first.commit(partitions.map { CommittedPosition(partition: $0, offset: 3, metadata: "revoked") })
            }
        }
        try second.subscribe(two)
        var moved: [Copy] = []
        let end = ContinuousClock.now + .seconds(30)
        while moved.isEmpty || two.owned.count < 2, .now < end {
            try first.poll(timeoutMilliseconds: 20, limit: 100) { copies += $0.map { Copy($0) } }
            try second.poll(timeoutMilliseconds: 20, limit: 100) { moved += $0.map { Copy($0) } }
            #expect(one.owned.isDisjoint(with: two.owned))
        }
        #expect(one.owned.count == 2 && two.owned.count == 2)
        let handed = try second.committed(two.owned.sorted(), timeoutMilliseconds: 10_000)
        #expect(handed.map(\.metadata) == ["revoked", "revoked"])
        // A member that stays is not interrupted: no revocation of all, no second assignment of what it kept.
        #expect(one.events.count == 2, "\(one.events)")
        first.close()
        second.close()
    }

    @Test func timesAreLookedUp() throws {
        let topic = "\(run)-times"
        let made = try admin()
        try made.create(TopicDescription(name: topic, partitions: 1), timeoutMilliseconds: 20_000)
        made.close()
        try produce(topic, [(0, "a"), (0, "b")])
        let reader = try KafkaReader(configuration, health: Fixture.health, logger: Fixture.quiet)
        let partition = TopicPartition(topic: topic, partition: 0)
        #expect(try reader.offset(partition, at: 0, timeoutMilliseconds: 10_000) == 0)
        #expect(try reader.offset(partition, at: 32_503_680_000_000, timeoutMilliseconds: 10_000) == nil)
        #expect(try reader.watermarks(partition, timeoutMilliseconds: 10_000) == (0, 2))
        reader.close()
    }
}
