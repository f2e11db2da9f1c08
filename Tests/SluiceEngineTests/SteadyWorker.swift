import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState
import SluiceTestKit
import Testing

@testable import SluiceEngine

/// A worker between clients that lend what was made beforehand and throw away what they get, so that what is allocated
/// in a turn is the worker's own.
final class SteadyWorker {
    private static let turns = 60
    private static let partitions: [Int32] = [0, 1]

    private let batch: Int
    private let commitNanoseconds: Int64
    private let isExactlyOnce: Bool

    /// - Parameter batch: records of each turn.
    init(batch: Int, commitNanoseconds: Int64, isExactlyOnce: Bool = false) {
        self.batch = batch
        self.commitNanoseconds = commitNanoseconds
        self.isExactlyOnce = isExactlyOnce
    }

    /// Heap allocations of each turn of the loop, from poll to poll.
    func run() throws -> [Int] {
        let records = SteadyRecords.make(
            batch, as: pumps, streams: min(batch, SteadyRecords.streams), partitions: Self.partitions.count)
        // Each partition's in one run, as the log client hands them over.
        return try withLogRecords(records.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }) { lent in
            let (mailbox, notes) = (WorkerMailbox(), Notes())
            let consumer = LendingConsumer(
                Array(lent), turns: Self.turns, partitions: Self.partitions, stop: mailbox.stop)
            let worker = try Worker(
                index: 0,
                resources: WorkerResources(
                    consumer: consumer,
                    delivery: isExactlyOnce
                        ? .exactlyOnce(DiscardingTransactions.init) : .atLeastOnce(DiscardingProducer()),
                    control: SilentReader(),
                    makeReader: SilentReader.init, stores: DiscardingStores(), clock: ManualClock(), observer: notes,
                    makeFold: { _ in try Fold(specification: WorkerRig.specification, input: pumps) },
                    makeIdentity: { "steady" }),
                settings: WorkerSettings(
                    inputTopic: "observations", inputPartitions: 2, controlTopic: "control", eventsTopic: "events",
                    eventsPartitions: 1, commitNanoseconds: commitNanoseconds, checkpointNanoseconds: 0,
                    recentCapacity: 100),
                mailbox: mailbox)
            try worker.run()
            #expect(notes.seen.predictions == batch * Self.turns)
            return zip(consumer.counts, consumer.counts.dropFirst()).map { $1 - $0 }
        }
    }
}

/// Lends the same records at every poll, at ever higher offsets, and notes how many allocations the thread has made by
/// then.
private final class LendingConsumer: LogConsumer {
    private var records: [LogRecord]
    private let turns: Int
    private let partitions: [Int32]
    private let stop: () -> Void
    private weak var listener: (any RebalanceListener)?
    private var isMember = false
    private var started = 0
    private(set) var counts: [Int] = []

    init(_ records: [LogRecord], turns: Int, partitions: [Int32], stop: @escaping () -> Void) {
        self.records = records
        self.turns = turns
        self.partitions = partitions
        self.stop = stop
        counts.reserveCapacity(turns + 1)
    }

    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Void) throws {
        if !isMember {
            isMember = true
            listener?.partitionsAssigned(partitions)
        }
        guard started == partitions.count else { return }
        counts.append(allocationCount())
        guard counts.count <= turns else { return stop() }
        try records.withUnsafeBufferPointer(body)
        for index in 0..<records.count { records[index].offset += Offset(records.count) }
    }

    func subscribe(_ listener: any RebalanceListener) { self.listener = listener }
    func start(partition: Int32, at offset: Offset) { started += 1 }
    func pause(_ partitions: [Int32]) {}
    func resume(_ partitions: [Int32]) {}
    func committed(_ partitions: [Int32], timeoutMilliseconds: Int) -> [CommittedPosition] { [] }
    func startCommit(_ positions: [CommittedPosition]) {}
    func isCommitAnswered(timeoutMilliseconds: Int) -> Bool { true }
    func watermarks(partition: Int32, timeoutMilliseconds: Int) -> (low: Offset, high: Offset) {
        (0, Offset(records.count))
    }
    func membership() -> GroupMembership { GroupMembership(group: "steady", generation: 1, member: "one") }
    func wake() {}
    func close() {}
}

private final class DiscardingProducer: LogProducer {
    let pending = 0
    let messageBytesMax = 1_000_000
    let messagesMaximum = 100_000
    func produce(_ batch: inout OutputBatch) -> Bool {
        for index in batch.next..<batch.entries.count { batch.handOver(index) }
        return true
    }
    func poll(timeoutMilliseconds: Int) {}
    func flush(timeoutMilliseconds: Int) -> Bool { true }
    func close() {}
}

/// Each call is done when it is asked after.
private final class DiscardingTransactions: TransactionalProducer {
    let messageBytesMax = 1_000_000
    private var isDone = false
    func start(_ call: TransactionCall) { isDone = true }
    func answer() -> TransactionAnswer? {
        defer { isDone = false }
        return isDone ? .done : nil
    }
    func changelogEnd(_ partition: Int32) -> Offset? { nil }
    func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    func close() {}
}

private final class SilentReader: LogReader {
    func assign(_ positions: [TopicPartition: Offset]) {}
    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (String, LogRecord) throws -> Void) {}
    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) -> (low: Offset, high: Offset) { (0, 0) }
    func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) -> Offset { 0 }
    func position(_ partition: TopicPartition) -> Offset? { nil }
    func offset(_ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int) -> Offset? { nil }
    func onArrival(_ body: @escaping @Sendable () -> Void) {}
    func close() {}
}

private final class DiscardingStores: PartitionStores {
    func open(_ partition: Int32) -> any PartitionStore { DiscardingStore() }
    func onWritten(_ body: @escaping @Sendable () -> Void) {}
    func discard(_ partition: Int32) {}
}

private final class DiscardingStore: PartitionStore {
    private(set) var position: StoredPosition?
    let bytesOnDisk = 0
    func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
    func remove(key: UnsafeRawBufferPointer) {}
    func startWrite(_ position: StoredPosition) { self.position = position }
    func isWritten(waits: Bool) -> Bool { true }
    func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) -> Bool { false }
    func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) -> [UInt8]? { nil }
    func close() {}
}
