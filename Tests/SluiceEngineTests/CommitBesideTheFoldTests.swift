import SluiceCore
import SluiceLog
import SluiceState
import Testing

@testable import SluiceEngine

/// At-least-once: a commit goes on while inputs are folded.
@Suite struct CommitBesideTheFoldTests {
    private static let records = numbered(
        (0..<600).map { Record("stream-\($0 * 7 % 200)", Int64($0) * 1_000, Float($0 % 11)) })

    /// While the broker takes nothing inputs are folded, and neither store nor group hears of them.
    @Test func whatIsNotDeliveredIsNeitherStoredNorCommitted() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        var (foldedBlocked, began) = (0, Offset(0))
        try rig.run { [worker = rig.worker, producer = rig.producer] consumer in
            let delivered = Offset(log.answers().count)
            #expect(log.committed[0]?.offset ?? 0 <= delivered && log.saved[0]?.position.offset ?? 0 <= delivered)
            let position = worker.partitions[0]?.position ?? 0
            if consumer.polls == 5 { (producer.isBlocked, began) = (true, position) }
            if producer.isBlocked { foldedBlocked = Int(position - began) }
            if consumer.polls == 10 { producer.isBlocked = false }
        }
        #expect(foldedBlocked > 0, "folded while a commit waited for its outputs")
        #expect(log.committed[0]?.offset == 600 && log.saved[0]?.position.replayFrom == 600)
    }

    /// While the disk is busy inputs are folded, and nothing is committed that is not stored.
    @Test func whatIsNotStoredIsNotCommitted() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 10)
        let delivery = try #require(rig.worker.delivery as? AtLeastOnce)
        var (folded, began, committed) = (0, Offset(0), Offset?.none)
        try rig.run { [worker = rig.worker] consumer in
            let position = worker.partitions[0]?.position ?? 0
            if consumer.polls == 5 { log.isDiskSlow = true }
            if log.isDiskSlow, delivery.commit.phase == .storing {
                if committed == nil { (began, committed) = (position, log.committed[0]?.offset) }
                #expect(log.committed[0]?.offset == committed && log.saved[0]?.position.offset ?? 0 <= began)
                folded = Int(position - began)
            }
            if consumer.polls == 12 { log.isDiskSlow = false }
        }
        #expect(folded > 0, "folded while a commit waited for its store")
        #expect(log.committed[0]?.offset == 600 && log.saved[0]?.position.replayFrom == 600)
    }

    /// No timer stands between what ends a wait and the worker.
    @Test func deliveriesAndWritesWakeTheWorker() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        var wakes: [Int] = []
        try rig.run { [producer = rig.producer] consumer in
            guard wakes.isEmpty else { return }
            wakes.append(consumer.wakes)
            producer.tellDelivery?()
            wakes.append(consumer.wakes)
            log.tellWritten?()
            wakes.append(consumer.wakes)
        }
        #expect(wakes == [wakes[0], wakes[0] + 1, wakes[0] + 2])
    }

    /// A disk that takes no write keeps the input waiting, and the worker in its group.
    @Test func aDiskThatHangsHoldsTheInputBack() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 10)
        let delivery = try #require(rig.worker.delivery as? AtLeastOnce)
        var (hangs, positions) = (0, Set<Offset>())
        try rig.run(idlePolls: 100) { [worker = rig.worker, clock = rig.clock] consumer in
            if consumer.polls == 5 { log.isDiskSlow = true }
            guard log.isDiskSlow, delivery.commit.phase == .storing else { return }
            clock.advance(1_000_000_000)
            guard worker.isOutputBlocked else { return }
            hangs += 1
            positions.insert(worker.partitions[0]?.position ?? 0)
            if hangs == 40 { log.isDiskSlow = false }
        }
        #expect(hangs == 40 && positions.count == 1 && positions.first ?? 600 < 600)
        #expect(!rig.worker.isOutputBlocked)
        #expect(log.committed[0]?.offset == 600 && log.saved[0]?.position.replayFrom == 600)
    }

    /// A commit that waited long for its delivery has not waited for the disk.
    @Test func aBrokerThatWasAwayIsNoDiskThatHangs() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 1)
        let delivery = try #require(rig.worker.delivery as? AtLeastOnce)
        var slow = 0
        try rig.run { [producer = rig.producer, clock = rig.clock] consumer in
            if consumer.polls == 5 { producer.isBlocked = true }
            if consumer.polls == 10 {
                #expect(delivery.commit.phase != .none)
                clock.advance(20_000_000_000)
                (producer.isBlocked, log.isDiskSlow) = (false, true)
            } else if log.isDiskSlow, slow < 3, delivery.commit.phase == .storing {
                #expect(!delivery.isStoringLong && delivery.wait.refusal == nil)
                slow += 1
                log.isDiskSlow = slow < 3
            }
        }
        #expect(slow == 3)
        #expect(log.committed[0]?.offset == 600)
    }

    /// A partition's first commit takes the place of the one under way, which is not heard of any more.
    @Test func aCommitThatAnotherTookThePlaceOfIsNotDone() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        let delivery = try #require(rig.worker.delivery as? AtLeastOnce)
        var taken = 0
        try rig.run { [worker = rig.worker] consumer in
            guard taken == 0, let state = worker.partitions[0], state.position == 600 else { return }
            consumer.isSilent = true
            guard delivery.commit.phase == .committing, delivery.commit.positions.first?.offset == 600 else { return }
            taken += 1
            consumer.isSilent = false
            consumer.refusal = SluiceError(.broker, "the group rebalances", retry: .later)
            state.isCommitted = false
            #expect(throws: SluiceError.self) { try delivery.begin(state) }
            consumer.refusal = nil
            state.isCommitted = true
        }
        #expect(taken == 1)
        #expect(log.committed[0]?.offset == 600)
    }

    /// What a commit says is of its beginning: slots that changed since are written as they were.
    @Test(arguments: [false, true]) func aCrashWhileACommitIsUnderWayLosesNothing(crashesAfter: Bool) throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        var (crashAt, ahead) = (1, 0)
        var crashed = true
        while crashed {
            let log = SimulatedLog()
            log.append(Array(Self.records[..<400]))
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            let rig = try WorkerRig(log, seed: UInt64(crashAt))
            do {
                try rig.run { [producer = rig.producer] in
                    producer.isBlocked = $0.polls % 7 < 3 && $0.idlePolls == 0
                    log.isDiskSlow = $0.polls % 5 < 2 && $0.idlePolls == 0
                }
            } catch is Crash { crashed = true }
            if let worker = rig.worker.partitions[0], worker.position > log.committed[0]?.offset ?? 0 { ahead += 1 }
            if let saved = log.saved[0]?.position.offset, saved > log.committed[0]?.offset ?? 0 { ahead += 1 }
            log.revive()
            log.append(Array(Self.records[400...]))
            try WorkerRig(log).run()
            #expect(log.repeats(reference), "crash at \(crashAt)")
            crashAt += 1
        }
        #expect(ahead > 5, "crashes between store and commit")
    }

    /// No commit stores all that is dirty at once, and a log at rest is wholly stored within a checkpoint interval.
    @Test func slotsAreStoredSomeAtATime() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let stride = WorkerRig.specification.layout.stride
        let rig = try WorkerRig(log, checkpointPolls: 100, changesBytes: 1_000 * stride)
        var (most, before, quiet) = (0, 0, 0)
        try rig.run(idlePolls: 200) { [worker = rig.worker] consumer in
            guard let state = worker.partitions[0] else { return }
            let stored = log.saved[0]?.entries.count ?? 0
            // The first commit of all has nothing to wait for.
            if before > 0 { most = max(most, stored - before) }
            before = stored
            if consumer.idlePolls > 0, !state.isAllStored { quiet = consumer.idlePolls }
        }
        #expect(most > 0 && most < 100, "of 200")
        #expect(quiet > 20 && quiet <= 110)
        #expect(log.saved[0]?.position.replayFrom == 600)
    }
}
