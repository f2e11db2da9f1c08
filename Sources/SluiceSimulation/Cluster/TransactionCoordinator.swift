package import SluiceCore
package import SluiceLog

/// The broker's side of transactions, as of KIP-98, with the group's positions of KIP-447 and the verification of
/// KIP-890's first part (brokers from 3.6 on): a partition takes records only of a transaction that is under way.
package final class TransactionCoordinator {
    package enum State: Sendable { case empty, ongoing, prepareCommit, prepareAbort, completeCommit, completeAbort }

    private struct Entry {
        var producer: Int64
        var epoch: Int16
        var state = State.empty
        var timeout: Int64
        var startedAt: Int64 = 0
        var partitions: Set<TopicPartition> = []
        var hasPositions = false
        /// Marks that are not written yet.
        var pendingMarks = 0
    }

    package struct Tally: Sendable, Equatable {
        package var committed = 0
        package var aborted = 0
        package var timedOut = 0
        package var fenced = 0
        package init() {}
    }

    private unowned let cluster: SimulatedCluster
    private var entries: [String: Entry] = [:]
    private var nextProducer: Int64 = 1_000
    package private(set) var tally = Tally()

    init(_ cluster: SimulatedCluster) { self.cluster = cluster }

    package func state(_ name: String) -> State? { entries[name]?.state }
    /// The id of the producer of that name.
    package func producer(_ name: String) -> Int64? { entries[name]?.producer }
    /// Whether every transaction is decided and marked.
    package var isQuiet: Bool {
        entries.values.allSatisfy { $0.state != .ongoing && $0.state != .prepareCommit && $0.state != .prepareAbort }
    }

    /// INIT_PRODUCER_ID: a new epoch; what a predecessor has under way is aborted first, and asked for again meanwhile.
    package func initialise(_ name: String, timeout: Int64) throws(BrokerError) -> (producer: Int64, epoch: Int16) {
        guard var entry = entries[name] else {
            nextProducer += 1
            entries[name] = Entry(producer: nextProducer, epoch: 0, timeout: timeout)
            return (nextProducer, 0)
        }
        switch entry.state {
        case .prepareCommit, .prepareAbort: throw .concurrentTransactions
        case .ongoing:
            fence(name)
            tally.fenced += 1
            throw .concurrentTransactions
        case .empty, .completeCommit, .completeAbort:
            entry.epoch += 1
            entry.timeout = timeout
            entry.state = .empty
            entries[name] = entry
            return (entry.producer, entry.epoch)
        }
    }

    private func entry(_ name: String, _ producer: Int64, _ epoch: Int16) throws(BrokerError) -> Entry {
        guard let entry = entries[name], entry.producer == producer else { throw .invalidProducerMapping }
        guard entry.epoch == epoch else { throw .producerFenced }
        return entry
    }

    /// ADD_PARTITIONS_TO_TXN and ADD_OFFSETS_TO_TXN: the first of them begins the transaction.
    package func add(
        _ name: String, _ producer: Int64, _ epoch: Int16, partitions: Set<TopicPartition>, positions: Bool = false
    ) throws(BrokerError) {
        var entry = try entry(name, producer, epoch)
        if entry.state == .prepareCommit || entry.state == .prepareAbort { throw .concurrentTransactions }
        if entry.state != .ongoing {
            entry.state = .ongoing
            entry.startedAt = cluster.now
            entry.partitions = []
            entry.hasPositions = false
        }
        entry.partitions.formUnion(partitions)
        entry.hasPositions = entry.hasPositions || positions
        entries[name] = entry
    }

    /// PRODUCE of a transactional batch.
    package func produce(
        _ name: String, to partition: TopicPartition, _ records: [SimulatedRecord], _ stamp: ProducerStamp
    ) throws(BrokerError) -> Offset {
        guard let entry = entries[name], entry.producer == stamp.producer else { throw .invalidProducerMapping }
        guard entry.epoch == stamp.epoch else { throw .invalidProducerEpoch }
        guard entry.state == .ongoing, entry.partitions.contains(partition) else { throw .invalidTransactionState }
        return try cluster.log(partition).append(records, stamp)
    }

    /// TXN_OFFSET_COMMIT: checked by the group, visible with the commit.
    package func positions(
        _ name: String, _ producer: Int64, _ epoch: Int16, _ positions: [CommittedPosition], of member: GroupMembership
    ) throws(BrokerError) {
        let entry = try entry(name, producer, epoch)
        guard entry.state == .ongoing, entry.hasPositions else { throw .invalidTransactionState }
        try cluster.group.hold(positions, of: member, for: producer)
    }

    /// END_TXN: decides; the marks follow. Asked again it answers the same.
    package func end(_ name: String, _ producer: Int64, _ epoch: Int16, commits: Bool) throws(BrokerError) {
        let entry = try entry(name, producer, epoch)
        switch entry.state {
        case .ongoing: decide(name, commits: commits)
        case .completeCommit: if !commits { throw .invalidTransactionState }
        case .completeAbort: if commits { throw .invalidTransactionState }
        case .prepareCommit: throw commits ? .concurrentTransactions : .invalidTransactionState
        case .prepareAbort: throw commits ? .invalidTransactionState : .concurrentTransactions
        case .empty: throw .invalidTransactionState
        }
    }

    /// Aborts what is under way in a new epoch: whoever began it can do nothing any more.
    private func fence(_ name: String) {
        entries[name]?.epoch += 1
        decide(name, commits: false)
    }

    private func decide(_ name: String, commits: Bool) {
        guard var entry = entries[name] else { return }
        entry.state = commits ? .prepareCommit : .prepareAbort
        if commits { tally.committed += 1 } else { tally.aborted += 1 }
        let (producer, epoch) = (entry.producer, entry.epoch)
        entry.pendingMarks = entry.partitions.count + 1
        let partitions = entry.partitions.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
        entries[name] = entry
        for partition in partitions {
            cluster.after(cluster.markDelay()) { [unowned self] in
                let time = cluster.wallMilliseconds
                try? cluster.log(partition).mark(producer: producer, epoch: epoch, commits: commits, at: time)
                marked(name)
            }
        }
        cluster.after(cluster.markDelay()) { [unowned self] in
            cluster.group.decide(producer, commits: commits)
            marked(name)
        }
    }

    private func marked(_ name: String) {
        guard var entry = entries[name] else { return }
        entry.pendingMarks -= 1
        if entry.pendingMarks == 0 { entry.state = entry.state == .prepareCommit ? .completeCommit : .completeAbort }
        entries[name] = entry
    }

    /// Names that nobody uses are forgotten (`transactional.id.expiration.ms`), with their producers.
    ///
    /// - Returns: whether there were some.
    func expire() -> Bool {
        let idle = entries.filter { [.empty, .completeCommit, .completeAbort].contains($0.value.state) }.keys
        idle.forEach { entries[$0] = nil }
        return !idle.isEmpty
    }

    /// Aborts what has been under way for longer than its producer said.
    func tick() {
        for name in entries.keys.sorted() {
            guard let entry = entries[name], entry.state == .ongoing,
                cluster.now - entry.startedAt > entry.timeout
            else { continue }
            tally.timedOut += 1
            fence(name)
        }
    }
}
