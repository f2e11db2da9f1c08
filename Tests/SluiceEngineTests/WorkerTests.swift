import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite struct WorkerTests {
    private static let records = mixture(400)

    @Test func answersAreTheFoldsAndAreCommitted() throws {
        let log = try SimulatedLog.uninterrupted(Self.records)
        #expect(log.outputs == (try FoldRig(WorkerRig.specification).run(Self.records, batches: [50])))
        #expect(log.committed[0]?.offset == 400)
        #expect(log.saved[0]?.position.offset == 400)
    }

    @Test func aRestartGoesOnWhereItStoppedAndRepeatsNothing() throws {
        let expected = try SimulatedLog.uninterrupted(Self.records).outputs
        for stops in [[1], [200], [7, 50, 399], [100, 100, 101]] {
            let log = SimulatedLog()
            var written = 0
            for stop in stops + [400] {
                log.append(Array(Self.records[written..<stop]))
                written = stop
                let rig = try WorkerRig(log)
                try rig.run()
                #expect(rig.notes.seen.replayed == 0)
                #expect(rig.consumer.isClosed && rig.producer.isClosed && rig.control.isClosed)
            }
            #expect(log.outputs == expected, "\(stops)")
        }
    }

    /// A crash before and after every call with an effect: nothing is lost, nothing differs, some is repeated.
    @Test(arguments: [false, true]) func aCrashAnywhereOnlyRepeats(crashesAfter: Bool) throws {
        let records = mixture(120, partitions: 2, seed: 5)
        let reference = try SimulatedLog.uninterrupted(records, partitions: [0, 1])
        var crashAt = 1
        var crashed = true
        while crashed {
            let log = SimulatedLog()
            log.append(records)
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            do {
                try WorkerRig(log, partitions: [0, 1], seed: UInt64(crashAt)).run()
            } catch is Crash { crashed = true }
            log.revive()
            try WorkerRig(log, partitions: [0, 1]).run()
            for partition: Int32 in [0, 1] {
                #expect(log.repeats(reference, partition), "crash at \(crashAt)")
                #expect(log.committed[partition]?.offset == reference.committed[partition]?.offset)
            }
            crashAt += 1
        }
        #expect(crashAt > 40)
    }

    @Test func crashesOneAfterTheOtherOnlyRepeat() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        for seed in 0..<20 as Range<UInt64> {
            var generator = Generator(seed: seed)
            let log = SimulatedLog()
            log.append(Self.records)
            var lives = 0
            var isOver = false
            while !isOver {
                log.revive()
                (log.crashAt, log.crashesAfter) = (lives < 12 ? 1 + generator.below(60) : .max, generator.below(2) == 0)
                lives += 1
                let rig = try WorkerRig(log, seed: generator.next())
                rig.consumer.batches = [1 + generator.below(40), 3]
                do {
                    try rig.run()
                    isOver = true
                } catch is Crash { continue }
            }
            #expect(log.repeats(reference), "seed \(seed)")
        }
    }

    @Test func aLostStateIsBuiltAgainSilently() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Array(Self.records[..<300]))
        try WorkerRig(log).run()
        log.saved = [:]
        log.append(Array(Self.records[300...]))
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(log.outputs == reference.outputs)
        #expect(rig.notes.seen.replayed == 300)
        #expect(rig.notes.seen.notes.contains { $0.contains("300 inputs are folded again") })
    }

    @Test func aStateBehindTheCommitIsBroughtForwardSilently() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Array(Self.records[..<200]))
        try WorkerRig(log).run()
        let old = log.saved
        log.append(Array(Self.records[200..<300]))
        try WorkerRig(log).run()
        log.saved = old
        log.append(Array(Self.records[300...]))
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(log.outputs == reference.outputs)
        #expect(rig.notes.seen.replayed == 100)
    }

    /// At-least-once the store is the truth: a model's file that somebody has moved must not cost it.
    @Test func theStateOfAModelThatIsNotHereIsKeptAndAskedFor() throws {
        let other = FoldSpecification(
            model: makeModel(hidden: 9, seed: 99), boundaries: WorkerRig.specification.boundaries)
        let log = SimulatedLog()
        log.append(Array(Self.records[..<250]))
        try WorkerRig(log, specification: other).run()
        let saved = log.saved
        log.append(Array(Self.records[250...]))
        let error = #expect(throws: SluiceError.self) { try WorkerRig(log).run() }
        #expect(error?.code == .unknownModel && error?.retry == .never)
        #expect(error?.remedy?.contains("state directory") == true)
        #expect(log.saved == saved && log.committed[0]?.offset == 250)
        try WorkerRig(log, others: [other]).run()
        #expect(log.outputs == (try SimulatedLog.uninterrupted(Self.records, specification: other)).outputs)
    }

    @Test func aStateThatIsNotThisLogsIsKept() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<250]))
        try WorkerRig(log).run()
        // It holds more than it says.
        log.saved[0]?.position.offset = 100
        log.saved[0]?.position.replayFrom = 100
        log.committed[0]?.offset = 100
        let saved = log.saved
        let error = #expect(throws: SluiceError.self) { try WorkerRig(log).run(idlePolls: 5_000) }
        #expect(error?.code == .foreignState && error?.remedy != nil)
        #expect(log.saved == saved)
    }

    @Test func aStateInAnothersPlaceIsDamage() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<250]))
        try WorkerRig(log).run()
        var saved = try #require(log.saved[0])
        let (one, other) = (Array("stream-1".utf8), Array("stream-2".utf8))
        (saved.entries[one], saved.entries[other]) = (saved.entries[other], saved.entries[one])
        log.saved[0] = saved
        log.append(Array(Self.records[250...]))
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(log.outputs == (try SimulatedLog.uninterrupted(Self.records)).outputs)
        #expect(rig.notes.seen.notes.contains { $0.contains("cannot be used") })
    }

    @Test func aCorruptStateIsBuiltAgain() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Array(Self.records[..<250]))
        try WorkerRig(log).run()
        let key = try #require(log.saved[0]?.entries.keys.first)
        log.saved[0]?.entries[key]?[60] ^= 1
        log.append(Array(Self.records[250...]))
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(log.outputs == reference.outputs)
        #expect(rig.notes.seen.notes.contains { $0.contains("cannot be used") })
    }

    /// The input is of transactions, and ends with the mark of one: no record is behind the last.
    @Test(arguments: [false, true]) func marksThatRetentionTookAreNoInputs(crashes: Bool) throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<100]))
        log.marks[0] = 1
        let rig = try WorkerRig(log, checkpointPolls: 20)
        try rig.run(idlePolls: 60) { consumer in
            if crashes && consumer.idlePolls == 59 { log.crashAt = log.calls + 1 }
        }
        #expect(log.committed[0]?.offset == 101 && log.saved[0]?.position.replayFrom == 101)
        log.inputs[0] = []
        log.lows[0] = 101
        log.marks[0] = 0
        let next = try WorkerRig(log)
        try next.run()
        #expect(next.notes.seen.notes.isEmpty, "\(next.notes.seen.notes)")
        #expect(log.committed[0]?.offset == 101)
    }

    @Test func aCommitBehindMarksIsReachedInAReplay() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<100]))
        log.marks[0] = 2
        try WorkerRig(log).run()
        #expect(log.committed[0]?.offset == 102)
        log.saved = [:]
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(rig.notes.seen.replayed == 100 && rig.worker.partitions.isEmpty)
        #expect(log.saved[0]?.position.offset == 102)
        #expect(log.outputs == (try SimulatedLog.uninterrupted(Array(Self.records[..<100]))).outputs)
    }

    @Test func aLogAtRestIsSoonSavedToItsEnd() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<100]))
        let rig = try WorkerRig(log, checkpointPolls: 60)
        var saved: [Offset?] = []
        try rig.run(idlePolls: 200) { consumer in
            guard consumer.polls > 10, [1, 199].contains(consumer.idlePolls) else { return }
            saved.append(log.saved[0]?.position.offset)
        }
        #expect(saved.count == 2 && saved[0] != 100 && saved[1] == 100)
    }

    private func withRetentionPast() throws -> SimulatedLog {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<100]))
        try WorkerRig(log).run()
        log.append(Array(Self.records[100...]))
        log.inputs[0]?.removeFirst(150)
        log.lows[0] = 150
        return log
    }

    @Test func inputsThatRetentionTookStopTheService() throws {
        let log = try withRetentionPast()
        do {
            try WorkerRig(log).run()
            Issue.record("it went on")
        } catch let error as SluiceError {
            #expect(error.code == .lostInput && error.retry == .never && error.description.contains("cold-start"))
        }
        #expect(log.committed[0]?.offset == 100)
    }

    @Test func inputsThatRetentionTookLeaveStreamsColdWhereThatIsAskedFor() throws {
        let log = try withRetentionPast()
        let rig = try WorkerRig(log, lostInput: .coldStart)
        try rig.run()
        #expect(rig.notes.seen.notes.contains { $0.contains("begin cold, among them stream-") })
        let first = log.answers().first { $0.topic == .predictions && ($0.offset ?? 0) >= 150 }
        #expect(first?.step == 0 && first?.member("warm") == "false")
        #expect(log.committed[0]?.offset == 400)
        #expect(log.answers().allSatisfy { $0.offset.map { !(100..<150).contains($0) } ?? true })
    }

    @Test func anotherLogUnderTheSameNameIsRefused() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run()
        log.inputs[0] = Array(Self.records[..<10])
        let saved = log.saved
        do {
            // Asked anew before it is believed.
            try WorkerRig(log).run(idlePolls: 5_000)
            Issue.record("it was taken")
        } catch let error as SluiceError {
            #expect(error.code == .foreignState && error.retry == .never)
        }
        #expect(log.committed[0]?.offset == 400 && log.saved == saved)
    }

    @Test func aBrokerThatDoesNotAnswerWhileRestoringIsAskedAgain() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        let away = SluiceError(.broker, "away", retry: .later)
        rig.consumer.failures = [away, away]
        rig.control.failures = [away]
        log.command("c1", .prefix(""))
        try rig.run(idlePolls: 3_000)
        #expect(log.committed[0]?.offset == 400)
        #expect(
            rig.notes.seen.applied.map(\.event.id) == ["c1"], "control is read although its first assignment failed")
        #expect(rig.notes.seen.notes.count { $0.contains("waits for the broker") } >= 3)
    }

    @Test func aBlockedOutputPausesTheInputAndLosesNothing() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        rig.producer.capacity = 20
        let producer = rig.producer
        var blockedPolls = 0
        try rig.run(idlePolls: 400) { consumer in
            producer.isBlocked = (10..<300).contains(consumer.polls)
            if !consumer.paused.isEmpty { blockedPolls += 1 }
        }
        #expect(log.outputs == reference.outputs)
        #expect(blockedPolls > 200)
        #expect(rig.producer.mostQueued <= 20)
        #expect(rig.producer.mostEntries <= 7, "no more than one poll's are kept")
        #expect(rig.notes.seen.blocked.first == true && rig.notes.seen.blocked.last == false)
        #expect(log.committed[0]?.offset == 400)
    }

    @Test func inputsWithoutOutputsAreProducedWhenTheyAreFolded() throws {
        let log = SimulatedLog()
        log.append([Record.end("a"), Record.end("b")])
        let rig = try WorkerRig(log)
        rig.consumer.batches = [1]
        var produced: [Int] = []
        try rig.run { [notes = rig.notes] consumer in
            if consumer.idlePolls == 3 { produced = notes.seen.produced.map(\.records) }
        }
        #expect(log.outputs.isEmpty && produced == [1, 1])
    }

    /// What has gone makes room meanwhile: one batch of outputs holds them all.
    @Test func aPartitionThatHasNoRoomKeepsBackNoOther() throws {
        let records = (0..<6_200).map { index in
            var record = Record("s-\(index % 30)", Int64(index), Float(index % 9))
            record.partition = index < 200 ? 0 : 1
            return record
        }
        let reference = try SimulatedLog.uninterrupted(records, partitions: [0, 1])
        let log = SimulatedLog()
        log.append(records)
        let rig = try WorkerRig(log, partitions: [0, 1], openBytes: 1 << 20)
        rig.consumer.batches = [100]
        let producer = rig.producer
        producer.blockedPartition = 0
        var outputs: [Int32: Int] = [:]
        try rig.run { consumer in
            guard producer.blockedPartition != nil, consumer.idlePolls == 5 else { return }
            outputs = Dictionary((log.outputs + producer.queue).map { ($0.partition, 1) }, uniquingKeysWith: +)
            producer.blockedPartition = nil
        }
        #expect(outputs == [1: 6_000], "while the other had no room")
        #expect(producer.mostEntries < 1_500)
        for partition in 0...1 {
            let answers = [log, reference].map { $0.outputs.filter { $0.partition == partition } }
            #expect(answers[0] == answers[1])
        }
        #expect(log.committed[0]?.offset == 200 && log.committed[1]?.offset == 6_000)
    }

    @Test func fewRecordsAreTakenAtOnceAndManyByAWorkerThatIsBehindForLong() throws {
        var limit = PollLimit()
        for _ in 0..<PollLimit.pollsMaximum {
            #expect(limit.records == 1_024)
            limit.took(1_024)
        }
        #expect(limit.records == Limits.batchRecords)
        limit.took(1_024)
        #expect(limit.records == Limits.batchRecords, "less than it asked for, and still behind")
        limit.took(1_023)
        #expect(limit.records == 1_024)

        let log = SimulatedLog()
        log.append((0..<2_500).map { Record("stream-\($0 % 7)", Int64($0), 1) })
        let rig = try WorkerRig(log)
        rig.consumer.batches = [10_000]
        try rig.run()
        #expect(log.outputs.count == 2_500 && rig.producer.mostEntries == 1_024)
    }

    /// However many polls filled it.
    @Test func beyondTheProducersQueueNoMoreThanOnePollIsFolded() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        rig.producer.capacity = 20
        rig.producer.isBlocked = true
        rig.consumer.batches = [10]
        var folded: Offset = 0
        try rig.run(idlePolls: 100) { [worker = rig.worker] _ in
            folded = max(folded, worker.partitions[0]?.position ?? 0)
        }
        #expect(rig.notes.seen.blocked.first == true)
        #expect(folded == 30)
    }

    @Test func nothingIsCommittedThatIsNotDelivered() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        rig.producer.isBlocked = true
        try rig.run(idlePolls: 40)
        #expect(log.committed[0]?.offset == 0 && log.saved.isEmpty, "but for where it began")
        #expect(rig.notes.seen.notes.contains { $0.contains("will be read again") })
    }
}
