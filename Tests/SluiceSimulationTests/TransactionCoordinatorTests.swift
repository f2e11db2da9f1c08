import SluiceCore
import SluiceLog
import Testing

@testable import SluiceSimulation

/// What the transaction coordinator does, as Kafka's: KIP-98, KIP-447, and the first part of KIP-890.
@Suite struct TransactionCoordinatorTests {
    private let cluster = SimulatedCluster(seed: 1)
    private let partition = TopicPartition(topic: "t", partition: 0)
    private var coordinator: TransactionCoordinator { cluster.transactions }
    private static let second: Int64 = 1_000_000_000

    init() { cluster.addTopic("t", partitions: 1) }

    private func begin(_ producer: (producer: Int64, epoch: Int16), sequence: Int32 = 0) throws {
        try coordinator.add("x", producer.producer, producer.epoch, partitions: [partition])
        let stamp = ProducerStamp(
            producer: producer.producer, epoch: producer.epoch, sequence: sequence, isTransactional: true)
        _ = try coordinator.produce("x", to: partition, [record("a")], stamp)
    }

    @Test func theDecisionComesBeforeTheMarks() throws {
        let producer = try coordinator.initialise("x", timeout: 10 * Self.second)
        try begin(producer)
        try coordinator.end("x", producer.producer, producer.epoch, commits: true)
        #expect(coordinator.state("x") == .prepareCommit)
        #expect(try cluster.log(partition).lastStable == 0, "committed, and not yet to be read")
        #expect(throws: BrokerError.concurrentTransactions) { try begin(producer, sequence: 1) }
        cluster.advance(Self.second)
        #expect(coordinator.state("x") == .completeCommit)
        #expect(try cluster.log(partition).read(from: 0, .readCommitted, limit: 9).records.count == 1)
    }

    @Test func endingAgainIsAnsweredTheSame() throws {
        let producer = try coordinator.initialise("x", timeout: 10 * Self.second)
        try begin(producer)
        try coordinator.end("x", producer.producer, producer.epoch, commits: true)
        cluster.advance(Self.second)
        try coordinator.end("x", producer.producer, producer.epoch, commits: true)
        #expect(throws: BrokerError.invalidTransactionState) {
            try coordinator.end("x", producer.producer, producer.epoch, commits: false)
        }
    }

    @Test func aSuccessorAbortsWhatIsUnderWayAndFencesItsPredecessor() throws {
        let old = try coordinator.initialise("x", timeout: 10 * Self.second)
        try begin(old)
        #expect(throws: BrokerError.concurrentTransactions) {
            try coordinator.initialise("x", timeout: 10 * Self.second)
        }
        cluster.advance(Self.second)
        let new = try coordinator.initialise("x", timeout: 10 * Self.second)
        #expect(new.producer == old.producer && new.epoch > old.epoch)
        #expect(throws: BrokerError.producerFenced) {
            try coordinator.end("x", old.producer, old.epoch, commits: true)
        }
        #expect(try cluster.log(partition).read(from: 0, .readCommitted, limit: 9).records.isEmpty)
    }

    @Test func aTransactionThatTakesTooLongIsAbortedAndItsProducerFenced() throws {
        let producer = try coordinator.initialise("x", timeout: Self.second)
        try begin(producer)
        cluster.advance(2 * Self.second)
        #expect(coordinator.tally.timedOut == 1)
        #expect(throws: BrokerError.producerFenced) {
            try coordinator.end("x", producer.producer, producer.epoch, commits: true)
        }
    }

    @Test func recordsOfNoTransactionAreRefused() throws {
        let producer = try coordinator.initialise("x", timeout: Self.second)
        let stamp = ProducerStamp(producer: producer.producer, epoch: 0, sequence: 0, isTransactional: true)
        #expect(throws: BrokerError.invalidTransactionState) {
            try coordinator.produce("x", to: partition, [record("late")], stamp)
        }
    }

    @Test func positionsAreSeenWithTheCommitAndWaitedForMeanwhile() throws {
        let group = cluster.group
        let member = try group.join(nil, instance: "i", owned: [])
        let membership = GroupMembership(
            group: group.name, generation: group.generation, member: member, instance: "i")
        let producer = try coordinator.initialise("x", timeout: 10 * Self.second)
        try coordinator.add("x", producer.producer, producer.epoch, partitions: [], positions: true)
        let position = CommittedPosition(partition: 0, offset: 7, metadata: "m")
        try coordinator.positions("x", producer.producer, producer.epoch, [position], of: membership)
        #expect(throws: BrokerError.unstableOffsets) { try group.stable([0]) }
        try coordinator.end("x", producer.producer, producer.epoch, commits: true)
        #expect(throws: BrokerError.unstableOffsets, "decided, but its mark is on the way") { try group.stable([0]) }
        cluster.advance(Self.second)
        #expect(try group.stable([0]) == [position])
    }
}
