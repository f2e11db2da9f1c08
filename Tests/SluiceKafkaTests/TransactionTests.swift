import CLibrdkafka
import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

/// A transaction's life on the embedded broker, which accepts transactions and isolates none.
@Suite struct TransactionTests {
    private func values(_ topic: String, count: Int, on broker: EmbeddedBroker) throws -> [String?] {
        let reader = try Fixture.reader(on: broker)
        defer { reader.close() }
        try reader.assign([TopicPartition(topic: topic, partition: 0): 0])
        var values: [String?] = []
        let end = ContinuousClock.now + .seconds(20)
        while values.count < count, .now < end {
            try reader.poll(timeoutMilliseconds: 100, limit: 4_096) { values.append(Copy($1).value) }
        }
        return values
    }

    @Test func theSameBytesAreSentAgainAfterAnAbort() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let transactor = try Transactor(Fixture.configuration(broker), id: "life", topic: "life")
        let producer = transactor.producer
        #expect(producer.answer() == nil)
        let transaction = Transaction.of(["a", "b", "c"])
        try transactor.run(.initialise, .produce(transaction), .sendPositions(transaction, nobody), .abort)
        #expect(producer.answer() == nil, "told once")
        #expect(producer.changelogEnd(0) == 3)
        #expect(producer.changelogEnd(1) == nil)
        try transactor.run(.produce(transaction), .sendPositions(transaction, nobody), .commit)
        #expect((6...8).contains(try #require(producer.changelogEnd(0))), "behind the former, marks or none between")
        #expect(try values("life", count: 6, on: broker) == ["a", "b", "c", "a", "b", "c"])
        #expect(try values("life-slots", count: 6, on: broker) == ["a", "b", "c", "a", "b", "c"])

        let empty = Transaction()
        try transactor.run(.produce(empty), .sendPositions(empty, nobody), .commit)
        #expect(producer.changelogEnd(0) == nil, "nothing delivered by the last one")
        producer.close()
        producer.close()
    }

    @Test func moreOutputsThanTheQueueHoldsKeepTheirOrder() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let configuration = try Fixture.configuration(broker, ["queue.buffering.max.messages": "100"])
        let transactor = try Transactor(configuration, id: "full", topic: "full")
        let transaction = Transaction()
        for index in 0..<2_000 { transaction.outputs.add(value: "\(index)") }
        try transactor.run(.initialise, .produce(transaction), .commit)
        #expect(try values("full", count: 2_000, on: broker) == (0..<2_000).map { "\($0)" })
        transactor.producer.close()
    }

    @Test func anOutputThatCanNeverBeProducedIsNamed() throws {
        let configuration = try Fixture.configuration(Fixture.broker, ["message.max.bytes": "2000"])
        let transactor = try Transactor(configuration, id: "large", topic: "large-tx")
        let transaction = Transaction.of([String(repeating: "x", count: 3_000)])
        try transactor.run(.initialise)
        let failure = try #require(try transactor.failure(.produce(transaction)))
        #expect(failure.remedy == .abort && failure.error.retry == .never)
        #expect(failure.error.message.contains("large-tx/0"))
        let refusal = try #require(failure.error.refusal)
        #expect(refusal.topic == .predictions && refusal.isAlone && !refusal.isBare && refusal.bytes > 3_000)
        try transactor.run(.abort, .produce(.of(["small"])), .commit)
        transactor.producer.close()
    }

    @Test(arguments: [false, true]) func aRefusalByTheBrokerSaysOfWhichRecord(isAlone: Bool) throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let transactor = try Transactor(
            Fixture.configuration(broker), id: "refused", topic: "refused", isAlone: isAlone)
        try transactor.run(.initialise, .produce(.of(["a"])), .commit)
        try broker.pushErrors([RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE], request: 0)
        let transaction = Transaction()
        transaction.outputs.add(key: "k", value: "four", headers: [("name", "value")])
        let failure = try #require(try transactor.failure(.produce(transaction)))
        let refusal = try #require(failure.error.refusal)
        #expect(refusal.topic == .predictions && refusal.isTooLarge && refusal.isAlone == isAlone && !refusal.isBare)
        #expect(refusal.bytes == transaction.outputs.recordBytes(transaction.outputs.entries[0]))
        #expect(failure.error.remedy == "raise max.message.bytes of the topic refused")
        transactor.producer.close()
    }

    @Test func whatIsNotAllowedSaysWhatToAllow() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let transactor = try Transactor(Fixture.configuration(broker), id: "denied", topic: "denied")
        try transactor.run(.initialise, .produce(.of(["a"])), .commit)
        try broker.pushErrors([RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED], request: 0)
        let failure = try #require(try transactor.failure(.produce(.of(["b"]))))
        #expect(failure.error.refusal == nil && failure.error.remedy?.contains("Write") == true)
        transactor.producer.close()
    }

    @Test func callsOutOfOrderAreNotGuessedAt() throws {
        let transactor = try Transactor(Fixture.configuration(), id: "order", topic: "order")
        #expect(try transactor.failure(.commit)?.remedy == .anew)
        try transactor.run(.initialise, .produce(.of(["a"])))
        #expect(try transactor.failure(.produce(.of(["b"])))?.remedy == .anew)
        transactor.producer.close()
    }

    @Test func withoutABrokerInitialisingMayBeTriedAgainAndClosed() throws {
        let absent = try KafkaConfiguration(["bootstrap.servers": "127.0.0.1:1"])
        let transactor = try Transactor(absent, id: "absent", topic: "absent")
        let failure = try #require(try transactor.failure(.initialise))
        #expect(failure.remedy == .again && failure.error.retry == .later)
        transactor.producer.start(.initialise)
        transactor.producer.close()
    }

    @Test func aCommitResumesWhenTheBrokerIsBack() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let configuration = try Fixture.configuration(broker, ["reconnect.backoff.max.ms": "300"])
        let transactor = try Transactor(configuration, id: "resume", topic: "resume")
        try transactor.run(.initialise, .produce(.of(["a"])))
        try broker.setReachable(false)
        #expect(try transactor.failure(.commit)?.remedy == .again)
        #expect(try transactor.failure(.abort)?.remedy == .anew, "a commit was left unfinished")
        try broker.setReachable(true)
        var failure = try transactor.failure(.commit)
        for _ in 0..<10 where failure?.remedy == .again { failure = try transactor.failure(.commit) }
        #expect(failure == nil)
        try transactor.run(.produce(.of(["b"])), .commit)
        transactor.producer.close()
    }

    @Test func positionsThatNobodyTakesHaveAnAnswer() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let configuration = try Fixture.configuration(
            broker, ["transaction.timeout.ms": "2000", "reconnect.backoff.max.ms": "300"])
        let transactor = try Transactor(configuration, id: "unheard", topic: "unheard")
        let transaction = Transaction.of(["a"])
        try transactor.run(.initialise, .produce(transaction), .sendPositions(transaction, nobody), .commit)
        try transactor.run(.produce(transaction))
        try broker.setReachable(false)
        let failure = try #require(try transactor.failure(.sendPositions(transaction, nobody)))
        #expect(failure.error.retry != .never)
        transactor.producer.close()
    }

    /// librdkafka waits for another coordinator of the group, and nothing tells of one.
    @Test func aCallThatDoesNotReturnCostsTheProducer() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let configuration = try Fixture.configuration(broker, ["transaction.timeout.ms": "1000"])
        let transactor = try Transactor(configuration, id: "stuck", topic: "stuck")
        let transaction = Transaction.of(["a"])
        try transactor.run(.initialise, .produce(transaction))
        let findCoordinator: Int16 = 10
        try broker.pushErrors([RD_KAFKA_RESP_ERR_NOT_COORDINATOR], request: findCoordinator)
        let failure = try #require(try transactor.failure(.sendPositions(transaction, nobody)))
        #expect(failure.remedy == .anew && failure.error.retry == .fatal)
        transactor.producer.close()
    }

    @Test func outputsThatAreNotDeliveredInTimeCostTheProducer() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let configuration = try Fixture.configuration(
            broker, ["transaction.timeout.ms": "2000", "reconnect.backoff.max.ms": "300"])
        let transactor = try Transactor(configuration, id: "late", topic: "late")
        try transactor.run(.initialise, .produce(.of(["a"])), .commit)
        try broker.setReachable(false)
        let failure = try #require(try transactor.failure(.produce(.of(["b"]))))
        #expect(failure.remedy == .abort && failure.error.code == .delivery)
        try broker.setReachable(true)
        var end = try transactor.failure(.abort)
        for _ in 0..<10 where end?.remedy == .again { end = try transactor.failure(.abort) }
        #expect(end?.remedy == .anew)
        transactor.producer.close()
    }
}
