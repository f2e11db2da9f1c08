package import SluiceCore
package import SluiceLog

/// Records and positions.
extension SimulatedConsumer {
    func fetch(_ limit: Int) throws -> [FetchedRecord] {
        guard !process.isCutOff else { return [] }
        var left = min(limit, 1 + cluster.random.below(batchMaximum))
        var found: [FetchedRecord] = []
        for partition in positions.keys.sorted() where !paused.contains(partition) && left > 0 {
            guard let position = positions[partition] else { continue }
            let name = TopicPartition(topic: Topics.input, partition: partition)
            let log = try cluster.log(name)
            if silence.covers(name, process, hasRecords: { log.hasRecords(from: position) }) { continue }
            do {
                let read = try log.read(from: position, .readCommitted, limit: left)
                positions[partition] = read.records.isEmpty ? read.next : position
                found += read.records.map { FetchedRecord(topic: Topics.input, partition: partition, record: $0) }
                left -= read.records.count
            } catch {
                // `auto.offset.reset` is `error`.
                throw SluiceError(.broker, "\(Topics.input)/\(partition): no offset \(position)", retry: .fatal)
            }
        }
        return found
    }

    package func start(partition: Int32, at offset: Offset) throws { positions[partition] = offset }
    package func position(_ partition: Int32) -> Offset? { positions[partition] }
    package func pause(_ partitions: [Int32]) throws { paused.formUnion(partitions) }
    package func resume(_ partitions: [Int32]) throws { paused.subtract(partitions) }

    private func coordinator() throws {
        guard !cluster.areCoordinatorsAway, !process.isIsolated else {
            cluster.advance(100_000_000)
            throw SluiceError(.broker, BrokerError.notCoordinator.rawValue, retry: .later)
        }
        cluster.advance(2 * cluster.latency())
    }

    package func committed(_ partitions: [Int32], timeoutMilliseconds: Int) throws -> [CommittedPosition] {
        try process.call(.committed) {
            try coordinator()
            do { return try group.stable(partitions) } catch {
                throw SluiceError(.broker, BrokerError.unstableOffsets.rawValue, retry: .later)
            }
        }
    }

    /// The answer, or why there is none, is there later.
    package func startCommit(_ positions: [CommittedPosition]) throws {
        answersAfter = cluster.random.below(4)
        do {
            try ask(positions)
            refusal = nil
        } catch let error as SluiceError where error.retry == .later {
            refusal = error
        }
    }

    package func isCommitAnswered(timeoutMilliseconds: Int) throws -> Bool {
        guard !process.isDead else { throw Crash() }
        if timeoutMilliseconds > 0 {
            cluster.advance(Int64(answersAfter) * 1_000_000)
            answersAfter = 0
        }
        answersAfter -= 1
        guard answersAfter < 0 else { return false }
        if let refusal { throw refusal }
        return true
    }

    private func ask(_ positions: [CommittedPosition]) throws {
        try process.call(.plainCommit) {
            try coordinator()
            guard let member else {
                throw SluiceError(.broker, "the assignment was lost", retry: .fatal)
            }
            let membership = GroupMembership(
                group: group.name, generation: generation, member: member, instance: instance)
            do throws(BrokerError) { try group.commit(positions, of: membership) } catch {
                let isOver = error == .unknownMember || error == .fencedInstance
                throw SluiceError(.broker, error.rawValue, retry: isOver ? .fatal : .later)
            }
        }
    }

    package func watermarks(partition: Int32, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        try process.call(.watermarks) {
            guard !process.isCutOff else { throw SimulatedProcess.unanswered(.watermarks) }
            cluster.advance(2 * cluster.latency())
            let log = try cluster.log(TopicPartition(topic: Topics.input, partition: partition))
            return (log.low, log.lastStable)
        }
    }
}
