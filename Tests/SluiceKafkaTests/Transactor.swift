import Dispatch
import SluiceCore
import SluiceKafka
import SluiceLog
import Testing

/// A transactional producer whose calls are waited for.
final class Transactor {
    let producer: KafkaTransactions
    private let answered = DispatchSemaphore(value: 0)

    init(_ configuration: KafkaConfiguration, id: String, topic: String, isAlone: Bool = false) throws {
        producer = try KafkaTransactions(
            configuration, id: id, input: "\(topic)-input",
            topics: [.predictions: topic, .slots: "\(topic)-slots"], isAlone: isAlone, health: Fixture.health,
            logger: Fixture.quiet)
        producer.onAnswer { [answered] in answered.signal() }
    }

    /// Nil: it was done.
    func failure(_ call: TransactionCall) throws -> TransactionFailure? {
        producer.start(call)
        // An answer in place of a call that does not return is told to who asks.
        var answer = producer.answer()
        let end = ContinuousClock.now + .seconds(60)
        while answer == nil, .now < end {
            _ = answered.wait(timeout: .now() + .milliseconds(500))
            answer = producer.answer()
        }
        switch try #require(answer, "no answer") {
        case .done: return nil
        case .failed(let failure): return failure
        }
    }

    func run(_ calls: TransactionCall...) throws {
        for call in calls {
            let failure = try failure(call)
            try #require(failure == nil, "\(call): \(failure.map { "\($0)" } ?? "")")
        }
    }
}

extension Transaction {
    /// Predictions and as many records of the changelog, and a position.
    static func of(_ values: [String], partition: Int32 = 0) -> Transaction {
        let transaction = Transaction()
        for value in values {
            transaction.outputs.add(key: "k", value: value, partition: partition, headers: [("h", value)])
            transaction.outputs.add(.slots, key: value, value: value, partition: partition)
        }
        transaction.positions = [CommittedPosition(partition: partition, offset: 5, metadata: "R=3")]
        return transaction
    }
}

let nobody = GroupMembership(group: "transactions", generation: 1, member: "one")
