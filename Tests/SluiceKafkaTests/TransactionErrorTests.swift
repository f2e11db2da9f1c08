import CLibrdkafka
import SluiceCore
import SluiceLog
import Testing

@testable import SluiceKafka

/// What each class of error means at each request: the broker answers the next request of a kind with it.
@Suite struct TransactionErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// Kafka's numbers of the requests.
        enum Request: Int16 {
            case produce = 0
            case initProducerID = 22
            case addPartitions = 24
            case addOffsets = 25
            case endTransaction = 26
            case offsetCommit = 28
        }
        let request: Request
        let error: rd_kafka_resp_err_t
        /// Nil: librdkafka deals with it.
        let remedy: TransactionFailure.Remedy?

        init(_ request: Request, _ error: rd_kafka_resp_err_t, _ remedy: TransactionFailure.Remedy?) {
            self.request = request
            self.error = error
            self.remedy = remedy
        }

        var testDescription: String { "\(request) \(KafkaError(error).name)" }
    }

    static let cases = [
        Case(.initProducerID, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, nil),
        Case(.initProducerID, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, nil),
        Case(.initProducerID, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, .anew),
        Case(.initProducerID, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, .anew),
        Case(.addPartitions, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, nil),
        Case(.addPartitions, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, nil),
        Case(.addPartitions, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, .abort),
        Case(.addPartitions, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, .anew),
        Case(.addPartitions, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, .anew),
        Case(.produce, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, nil),
        Case(.produce, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, .abort),
        Case(.produce, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, .anew),
        Case(.addOffsets, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, nil),
        Case(.addOffsets, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, .abort),
        Case(.addOffsets, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, .anew),
        Case(.offsetCommit, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, nil),
        Case(.offsetCommit, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, .abort),
        Case(.offsetCommit, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, .abort),
        Case(.offsetCommit, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, .abort),
        Case(.offsetCommit, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, .abort),
        Case(.offsetCommit, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, .anew),
        Case(.endTransaction, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, nil),
        Case(.endTransaction, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, nil),
        Case(.endTransaction, RD_KAFKA_RESP_ERR_INVALID_REQUEST, .abort),
        Case(.endTransaction, RD_KAFKA_RESP_ERR_UNKNOWN, .anew),
        Case(.endTransaction, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, .anew),
        Case(.endTransaction, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, .anew),
    ]

    @Test(arguments: cases)
    func everyErrorHasItsRemedy(_ test: Case) throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let transactor = try Transactor(Fixture.configuration(broker), id: "errors", topic: "errors")
        defer { transactor.producer.close() }
        let first = Transaction.of(["a"])
        if test.request != .initProducerID {
            // A life without errors before it: its coordinators are known, and it is not the first that is refused.
            try transactor.run(.initialise, .produce(first), .sendPositions(first, nobody), .commit)
        }
        try broker.pushErrors([test.error], request: test.request.rawValue)
        let second = Transaction.of(["b", "c"])
        var calls: [TransactionCall] = [.produce(second), .sendPositions(second, nobody), .commit]
        if test.request == .initProducerID { calls.insert(.initialise, at: 0) }
        var failure: TransactionFailure?
        for call in calls where failure == nil { failure = try transactor.failure(call) }
        #expect(failure?.remedy == test.remedy, "\(failure.map { "\($0.error)" } ?? "done")")
        guard let failure else { return }
        #expect((failure.error.cause as? KafkaError) != nil)
        switch failure.remedy {
        case .again: Issue.record("librdkafka itself tries again")
        case .anew: #expect(failure.error.retry != .later)
        case .abort:
            let end = try transactor.failure(.abort)
            guard test.request == .offsetCommit || test.request == .addOffsets || test.request == .endTransaction else {
                #expect(end?.remedy == .anew, "messages were given up")
                return
            }
            #expect(end == nil, "\(end.map { "\($0.error)" } ?? "")")
            try transactor.run(.produce(second), .sendPositions(second, nobody), .commit)
        }
    }

    @Test func anAbortThatIsRefusedIsNotGuessedAt() throws {
        let broker = try EmbeddedBroker(logger: Fixture.quiet)
        defer { broker.close() }
        let transactor = try Transactor(Fixture.configuration(broker), id: "abort", topic: "abort")
        defer { transactor.producer.close() }
        try transactor.run(.initialise, .produce(.of(["a"])))
        try broker.pushErrors([RD_KAFKA_RESP_ERR_INVALID_TXN_STATE], request: Case.Request.endTransaction.rawValue)
        #expect(try transactor.failure(.abort)?.remedy == .anew)
    }
}
