import CLibrdkafka
import Foundation
import Logging
import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

/// Where librdkafka's part in a cooperative rebalance falls short of what a worker needs.
@Suite struct CooperativeRebalanceTests {
    /// What librdkafka has taken out of its queue, and not handed over, as a rebalance came.
    @Test func recordsThatARebalanceTookAwayComeAll() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let topic = "taken"
        try broker.create(topic, partitions: 4)
        func produce(_ count: Int) throws {
            let values = (0..<count).map { "\($0)" }
            for partition: Int32 in 0..<4 { try Fixture.produce(values, to: topic, partition: partition, on: broker) }
        }
        try produce(100)
        let more = ["heartbeat.interval.ms": "200", "session.timeout.ms": "6000"]
        let stays = try Fixture.consumer(topic, group: topic, more, on: broker)
        let comes = try Fixture.consumer(topic, group: topic, more, on: broker)
        let (one, two) = (Recorder(stays), Recorder(comes))
        try stays.subscribe(one)
        var copies: [Copy] = []
        try stays.poll(into: &copies) { $0.count == 400 }
        try produce(900)
        try comes.subscribe(two)
        let taken = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>.allocate(capacity: 100)
        defer { unsafe taken.deallocate() }
        let deadline = ContinuousClock.now + .seconds(40)
        var lost = 0
        while one.owned.count > 2, .now < deadline {
            let count = unsafe rd_kafka_consume_batch_queue(stays.queue, 100, taken, 100)
            for index in 0..<max(0, count) { unsafe rd_kafka_message_destroy(taken[index]) }
            lost += max(0, count)
            try comes.poll(timeoutMilliseconds: 10, limit: 100) { _ in }
        }
        #expect(one.owned.count == 2 && lost > 0)
        let kept = one.owned
        try stays.poll(into: &copies) { copies in copies.count { kept.contains($0.partition) } >= 2_000 }
        for partition in kept {
            #expect(copies.filter { $0.partition == partition }.map(\.offset) == Array(0..<1_000), "\(partition)")
        }
        comes.close()
        stays.close()
    }

    /// A second answer may come to a group that has ended, and librdkafka before 2.10 then waits for ever.
    @Test func whoLeavesWhileARebalanceWaitsAnswersOnce() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let topic = "leaving"
        try broker.create(topic, partitions: 4)
        let more = ["heartbeat.interval.ms": "200", "session.timeout.ms": "6000", "debug": "cgrp"]
        let log = LogCapture()
        var logger = log.logger
        logger.logLevel = .trace
        let stays = try KafkaConsumer(
            Fixture.configuration(broker, more), group: topic, topic: topic, health: Fixture.health,
            logger: logger)
        let leaves = try Fixture.consumer(topic, group: topic, more, on: broker)
        let (one, two) = (Recorder(stays), Recorder(leaves))
        try stays.subscribe(one)
        try leaves.subscribe(two)
        let deadline = ContinuousClock.now + .seconds(40)
        func poll(until done: () -> Bool) throws {
            while !done(), .now < deadline {
                try stays.poll(timeoutMilliseconds: 20, limit: 100) { _ in }
                try leaves.poll(timeoutMilliseconds: 20, limit: 100) { _ in }
            }
        }
        try poll { one.owned.count == 2 && two.owned.count == 2 }
        // The ends of the partitions are taken out of the queue.
        let drained = ContinuousClock.now + .seconds(1)
        try poll { .now > drained }
        leaves.close()
        while unsafe rd_kafka_queue_length(stays.queue) == 0, .now < deadline { usleep(20_000) }
        // The group does not end before both have been served.
        try broker.withCluster { _ = unsafe rd_kafka_mock_broker_set_rtt($0, -1, 300) }
        stays.close()
        #expect(one.events.suffix(2).map { "\($0)".contains("revoked") } == [false, true], "\(one.events)")
        #expect(one.owned.isEmpty)
        #expect(log.lines.count { $0.contains("treating assign as unassign") } == 1)
    }
}
