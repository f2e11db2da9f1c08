import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

@Suite struct RebalanceTests {
    private static let records = mixture(300, partitions: 3, seed: 6)

    private func log() -> SimulatedLog {
        let log = SimulatedLog()
        log.append(Self.records)
        return log
    }

    @Test func whatIsRevokedIsDeliveredSavedAndCommittedFirst() throws {
        let log = log()
        let rig = try WorkerRig(log, partitions: [0, 1, 2], checkpointPolls: 1_000_000)
        var atRevocation: (position: Offset, committed: Offset?, saved: Offset?, answers: Int)?
        try rig.run { [worker = rig.worker] consumer in
            guard consumer.polls == 20 else { return }
            let position = worker.partitions[1]?.position ?? -1
            consumer.revoke([1])
            atRevocation = (
                position, log.committed[1]?.offset, log.saved[1]?.position.offset, log.answers(1).count
            )
        }
        let (position, committed, saved, answers) = try #require(atRevocation)
        #expect(position > 0 && position < 100)
        #expect(committed == position && saved == position)
        #expect(log.answers(1).count == answers, "nothing of it afterwards")
        let reference = try SimulatedLog.uninterrupted(Self.records, partitions: [0, 1, 2])
        try WorkerRig(log, partitions: [1]).run()
        for partition: Int32 in 0..<3 { #expect(log.answers(partition) == reference.answers(partition)) }
    }

    @Test func thatAPartitionIsLiveIsToldOnceWithWhatItTook() throws {
        var hasReplayed = false
        for crashAt in 20...60 {
            let log = log()
            log.crashAt = crashAt
            let first = try WorkerRig(log, partitions: [0, 1, 2], checkpointPolls: 40)
            try? first.run()
            #expect(first.notes.seen.live.allSatisfy { $0.report.streams == 0 && $0.report.replayed == 0 })
            log.revive()
            let rig = try WorkerRig(log, partitions: [0, 1, 2])
            try rig.run()
            let live = rig.notes.seen.live
            #expect(live.map(\.partition).sorted() == [0, 1, 2])
            #expect(live.reduce(0) { $0 + Int($1.report.replayed) } == rig.notes.seen.replayed)
            hasReplayed = hasReplayed || live.contains { $0.report.replayed > 0 && $0.report.streams > 0 }
        }
        #expect(hasReplayed)
    }

    @Test func whatIsLostIsNeitherSavedNorCommitted() throws {
        let log = log()
        let rig = try WorkerRig(log, partitions: [0, 1, 2])
        var atLoss: (committed: Offset?, saved: Offset?)?
        try rig.run { consumer in
            guard consumer.polls == 20 else { return }
            atLoss = (log.committed[1]?.offset, log.saved[1]?.position.offset)
            consumer.lose([1])
        }
        #expect(log.committed[1]?.offset == atLoss?.committed)
        #expect(log.saved[1]?.position.offset == atLoss?.saved)
        try WorkerRig(log, partitions: [1]).run()
        let reference = try SimulatedLog.uninterrupted(Self.records, partitions: [0, 1, 2])
        for partition: Int32 in 0..<3 { #expect(log.repeats(reference, partition)) }
    }

    @Test func partitionsThatComeAndGoAndComeAgainGoOn() throws {
        let log = log()
        let rig = try WorkerRig(log, partitions: [0])
        try rig.run { consumer in
            switch consumer.polls {
            case 5: consumer.assign([1, 2])
            case 12: consumer.revoke([0, 1])
            case 17: consumer.assign([1])
            case 18: consumer.revoke([1])
            case 19: consumer.lose([2])
            case 20: consumer.assign([0, 1, 2])
            default: break
            }
        }
        let reference = try SimulatedLog.uninterrupted(Self.records, partitions: [0, 1, 2])
        for partition: Int32 in 0..<3 { #expect(log.repeats(reference, partition)) }
        #expect(Set(rig.control.positions.keys.map(\.partition)) == [0, 1, 2])
    }

    @Test func aRevocationWhileTheOutputIsBlockedGivesUpInTimeAndLosesNothing() throws {
        let log = log()
        let rig = try WorkerRig(log, partitions: [0, 1, 2])
        rig.producer.capacity = 10
        let producer = rig.producer
        try rig.run(idlePolls: 100) { consumer in
            producer.isBlocked = (25..<80).contains(consumer.polls)
            if consumer.polls == 50 { consumer.revoke([2]) }
        }
        #expect(rig.notes.seen.notes.contains { $0.contains("will be read again") }, "\(rig.notes.seen.notes)")
        #expect(rig.consumer.paused.isSubset(of: [2]))
        try WorkerRig(log, partitions: [2]).run()
        let reference = try SimulatedLog.uninterrupted(Self.records, partitions: [0, 1, 2])
        for partition: Int32 in 0..<3 { #expect(log.repeats(reference, partition), "\(partition)") }
    }

    /// More slots are dirty than can be written before the partition must be given up.
    @Test func aRevocationWritesAsManySlotsAsItHasTimeForAndNothingBeginsAnew() throws {
        let log = SimulatedLog()
        log.append((0..<300).map { Record("stream-\($0)", Int64($0), 1) })
        let clock = ManualClock()
        let transactions = SlowTransactions(clock)
        let rig = try WorkerRig(log, checkpointPolls: 1_000_000, clock: clock, transactions: { transactions })
        let delivery = try #require(rig.worker.delivery as? ExactlyOnce)
        delivery.settledSlots = 1
        rig.consumer.batches = [300]
        var atRevocation: (position: Offset?, seconds: Double, slots: Int)?
        try rig.run { [worker = rig.worker] consumer in
            guard atRevocation == nil, worker.partitions[0]?.position == 300 else { return }
            transactions.milliseconds = 300
            let (position, before) = (worker.partitions[0]?.position, clock.monotonicNanoseconds())
            let slots = transactions.slots
            consumer.revoke([0])
            atRevocation = (
                position, Double(clock.monotonicNanoseconds() - before) / 1e9, transactions.slots - slots
            )
            transactions.milliseconds = 0
        }
        let (position, seconds, slots) = try #require(atRevocation)
        #expect(position == 300 && transactions.positions[0]?.offset == 300)
        #expect(slots > 0 && slots < 300 && seconds < 4, "\(slots) in \(seconds) s")
        #expect(!rig.notes.seen.notes.contains { $0.contains("begin anew") }, "\(rig.notes.seen.notes)")
    }
}

/// Takes its time, and all transactions end well.
private final class SlowTransactions: TransactionalProducer {
    let messageBytesMax = 1_000_000
    /// Of each commit.
    var milliseconds: Int64 = 0
    private(set) var positions: [Int32: CommittedPosition] = [:]
    /// Entries of the changelog so far.
    private(set) var slots = 0
    private let clock: ManualClock
    private var ready: TransactionAnswer?

    init(_ clock: ManualClock) { self.clock = clock }

    func start(_ call: TransactionCall) {
        ready = .done
        switch call {
        case .produce(let transaction): slots += transaction.outputs.entries.count { $0.topic == .slots }
        case .sendPositions(let transaction, _): for one in transaction.positions { positions[one.partition] = one }
        case .commit: clock.advance(milliseconds * 1_000_000)
        default: break
        }
    }

    func answer() -> TransactionAnswer? { ready.take() }
    func changelogEnd(_ partition: Int32) -> Offset? { nil }
    func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    func close() { ready = nil }
}

@Suite struct RestorePlanTests {
    struct Facts: Sendable, CustomTestStringConvertible {
        var stored: Offset?
        var committed: Offset?
        var low: Offset = 0
        var high: Offset = 1_000
        /// Stored, committed, and the ends of the control partition.
        var control: (Offset, Offset, low: Offset, high: Offset) = (0, 0, 0, 0)
        /// From where inputs are folded silently, answered, and commands read; nil: refused.
        var plan: (replay: Offset, live: Offset, control: Offset)?
        var notes = 0
        var testDescription: String { "stored \(stored ?? -1), committed \(committed ?? -1), \(low)..<\(high)" }
    }

    static let table = [
        Facts(plan: (0, 0, 0)),
        Facts(low: 40, plan: (40, 40, 0)),
        Facts(committed: 70, plan: (0, 70, 0), notes: 1),
        Facts(committed: 70, low: 40, plan: (40, 70, 0), notes: 2),
        Facts(committed: 70, low: 70, plan: (70, 70, 0), notes: 1),
        Facts(committed: 70, low: 80, plan: (80, 80, 0), notes: 1),
        Facts(stored: 70, committed: 70, plan: (70, 70, 0)),
        Facts(stored: 50, committed: 70, plan: (50, 70, 0)),
        Facts(stored: 90, committed: 70, plan: (90, 90, 0)),
        Facts(stored: 90, plan: (90, 90, 0)),
        Facts(stored: 50, committed: 70, low: 60, plan: (60, 70, 0)),
        Facts(stored: 50, committed: 70, low: 80, plan: (80, 80, 0)),
        Facts(stored: 1_000, committed: 1_000, plan: (1_000, 1_000, 0)),
        Facts(stored: 1_001, committed: 1_000),
        Facts(committed: 1_001),
        Facts(stored: 5, committed: 5, control: (3, 8, 0, 20), plan: (5, 5, 8)),
        Facts(stored: 5, committed: 5, control: (9, 8, 0, 20), plan: (5, 5, 9)),
        Facts(stored: 5, committed: 5, control: (3, 8, 10, 20), plan: (5, 5, 10), notes: 1),
        Facts(stored: 5, committed: 5, control: (3, 8, 0, 6), plan: (5, 5, 0), notes: 1),
        Facts(stored: 5, committed: 5, control: (3, 8, 0, 8), plan: (5, 5, 8)),
    ]

    @Test(arguments: table) func factsDecide(facts: Facts) throws {
        func plan() throws -> RestorePlan {
            try RestorePlan(
                RestoreFacts(
                    partition: TopicPartition(topic: "t", partition: 0),
                    committed: facts.committed.map { offset in
                        CommittedPosition(
                            partition: 0, offset: offset,
                            metadata: CommitMetadata(replayFrom: offset, controlOffset: facts.control.1).text)
                    },
                    low: facts.low, high: facts.high, partitions: 4, now: 0, tombstonesMilliseconds: 1_000),
                head: facts.stored.map {
                    ChangelogHead(
                        identity: "", offset: $0, replayFrom: $0, control: facts.control.0, model: "", latest: .absent)
                },
                controlLow: facts.control.low, controlHigh: facts.control.high)
        }
        guard let expected = facts.plan else {
            #expect(throws: SluiceError.self) { try plan() }
            return
        }
        let made = try plan()
        #expect(made.lost == (facts.stored.flatMap { $0 < facts.low ? $0..<facts.low : nil } ?? 0..<0))
        #expect((made.replayFrom, made.liveFrom, made.controlOffset) == expected)
        #expect(made.commandsFrom == (facts.stored == nil && facts.committed == nil ? expected.live : 1_000))
        #expect(made.notes.count == facts.notes)
    }

    private func plan(
        _ first: FirstOffset, committed: Offset? = nil, origin: Offset? = nil, stored: Offset? = nil, low: Offset = 40,
        changelog: Bool = false
    ) throws -> RestorePlan {
        try RestorePlan(
            RestoreFacts(
                partition: TopicPartition(topic: "t", partition: 0),
                committed: committed.map { offset in
                    let metadata = CommitMetadata(
                        replayFrom: offset, controlOffset: 0, identity: changelog ? "log" : "", origin: origin)
                    return CommittedPosition(partition: 0, offset: offset, metadata: metadata.text)
                },
                changelog: changelog ? (0, 10) : nil, low: low, high: 1_000, first: first, partitions: 4, now: 0,
                tombstonesMilliseconds: 1_000),
            head: stored.map {
                ChangelogHead(
                    identity: changelog ? "log" : "", offset: $0, replayFrom: $0, control: 0, model: "",
                    latest: .absent)
            }, controlLow: 0, controlHigh: 0)
    }

    @Test(arguments: [false, true]) func withoutAPositionAPartitionBeginsWhereItIsTold(changelog: Bool) throws {
        let earliest = try plan(.earliest, changelog: changelog)
        #expect((earliest.replayFrom, earliest.liveFrom) == (40, 40) && earliest.origin == nil)
        let latest = try plan(.latest, changelog: changelog)
        #expect((latest.replayFrom, latest.liveFrom, latest.commandsFrom) == (1_000, 1_000, 1_000))
        #expect(latest.origin == 1_000 && latest.lost.isEmpty && latest.notes.isEmpty)
        let error = #expect(throws: SluiceError.self) { try plan(.none, changelog: changelog) }
        #expect(error?.code == .missingPosition && error?.retry == .never)
        #expect(error?.message.contains("auto.offset.reset") == true)
    }

    /// What the number of partitions is known from: any of these is enough, and none of them is a state of before.
    @Test(arguments: [false, true]) func statesOfAnotherNumberOfPartitionsAreRefused(changelog: Bool) throws {
        func plan(committed: Int?, head: Int?) throws -> RestorePlan {
            let metadata = CommitMetadata(replayFrom: 5, controlOffset: 0, identity: "log", partitions: committed)
            return try RestorePlan(
                RestoreFacts(
                    partition: TopicPartition(topic: "t", partition: 0),
                    committed: CommittedPosition(partition: 0, offset: 5, metadata: metadata.text),
                    changelog: changelog ? (0, 10) : nil, low: 0, high: 9, partitions: 6, now: 0,
                    tombstonesMilliseconds: 1_000),
                head: ChangelogHead(
                    identity: "log", offset: 5, replayFrom: 5, control: 0, model: "", latest: .absent,
                    partitions: head), controlLow: 0, controlHigh: 0)
        }
        for (committed, head) in [(nil, nil), (6, nil), (nil, 6), (6, 6)] as [(Int?, Int?)] {
            #expect(try plan(committed: committed, head: head).liveFrom == 5)
        }
        for (committed, head) in [(4, nil), (nil, 4), (4, 4), (6, 4), (4, 6)] as [(Int?, Int?)] {
            let error = #expect(throws: SluiceError.self) { try plan(committed: committed, head: head) }
            #expect(error?.code == .topic && error?.retry == .never)
            #expect(error?.message.contains("t had 4 partitions when its states were written, and has 6 now") == true)
            #expect(error?.remedy?.contains("under a new application name") == true)
        }
    }

    @Test(arguments: [FirstOffset.earliest, .latest, .none], [false, true])
    func withAPositionItIsNotAskedWhereToBegin(first: FirstOffset, changelog: Bool) throws {
        let known = try plan(first, committed: 70, stored: 70, changelog: changelog)
        #expect((known.replayFrom, known.liveFrom) == (70, 70) && known.origin == nil)
        // A state that is lost is rebuilt from where it began, not from what the log holds besides.
        let lost = try plan(first, committed: 70, origin: 60, changelog: changelog)
        #expect((lost.replayFrom, lost.liveFrom) == (60, 70) && lost.origin == 60 && lost.lost.isEmpty)
        let passed = try plan(first, committed: 70, origin: 60, low: 65, changelog: changelog)
        #expect((passed.replayFrom, passed.liveFrom) == (65, 70) && passed.lost == (changelog ? 60..<65 : 0..<0))
    }

    @Test func whereAPartitionBeganIsCommittedBeforeAnythingIsAnswered() throws {
        let records = mixture(300)
        let reference = SimulatedLog()
        reference.append(Array(records.prefix(200)))
        try WorkerRig(reference, first: .latest).run()
        #expect(reference.outputs.isEmpty && reference.committed[0]?.offset == 200)
        #expect(CommitMetadata(reference.committed[0]?.metadata ?? "")?.origin == 200)
        reference.append(Array(records.suffix(100)))
        try WorkerRig(reference, first: .latest).run()
        let folded = SimulatedLog()
        folded.lows[0] = 200
        folded.append(Array(records.suffix(100)))
        try WorkerRig(folded).run()
        #expect(!folded.outputs.isEmpty && reference.outputs == folded.outputs)

        for crashAt in 1...30 {
            let log = SimulatedLog()
            log.append(Array(records.prefix(200)))
            log.crashAt = crashAt
            let rig = try WorkerRig(log, first: .latest)
            var hasMore = false
            try? rig.run { consumer in
                if consumer.polls == 3 { log.append(Array(records.suffix(100))) }
                hasMore = consumer.polls >= 3
            }
            log.revive()
            let began = CommitMetadata(log.committed[0]?.metadata ?? "")?.origin
            #expect(began != nil || log.outputs.isEmpty)
            // What was kept on this machine is lost as well.
            log.saved = [:]
            if !hasMore { log.append(Array(records.suffix(100))) }
            try WorkerRig(log, first: .latest).run()
            if began != nil { #expect(log.repeats(reference), "crash at \(crashAt)") }
        }
    }
}
