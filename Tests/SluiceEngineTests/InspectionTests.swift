import SluiceCore
import SluiceLog
import SluiceState
import Testing

@testable import SluiceEngine

/// What a worker tells of its streams.
@Suite struct InspectionTests {
    private static let records = mixture(600, streams: 25, seed: 5)

    /// What the store holds of a stream that is in it alone, overwritten with nonsense.
    private func damage(_ log: SimulatedLog, _ worker: Worker) -> String? {
        let stored = log.saved[0]?.entries.keys.sorted { $0.lexicographicallyPrecedes($1) } ?? []
        let keys = stored.filter { $0.first != 0xFF }.map { String(decoding: $0, as: UTF8.self) }
        guard let key = keys.first(where: { worker.partitions[0]?.inMemory($0) == nil }) else { return nil }
        log.saved[0]?.entries[Array(key.utf8)] = [1, 2, 3]
        return key
    }

    @Test func aStateThatCannotBeReadIsAnErrorAndNoUnknownStream() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: 120_000)
        let worker = rig.worker
        var damaged: String?
        try rig.run { consumer in
            guard consumer.polls == 80 else { return }
            let saved = log.saved
            defer { log.saved = saved }
            let key = try #require(damage(log, worker))
            damaged = key
            let calls: [() throws -> Void] = [
                { _ = try worker.partition(of: key) }, { _ = try worker.export(key) },
                { _ = try worker.slot(key, withState: true, recent: 1) },
                { _ = try worker.list(prefix: "", after: nil, limit: 100) },
            ]
            for call in calls {
                let error = #expect(throws: SluiceError.self) { try call() }
                #expect(error?.code == .invalidState)
            }
            #expect(try worker.partition(of: "nobody") == nil)
        }
        #expect(damaged != nil)
    }

    @Test func aStateLeavesNoPartitionThatIsOnItsWayBack() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run()
        log.saved = [:]
        let rig = try WorkerRig(log)
        let worker = rig.worker
        var exported: [Bool: Int] = [:]
        try rig.run { _ in
            guard let state = worker.partitions[0], try state.find("stream-1") != nil else { return }
            #expect((try worker.export("stream-1") != nil) == state.isLive)
            #expect(worker.isWhole == state.isLive)
            exported[state.isLive, default: 0] += 1
        }
        #expect(exported[true] ?? 0 > 0 && exported[false] ?? 0 > 0)
    }

    @Test func whatWasAnsweredBeforeARestartIsCommitted() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run()
        log.saved = [:]
        let rig = try WorkerRig(log)
        let worker = rig.worker
        var seen: Set<Offset> = []
        try rig.run { _ in
            for view in worker.partitionViews() where view.progress > 0.5 { seen.insert(view.committed) }
        }
        #expect(seen == [600])
    }

    /// What was commanded before an input is on the audit when the transaction is that holds both.
    @Test func inATransactionNothingIsCommittedBeforeItIs() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let transactions = HeldTransactions()
        let rig = try WorkerRig(log, transactions: { transactions })
        let worker = rig.worker
        var seen: [Offset] = []
        try rig.run { consumer in
            guard let view = worker.partitionViews().first, view.isLive, [5, 11].contains(consumer.idlePolls) else {
                return
            }
            #expect(view.position == 600)
            seen.append(view.committed)
            transactions.release()
        }
        #expect(seen == [0, 600])
    }
}

extension InspectionTests {
    /// 0 would read as the whole log behind.
    @Test func whereAPartitionStandsIsNotKnownBeforeItsStateIsThere() throws {
        let log = SimulatedLog()
        log.append(mixture(100, seed: 2))
        try WorkerRig(log).run()
        let worker = try WorkerRig(log).worker
        worker.partitionsAssigned([0])
        let view = try #require(worker.partitionViews().first)
        #expect(view.position == nil && !view.isLive)
    }
}

/// Commits nothing before it is told to.
private final class HeldTransactions: TransactionalProducer {
    let messageBytesMax = 1_000_000
    private var isHeld = true
    private var isAsked = false
    private var ready: TransactionAnswer?

    func release() {
        if isAsked { ready = .done }
        (isHeld, isAsked) = (false, false)
    }

    func start(_ call: TransactionCall) {
        if case .commit = call, isHeld { isAsked = true } else { ready = .done }
    }

    func answer() -> TransactionAnswer? { ready.take() }
    func changelogEnd(_ partition: Int32) -> Offset? { nil }
    func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    func close() { ready = nil }
}
