import CLibrdkafka
import Dispatch
import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

@Suite struct ProducerTests {
    @Test func aBlockedOutputFillsABoundedQueueAndLosesNothing() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        try broker.create("blocked", partitions: 1)
        let bounds = ["queue.buffering.max.messages": "1000", "reconnect.backoff.max.ms": "300"]
        let producer = try Fixture.producer("blocked", bounds, on: broker)
        var batch = OutputBatch()
        for index in 0..<2_500 { batch.add(value: "\(index)") }
        try producer.produce(&batch)
        let before = batch.next
        while try !producer.flush(timeoutMilliseconds: 10_000) {}
        #expect(before > 0 && before <= 1_000)

        try broker.setReachable(false)
        for _ in 0..<20 {
            try producer.produce(&batch)
            try producer.poll(timeoutMilliseconds: 20)
        }
        #expect(batch.next - before <= 1_000, "no more than the queue holds")
        #expect(producer.pending == batch.next - before)
        #expect(try !producer.flush(timeoutMilliseconds: 50))

        try broker.setReachable(true)
        while !batch.isHandedOver {
            try producer.produce(&batch)
            try producer.poll(timeoutMilliseconds: 100)
        }
        while try !producer.flush(timeoutMilliseconds: 10_000) {}
        #expect(producer.pending == 0)
        producer.close()

        let reader = try Fixture.reader(on: broker)
        try reader.assign([TopicPartition(topic: "blocked", partition: 0): 0])
        var values: [Int?] = []
        let end = ContinuousClock.now + .seconds(20)
        while values.count < 2_500, .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 4_096) {
                values.append(Int(String(decoding: $1.value, as: UTF8.self)))
            }
        }
        #expect(values == (0..<2_500).map { $0 }, "in order, once each")
        reader.close()
    }

    /// No timer stands between the broker's answer and a worker that waits for it.
    @Test func aDeliveryIsTold() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        try broker.create("told", partitions: 1)
        let producer = try Fixture.producer("told", on: broker)
        let told = DispatchSemaphore(value: 0)
        producer.onDelivery { told.signal() }
        for _ in 0..<3 {
            var batch = OutputBatch()
            batch.add(value: "a")
            #expect(try producer.produce(&batch))
            // Other things are told in this way too.
            while producer.pending > 0 {
                try #require(told.wait(timeout: .now() + 20) == .success)
                try producer.poll(timeoutMilliseconds: 0)
            }
        }
        producer.close()
    }

    /// Whatever their number: memory is bounded while nothing is taken.
    @Test func aBlockedOutputHoldsSoManyBytesAndNoMore() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        try broker.setReachable(false)
        let bounds = ["queue.buffering.max.kbytes": "64", "message.max.bytes": "2000"]
        let producer = try Fixture.producer("blocked", bounds, on: broker)
        var batch = OutputBatch()
        for _ in 0..<1_000 { batch.add(value: String(repeating: "x", count: 1_000)) }
        for _ in 0..<20 {
            try producer.produce(&batch)
            try producer.poll(timeoutMilliseconds: 20)
        }
        #expect((1...65).contains(batch.next) && producer.pending == batch.next)
        producer.close()
    }

    @Test func anOversizeMessageIsRefusedByNameAndTheRestGoesOn() throws {
        let producer = try Fixture.producer("large", ["message.max.bytes": "2000"])
        #expect(producer.messageBytesMax == 2_000)
        var batch = OutputBatch()
        batch.add(value: "small")
        batch.add(value: String(repeating: "x", count: 3_000))
        let error = #expect(throws: SluiceError.self) { try producer.produce(&batch) }
        #expect(error?.code == .delivery)
        #expect(error?.message.contains("3000 bytes") == true && error?.message.contains("large/0") == true)
        #expect(error?.retry == .never)
        #expect(try producer.flush(timeoutMilliseconds: 10_000))
        #expect(producer.pending == 0)
        producer.close()
    }

    @Test func passingErrorsAreRetriedAndOthersSurface() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        try broker.create("errors", partitions: 1)
        let producer = try Fixture.producer("errors", ["retry.backoff.ms": "10"], on: broker)
        var batch = OutputBatch()
        batch.add(value: "one")
        let produceKey: Int16 = 0
        try broker.pushErrors(
            [RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT], request: produceKey)
        try producer.produce(&batch)
        #expect(try producer.flush(timeoutMilliseconds: 10_000))

        try broker.pushErrors([RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED], request: produceKey)
        batch.rewind()
        try producer.produce(&batch)
        let error = #expect(throws: SluiceError.self) { _ = try producer.flush(timeoutMilliseconds: 10_000) }
        #expect(error?.code == .delivery && error?.retry == .fatal)
        #expect(error?.message.contains("errors/0") == true)
        #expect((error?.cause as? KafkaError)?.name == "TOPIC_AUTHORIZATION_FAILED")
        producer.close()
    }
}

extension EmbeddedBroker {
    /// The next requests of a kind fail with these, one each.
    func pushErrors(_ errors: [rd_kafka_resp_err_t], request: Int16) throws {
        try withCluster { rd_kafka_mock_push_request_errors_array($0, request, errors.count, errors) }
    }
}
