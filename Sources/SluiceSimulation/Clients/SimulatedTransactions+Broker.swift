import SluiceCore
import SluiceLog

/// What a broker does with each request.
extension SimulatedTransactions {
    /// - Parameter twice: the answer is lost on the way, and the client sends the request again: it is answered to the
    ///   second one.
    func apply(_ call: TransactionCall, prefix: Bool, twice: Fault?) throws(BrokerError) {
        let coordinator = cluster.transactions
        if cluster.areCoordinatorsAway { throw .notCoordinator }
        if case .initialise = call {
            var made = try coordinator.initialise(name, timeout: timeout)
            if let twice {
                made = try coordinator.initialise(name, timeout: timeout)
                process.strike(twice)
            }
            producer = (made.producer, made.epoch)
            sequences = [:]
            return
        }
        guard let producer else { throw .invalidProducerMapping }
        switch call {
        case .initialise: break
        case .produce(let transaction): try produce(transaction, producer, prefix: prefix, twice: twice)
        case .sendPositions(let transaction, let member):
            try coordinator.add(name, producer.id, producer.epoch, partitions: [], positions: true)
            isOpen = true
            try coordinator.positions(name, producer.id, producer.epoch, transaction.positions, of: member)
            guard let twice else { return }
            process.strike(twice)
            try coordinator.positions(name, producer.id, producer.epoch, transaction.positions, of: member)
        case .commit, .abort:
            guard isOpen else { return }
            var commits = false
            if case .commit = call { commits = true }
            if let twice {
                try coordinator.end(name, producer.id, producer.epoch, commits: commits)
                process.strike(twice)
            }
            try coordinator.end(name, producer.id, producer.epoch, commits: commits)
            isOpen = false
        }
    }

    /// Adds the partitions and produces to them, each in order; with `prefix` only a part of it arrives.
    private func produce(
        _ transaction: Transaction, _ producer: (id: Int64, epoch: Int16), prefix: Bool, twice: Fault?
    ) throws(BrokerError) {
        let all = Topics.records(transaction.outputs, 0..<transaction.outputs.entries.count, cluster)
        guard !all.isEmpty else { return }
        if cluster.isOutputBlocked { throw .timedOut }
        try cluster.transactions.add(
            name, producer.id, producer.epoch, partitions: Set(all.map(\.partition)))
        isOpen = true
        ends = [:]
        let count = prefix ? cluster.random.below(all.count + 1) : all.count
        var left = all.prefix(count)[...]
        while let first = left.first {
            let size = min(
                left.prefix { $0.partition == first.partition }.count, isAlone ? 1 : 1 + cluster.random.below(20))
            let batch = left.prefix(size).map(\.record)
            do throws(BrokerError) {
                try cluster.admit(batch, to: first.partition.topic)
            } catch {
                refusal = Topics.refusal(of: batch, by: first.partition.topic, isAlone: isAlone)
                throw error
            }
            let sequence = sequences[first.partition] ?? 0
            let stamp = ProducerStamp(
                producer: producer.id, epoch: producer.epoch, sequence: sequence, isTransactional: true)
            let offset = try cluster.transactions.produce(name, to: first.partition, batch, stamp)
            sequences[first.partition] = sequence + Int32(size)
            if twice != nil || cluster.random.once(in: 10) { try again(batch, to: first.partition, stamp) }
            if first.partition.topic == Topics.slots {
                ends[first.partition.partition] = offset + Offset(size)
            }
            left = left.dropFirst(size)
        }
        if let twice, count > 0 { process.strike(twice) }
    }

    /// A batch arrives once more: the broker knows it by its sequence, and appends nothing.
    private func again(
        _ batch: [SimulatedRecord], to partition: TopicPartition, _ stamp: ProducerStamp
    ) throws(BrokerError) {
        var stamp = stamp
        if !isIdempotent {
            stamp.sequence += Int32(batch.count)
            sequences[partition] = stamp.sequence + Int32(batch.count)
        }
        _ = try cluster.transactions.produce(name, to: partition, batch, stamp)
    }
}

extension TransactionCall {
    var name: FaultCall {
        switch self {
        case .initialise: .initialise
        case .produce: .produce
        case .sendPositions: .sendPositions
        case .commit: .commit
        case .abort: .abort
        }
    }
}
