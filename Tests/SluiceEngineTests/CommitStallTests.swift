import SluiceCore
import SluiceLog
import Testing

@testable import SluiceEngine

/// Commits that do not come are seen.
@Suite struct CommitStallTests {
    private static let records = mixture(200, seed: 11)
    private static let refusal = SluiceError(.broker, "a rebalance", retry: .later)
    private static let said = "commits are refused, and tried again"

    private func rig(_ isExactlyOnce: Bool, _ transactions: ScriptedTransactions) throws -> WorkerRig {
        let log = SimulatedLog()
        log.append(Self.records)
        return try WorkerRig(log, transactions: isExactlyOnce ? { transactions } : nil)
    }

    @Test(arguments: [false, true]) func whatIsNotCommittedAgesAndIsSaidOnce(isExactlyOnce: Bool) throws {
        let rig = try rig(isExactlyOnce, ScriptedTransactions())
        var ages: [(seconds: Double, isStalled: Bool, notes: Int)] = []
        let (worker, clock, notes) = (rig.worker, rig.clock, rig.notes)
        try rig.run(idlePolls: 200) { consumer in
            consumer.refusal = (10..<100).contains(consumer.polls) ? Self.refusal : nil
            if (10..<100).contains(consumer.polls) { clock.advance(1_000_000_000) }
            ages.append(
                (
                    Double(worker.commitAgeNanoseconds) / 1e9, worker.isCommitStalled,
                    notes.seen.notes.count { $0 == Self.said }
                ))
        }
        #expect(ages[..<8].allSatisfy { $0.seconds < 1 && !$0.isStalled })
        #expect(ages[25].seconds > 10 && !ages[25].isStalled && ages[25].notes == 0)
        #expect(ages[60].seconds > 40 && ages[60].isStalled && ages[60].notes == 1)
        #expect(ages[98].seconds > ages[60].seconds && ages[98].notes == 1)
        #expect(try #require(ages.last) == (0, false, 1), "at rest")
    }

    @Test func transactionsThatFailAreCountedAndTheirAgeGoesOnThroughANewProducer() throws {
        let transactions = ScriptedTransactions()
        let rig = try rig(true, transactions)
        var ages: [Int64] = []
        let (worker, clock) = (rig.worker, rig.clock)
        try rig.run(idlePolls: 100) { consumer in
            if consumer.polls == 10 { transactions.failures = [.abort, .abort, .anew, .anew] }
            if !transactions.failures.isEmpty { clock.advance(1_000_000_000) }
            ages.append(worker.commitAgeNanoseconds)
        }
        #expect(rig.notes.seen.faults == [.aborted, .aborted, .begunAnew, .begunAnew])
        #expect(ages.max() ?? 0 > 3_000_000_000 && ages.last == 0)
        #expect(rig.notes.seen.commits > 0)
    }

    /// What was given up is somebody else's now, and comes to no commit here.
    @Test func whatIsLostAgesNoMore() throws {
        let rig = try rig(true, ScriptedTransactions())
        var age: Int64?
        let (worker, clock) = (rig.worker, rig.clock)
        try rig.run(idlePolls: 60) { consumer in
            consumer.refusal = consumer.polls < 20 ? Self.refusal : nil
            if consumer.polls == 20 {
                #expect(worker.commitAgeNanoseconds > 0)
                consumer.lose([0])
            }
            if consumer.polls > 30 { clock.advance(1_000_000_000) }
            age = worker.commitAgeNanoseconds
        }
        #expect(age == 0)
    }
}

/// Commits fail as they are told to, and everything else ends well.
private final class ScriptedTransactions: TransactionalProducer {
    let messageBytesMax = 1_000_000
    /// Of the next commits, in this order.
    var failures: [TransactionFailure.Remedy] = []
    private var ready: TransactionAnswer?

    func start(_ call: TransactionCall) {
        ready = .done
        if case .commit = call, !failures.isEmpty {
            ready = .failed(TransactionFailure(failures.removeFirst(), SluiceError(.broker, "no")))
        }
    }

    func answer() -> TransactionAnswer? { ready.take() }
    func changelogEnd(_ partition: Int32) -> Offset? { nil }
    func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    func close() { ready = nil }
}
