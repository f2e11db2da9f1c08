import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

/// Streams that begin cold, or wait for a swap, are on disk as others are.
@Suite struct ColdStartTests {
    private static let records = mixture(600, streams: 25, seed: 5)
    private static let resident = 4

    /// What a life leaves behind that ends at input 400, and inputs to 600 of which those before 450 are gone.
    private func withLostInputs() throws -> SimulatedLog {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<400]))
        try WorkerRig(log, checkpointPolls: 1).run()
        log.append(Array(Self.records[400...]))
        log.inputs[0]?.removeFirst(450)
        log.lows[0] = 450
        return log
    }

    private func coldRig(_ log: SimulatedLog, resident: Int? = ColdStartTests.resident) throws -> WorkerRig {
        let rig = try WorkerRig(log, checkpointPolls: 1, lostInput: .coldStart, resident: resident)
        rig.consumer.batches = [5]
        return rig
    }

    @Test func aColdStartTakesNoMoreStreamsIntoMemoryThanThereIsRoomFor() throws {
        let reference = try withLostInputs()
        try coldRig(reference, resident: nil).run()
        let log = try withLostInputs()
        let rig = try coldRig(log)
        var counts: [Int] = []
        let worker = rig.worker
        try rig.run { _ in if let state = worker.partitions[0] { counts.append(state.table.count) } }
        #expect(counts.first == Self.resident)
        #expect(log.answers() == reference.answers())
        let note = try #require(rig.notes.seen.notes.first { $0.contains("begin cold, among them stream-") })
        #expect(note.contains("inputs before offset 450 are gone: 25 streams"))
    }

    /// Though nothing new comes.
    @Test func allOfThemAreSetBackOnDiskAndThenNoInputIsMissingAnyMore() throws {
        let log = try withLostInputs()
        log.inputs[0] = []
        log.lows[0] = 600
        try coldRig(log).run(idlePolls: 60)
        let saved = try #require(log.saved[0])
        #expect(saved.position.replayFrom == 600 && saved.position.offset == 600)
        let slots = saved.entries.filter { $0.key.withUnsafeBytes { ChangelogKey.isStream($0) } }
        #expect(slots.count == 25)
        for slot in slots.values {
            let summary = try slot.withUnsafeBytes { try SlotSnapshot.summary($0) }
            #expect(summary.header.step == 0 && summary.position == 600 && summary.header.boundaryCause == .lost)
        }
        let again = try coldRig(log)
        try again.run()
        #expect(!again.notes.seen.notes.contains { $0.contains("begin cold") }, "\(again.notes.seen.notes)")
    }

    /// Some of them are set back on disk, and some are not yet.
    @Test(arguments: [false, true]) func aCrashInTheMiddleOfItChangesNothing(crashesAfter: Bool) throws {
        let reference = try withLostInputs()
        try coldRig(reference, resident: nil).run()
        var again = 0
        for crashAt in 1...60 {
            let log = try withLostInputs()
            log.revive()
            (log.crashAt, log.crashesAfter) = (crashAt, crashesAfter)
            let first = try coldRig(log)
            try? first.run()
            log.revive()
            let rig = try coldRig(log)
            try rig.run()
            if rig.notes.seen.notes.contains(where: { $0.contains("begin cold") }) { again += 1 }
            #expect(log.repeats(reference), "crash at \(crashAt)")
        }
        #expect(again > 5)
    }

    /// A crash before all of them are stored must not make the others look whole.
    @Test func replayBeginsWhereInputsAreMissingUntilAllColdSlotsAreStored() throws {
        let (state, store) = try stored(lost: 60..<110)
        _ = try store.scan(prefix: [], after: nil, limit: .max) { key, value in
            guard ChangelogKey.isStream(key) else { return }
            let isCold = try state.load(key, value, idle: nil, resident: 2, committed: 110)
            #expect(isCold)
        }
        state.hasLoaded()
        let streams = state.streams
        #expect(streams > 5 && state.table.count == 2 && state.lostBefore == 110)
        var commits = 0
        while !state.isAllStored {
            #expect(state.replayOffset == 60)
            var changes = OutputBatch()
            _ = try state.writeChanges(limit: 1, stale: 0, before: 0, into: &changes)
            try state.store(changes, Self.position(110, replayFrom: state.replayOffset))
            state.spill(idle: nil, resident: 2, limit: 10)
            try state.catchUpSpilled(limit: 1)
            #expect(state.table.count <= 4)
            commits += 1
            try #require(commits < 100)
        }
        #expect(commits >= streams && state.replayOffset == 110)
    }

    /// A reset before the first input that is left comes behind the cold start, whenever a stream is heard of.
    @Test func aCommandBeforeTheFirstInputThatIsLeftComesBehindTheColdStart() throws {
        let (state, store) = try stored(lost: 60..<110)
        var keys: [[UInt8]] = []
        _ = try store.scan(prefix: [], after: nil, limit: .max) { key, value in
            guard ChangelogKey.isStream(key) else { return }
            keys.append(Array(key))
            _ = try state.load(key, value, idle: nil, resident: 1, committed: 110)
        }
        state.hasLoaded()
        let reset = Event(
            id: "all", type: .reset, target: .prefix(""), partition: 0, offset: 110, by: "test", time: 0, control: 5)
        state.remember(reset)
        #expect(try state.obey(reset) == nil)
        for key in keys {
            let slot = try #require(try key.withUnsafeBytes { try state.find($0) })
            #expect(state.table[slot].header.pointee.boundaryCause == .command)
        }
        #expect(keys.count > 5)
    }

    /// They hold a swap that comes later in the replay: nothing of them is missing until then.
    @Test func whatWaitsForASwapStaysOnDisk() throws {
        let (state, store) = try stored(control: 8)
        let next = try Fold(specification: FoldSpecification(model: makeModel(seed: 9)), input: pumps)
        state.schedule.add(
            Event(
                id: "swap", type: .swap, target: nil, partition: 0, offset: 105, by: "test", time: 0, control: 7,
                model: "v9"))
        var keys: [[UInt8]] = []
        _ = try store.scan(prefix: [], after: nil, limit: .max) { key, value in
            guard ChangelogKey.isStream(key) else { return }
            keys.append(Array(key))
            _ = try state.load(key, value, idle: nil, resident: nil, committed: 110)
        }
        #expect(keys.count > 5 && state.table.count == 0 && state.spilled == keys.count)
        for key in keys {
            let (isAhead, slot) = try key.withUnsafeBytes { (try state.isAhead($0), try state.find($0)) }
            #expect(isAhead && slot == nil)
        }
        _ = state.schedule.take(before: 105)
        _ = state.swap(to: next, at: 105, control: 7)
        for key in keys {
            let isAhead = try key.withUnsafeBytes { try state.isAhead($0) }
            #expect(!isAhead)
        }
    }

    private static func position(_ offset: Offset, replayFrom: Offset) -> StoredPosition {
        StoredPosition(
            identity: "", offset: offset, replayFrom: replayFrom, controlOffset: 0, modelHash: "", latest: 1)
    }

    /// A partition whose store holds what 100 inputs have made of its streams.
    private func stored(
        lost: Range<Offset> = 100..<100, control: Offset = 0
    ) throws -> (PartitionState, SimulatedStore) {
        let rig = try FoldRig(WorkerRig.specification)
        try rig.run(Array(Self.records[..<100]))
        rig.state().controlOffset = control
        var changes = OutputBatch()
        _ = try rig.state().writeChanges(limit: .max, stale: 0, before: .max, into: &changes)
        let store = SimulatedStore(SimulatedLog(), 0)
        let state = PartitionState(
            partition: 0, fold: rig.fold, recentCapacity: 10, store: store,
            folds: Folds { _ in rig.fold })
        try state.store(changes, Self.position(100, replayFrom: lost.lowerBound))
        let facts = RestoreFacts(
            partition: TopicPartition(topic: "t", partition: 0), low: lost.upperBound, high: 1_000, partitions: 4,
            now: 0, tombstonesMilliseconds: 1_000)
        let head = store.position.map { ChangelogHead($0) }
        let plan = try RestorePlan(facts, head: head, controlLow: 0, controlHigh: 0)
        state.restore(plan, markers: [], history: [], head: head)
        return (state, store)
    }
}
