import SluiceCore
import Testing

@testable import SluiceSimulation

/// A record with this value, and a key if given.
func record(_ value: String?, key: String? = nil) -> SimulatedRecord {
    SimulatedRecord(key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
}

func texts(_ records: [SimulatedRecord]) -> [String] {
    records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
}

/// What a partition does, as Kafka's: KIP-98 for idempotence, marks and the last stable offset.
@Suite struct PartitionLogTests {
    private func stamp(_ sequence: Int32, producer: Int64 = 1, epoch: Int16 = 0) -> ProducerStamp {
        ProducerStamp(producer: producer, epoch: epoch, sequence: sequence, isTransactional: true)
    }

    @Test func aReadCommittedReaderStopsBeforeTheFirstUndecidedRecord() throws {
        let log = PartitionLog()
        try log.append([record("a")])
        try log.append([record("b")], stamp(0))
        try log.append([record("c")])
        #expect(log.lastStable == 1 && log.high == 3)
        #expect(texts(try log.read(from: 0, .readCommitted, limit: 10).records) == ["a"])
        #expect(texts(try log.read(from: 0, .readUncommitted, limit: 10).records) == ["a", "b", "c"])
        log.mark(producer: 1, epoch: 0, commits: true, at: 0)
        let read = try log.read(from: 0, .readCommitted, limit: 10)
        #expect(texts(read.records) == ["a", "b", "c"] && read.next == 4, "the position is behind the mark")
    }

    @Test func abortedRecordsAreNeverHandedOverButPassed() throws {
        let log = PartitionLog()
        try log.append([record("a"), record("b")], stamp(0))
        log.mark(producer: 1, epoch: 0, commits: false, at: 0)
        let read = try log.read(from: 0, .readCommitted, limit: 10)
        #expect(read.records.isEmpty && read.next == 3)
    }

    @Test func aBatchSentAgainIsAppendedOnce() throws {
        let log = PartitionLog()
        let first = try log.append([record("a"), record("b")], stamp(0))
        #expect(try log.append([record("a"), record("b")], stamp(0)) == first)
        #expect(log.high == 2)
    }

    @Test func aGapInTheSequenceIsRefused() throws {
        let log = PartitionLog()
        try log.append([record("a")], stamp(0))
        #expect(throws: BrokerError.outOfOrderSequence) { try log.append([record("c")], stamp(2)) }
    }

    @Test func anOlderEpochIsFencedByANewerMark() throws {
        let log = PartitionLog()
        try log.append([record("a")], stamp(0))
        log.mark(producer: 1, epoch: 1, commits: false, at: 0)
        #expect(throws: BrokerError.invalidProducerEpoch) { try log.append([record("b")], stamp(1)) }
        try log.append([record("b")], stamp(0, epoch: 1))
    }

    @Test func retentionMovesTheBeginning() throws {
        let log = PartitionLog()
        try log.append([record("a"), record("b")])
        log.retain(from: 1)
        #expect(log.low == 1)
        #expect(throws: BrokerError.offsetOutOfRange) { try log.read(from: 0, .readCommitted, limit: 1) }
    }

    @Test func compactionKeepsTheLatestCommittedRecordOfEachKey() throws {
        let log = PartitionLog()
        try log.append([record("1", key: "k"), record("2", key: "k"), record("1", key: "other")])
        try log.append([record("3", key: "k")], stamp(0))
        log.mark(producer: 1, epoch: 0, commits: false, at: 0)
        log.compact(now: 0, deleteRetention: 10, activeRecords: 0)
        let read = try log.read(from: 0, .readCommitted, limit: 10)
        #expect(read.records.map(\.offset) == [1, 2], "an aborted record replaces nothing")
    }

    @Test func compactionStopsBeforeWhatIsUndecided() throws {
        let log = PartitionLog()
        try log.append([record("1", key: "k")])
        try log.append([record("2", key: "k")], stamp(0))
        try log.append([record("3", key: "k")])
        log.compact(now: 0, deleteRetention: 10, activeRecords: 0)
        #expect(try log.read(from: 0, .readUncommitted, limit: 10).records.count == 3)
    }

    @Test func aTombstoneGoesOnlyWhenItsHorizonHasPassed() throws {
        let log = PartitionLog()
        try log.append([record("1", key: "k"), record(nil, key: "k")])
        log.compact(now: 0, deleteRetention: 10, activeRecords: 0)
        log.compact(now: 9, deleteRetention: 10, activeRecords: 0)
        #expect(try log.read(from: 0, .readCommitted, limit: 10).records.map(\.offset) == [1])
        log.compact(now: 10, deleteRetention: 10, activeRecords: 0)
        #expect(try log.read(from: 0, .readCommitted, limit: 10).records.isEmpty)
        #expect(log.high == 2, "offsets have gaps, the end stays")
    }
}
