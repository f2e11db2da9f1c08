package import SluiceCore

/// One partition: an array of records by offset, who produced them, and where the undecided begins.
///
/// Semantics are those of a broker from 3.6 on: idempotence and epochs by producer id and partition, control marks, the
/// last stable offset (KIP-98), compaction by key up to it, retention from the front.
package final class PartitionLog {
    package enum Isolation: Sendable { case readCommitted, readUncommitted }

    private struct ProducerEntry {
        var epoch: Int16
        /// Next expected; nil after a mark of a newer epoch, where any sequence begins.
        var next: Int32
        /// Batches whose repetition is known, newest last, five as in Kafka.
        var batches: [(first: Int32, last: Int32, offset: Offset)] = []
        /// First record of its open transaction here.
        var openFrom: Offset?
    }

    /// All that was ever appended, by offset: what compaction took is still there, marked as gone, for the checkers.
    package private(set) var archive: [SimulatedRecord] = []
    /// First offset that retention has left.
    package private(set) var low: Offset = 0
    private var producers: [Int64: ProducerEntry] = [:]

    package init() {}

    /// The offset the next record will get; one replica, so all that is appended is below the high watermark.
    package var high: Offset { Offset(archive.count) }
    /// Before it everything is decided.
    package var lastStable: Offset { producers.values.compactMap(\.openFrom).min() ?? high }

    /// Appends a batch.
    ///
    /// - Returns: the offset of its first record; of the first time, when this is a repetition.
    /// - Throws: `INVALID_PRODUCER_EPOCH`, `OUT_OF_ORDER_SEQUENCE_NUMBER`.
    @discardableResult
    package func append(_ records: [SimulatedRecord], _ stamp: ProducerStamp? = nil) throws(BrokerError) -> Offset {
        let first = high
        guard let stamp, !records.isEmpty else {
            records.forEach { push($0, nil, .plain) }
            return first
        }
        var entry = producers[stamp.producer] ?? ProducerEntry(epoch: stamp.epoch, next: stamp.sequence)
        guard stamp.epoch >= entry.epoch else { throw .invalidProducerEpoch }
        if stamp.epoch > entry.epoch { entry = ProducerEntry(epoch: stamp.epoch, next: 0) }
        let last = stamp.sequence + Int32(records.count) - 1
        if let same = entry.batches.first(where: { $0.first == stamp.sequence && $0.last == last }) {
            return same.offset
        }
        guard stamp.sequence == entry.next else { throw .outOfOrderSequence }
        records.forEach { push($0, stamp, stamp.isTransactional ? .undecided : .plain) }
        entry.next = last + 1
        entry.batches.append((stamp.sequence, last, first))
        if entry.batches.count > 5 { entry.batches.removeFirst() }
        if stamp.isTransactional && entry.openFrom == nil { entry.openFrom = first }
        producers[stamp.producer] = entry
        return first
    }

    private func push(_ record: SimulatedRecord, _ stamp: ProducerStamp?, _ fate: SimulatedRecord.Fate) {
        var record = record
        record.offset = high
        record.stamp = stamp
        record.fate = fate
        archive.append(record)
    }

    /// Ends a producer's transaction here. A newer epoch fences the older one from now on.
    package func mark(producer: Int64, epoch: Int16, commits: Bool, at time: EpochMilliseconds) {
        var entry = producers[producer] ?? ProducerEntry(epoch: epoch, next: 0)
        guard epoch >= entry.epoch else { return }
        if epoch > entry.epoch { entry.next = 0; entry.batches = []; entry.epoch = epoch }
        for offset in Int(entry.openFrom ?? high)..<archive.count
        where archive[offset].stamp?.producer == producer && archive[offset].fate == .undecided {
            archive[offset].fate = commits ? .committed : .aborted
        }
        entry.openFrom = nil
        producers[producer] = entry
        var mark = SimulatedRecord(key: nil, value: nil, timestamp: time)
        mark.isMark = true
        push(
            mark, ProducerStamp(producer: producer, epoch: epoch, sequence: -1, isTransactional: true),
            commits ? .committed : .aborted)
    }

    /// What a reader at `offset` is given, and where it stands behind it: also behind marks, aborted records and gaps
    /// at the end, as a client's position does.
    ///
    /// - Throws: `OFFSET_OUT_OF_RANGE`.
    package func read(
        from offset: Offset, _ isolation: Isolation, limit: Int
    ) throws(BrokerError) -> (records: [SimulatedRecord], next: Offset) {
        guard (low...high).contains(offset) else { throw .offsetOutOfRange }
        let end = isolation == .readCommitted ? lastStable : high
        var found: [SimulatedRecord] = []
        var next = offset
        while next < end && found.count < limit {
            let record = archive[Int(next)]
            next += 1
            if record.isGone || record.isMark { continue }
            if isolation == .readCommitted && record.fate == .aborted { continue }
            found.append(record)
        }
        return (found, next)
    }

    /// Whether a reader with `read_committed` at `offset` would be given something.
    func hasRecords(from offset: Offset) -> Bool {
        (try? read(from: offset, .readCommitted, limit: 1).records.isEmpty) == false
    }

    /// Retention: all before `offset` is gone.
    ///
    /// - Returns: whether something has gone by it.
    @discardableResult
    package func retain(from offset: Offset) -> Bool {
        let before = low
        low = min(max(low, offset), lastStable)
        return low > before
    }

    /// Compaction: of each key the latest decided record stays; aborted ones go. Tombstones and marks go when the
    /// horizon that the first run gave them has passed.
    ///
    /// - Parameter activeRecords: newest records that lie in the active segment, which is never compacted.
    /// - Returns: whether something has gone by it.
    @discardableResult
    package func compact(now: Int64, deleteRetention: Int64, activeRecords: Int) -> Bool {
        let end = max(low, min(lastStable, high - Offset(activeRecords)))
        var latest: [[UInt8]: Offset] = [:]
        for offset in low..<end {
            let record = archive[Int(offset)]
            if let key = record.key, record.isCommitted { latest[key] = offset }
        }
        var hasGone = false
        for offset in low..<end where !archive[Int(offset)].isGone {
            defer { hasGone = hasGone || archive[Int(offset)].isGone }
            let record = archive[Int(offset)]
            if !record.isMark && !record.isCommitted {
                archive[Int(offset)].isGone = true
            } else if let key = record.key, latest[key] != offset {
                archive[Int(offset)].isGone = true
            } else if record.isMark || record.value == nil {
                if let horizon = record.deleteHorizon {
                    archive[Int(offset)].isGone = now >= horizon
                } else {
                    archive[Int(offset)].deleteHorizon = now + deleteRetention
                }
            }
        }
        return hasGone
    }
}
