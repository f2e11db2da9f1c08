import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

/// Streams that are idle are on disk alone, and nobody can tell from what is predicted.
@Suite struct SpillTests {
    private static let records = mixture(600, streams: 25, seed: 5)
    private static let idle: Int64 = 120_000

    @Test func predictionsAreTheSameWhereEveryStreamIsSpilledAndFetched() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: Self.idle)
        var most = 0
        let worker = rig.worker
        try rig.run { _ in most = max(most, worker.partitions[0]?.spilled ?? 0) }
        #expect(log.outputs == reference.outputs)
        #expect(most > 10, "streams were spilled")
    }

    /// Any number of streams in the memory of a few, through a restart.
    @Test func whatThereIsNoRoomForIsOnDiskAlone() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        var most = 0
        for part in [Self.records[..<400], Self.records[400...]] {
            log.append(Array(part))
            let rig = try WorkerRig(log, checkpointPolls: 1, resident: 4)
            let worker = rig.worker
            try rig.run { _ in
                guard let state = worker.partitions[0], state.table.dirtyCount == 0, state.savedNanoseconds != nil
                else {
                    return
                }
                most = max(most, state.table.count)
            }
        }
        #expect(log.outputs == reference.outputs)
        #expect((1...4).contains(most))
    }

    @Test func aRestartLeavesIdleStreamsWhereTheyAre() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Array(Self.records[..<400]))
        try WorkerRig(log, checkpointPolls: 1, idle: Self.idle).run()
        log.append(Array(Self.records[400...]))
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: Self.idle)
        var atStart: (spilled: Int, inMemory: Int)?
        let worker = rig.worker
        try rig.run { _ in
            guard atStart == nil, let state = worker.partitions[0] else { return }
            atStart = (state.spilled, state.table.count)
        }
        let (spilled, inMemory) = try #require(atStart)
        #expect(spilled > 5 && inMemory > 0)
        #expect(log.outputs == reference.outputs)
    }

    @Test func aResetAndASwapReachWhatIsSpilled() throws {
        let second = FoldSpecification(
            model: makeModel(hidden: 9, seed: 99), boundaries: WorkerRig.specification.boundaries)
        func run(idle: Int64?) throws -> SimulatedLog {
            let log = SimulatedLog()
            log.append(Self.records)
            let rig = try WorkerRig(
                log, others: [WorkerRig.specification, second], checkpointPolls: 1, idle: idle)
            try rig.run { consumer in
                if consumer.polls == 40 { log.command("all", .prefix("")) }
                if consumer.polls == 60 {
                    log.command("swap", nil, type: .swap, model: second.model.manifest.version)
                }
                if consumer.polls == 64 { log.command("some", .prefix("stream-1")) }
            }
            return log
        }
        let (plain, spilled) = (try run(idle: nil), try run(idle: Self.idle))
        #expect(try plain.events.map(\.offset) == spilled.events.map(\.offset))
        #expect(plain.answers() == spilled.answers())
        // And behind a restart, when some of them still lie there as the first model left them.
        for log in [plain, spilled] {
            log.append(
                mixture(200, streams: 25, seed: 6).map { record in
                    var later = record
                    later.timestamp = record.timestamp
                    return later
                })
        }
        for (log, idle) in [(plain, nil), (spilled, Self.idle)] {
            try WorkerRig(log, others: [WorkerRig.specification, second], idle: idle).run()
        }
        #expect(plain.answers() == spilled.answers())
    }

    @Test func markersGoThoughStreamsStaySpilled() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: Self.idle)
        var most = 0
        let worker = rig.worker
        try rig.run { consumer in
            if consumer.polls == 60 { log.command("all", .prefix("")) }
            if consumer.polls == 62 { most = worker.partitions[0]?.markers.count ?? 0 }
            if consumer.polls > 66, worker.partitions[0]?.spilled ?? 0 > 0,
                worker.partitions[0]?.markers.isEmpty == true
            {
                most += 100
            }
        }
        #expect(most > 100, "the marker went while streams were spilled")
        let fold = try FoldRig(WorkerRig.specification)
        for event in try log.events { fold.state().schedule.add(event) }
        let expected = try Self.records.flatMap { record in
            while let event = fold.state().schedule.take(before: record.offset) { _ = try fold.state().obey(event) }
            return try fold.run([record])
        }
        #expect(log.answers() == expected)
    }

    /// A write that went to another place, with a checksum that is right.
    @Test func whatLiesInAnotherStreamsPlaceIsRefusedAndBuiltAnew() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: Self.idle)
        var isMixed = false
        let worker = rig.worker
        #expect(throws: SluiceError.self) {
            try rig.run { _ in
                guard !isMixed, let state = worker.partitions[0], state.spilled > 10 else { return }
                isMixed = true
                let values = log.saved[0]?.entries.filter { $0.key.first != 0xFF } ?? [:]
                let keys = values.keys.sorted { $0.lexicographicallyPrecedes($1) }
                for (key, other) in zip(keys, keys.dropFirst() + keys.prefix(1)) {
                    log.saved[0]?.entries[key] = values[other]
                }
            }
        }
        // What does not agree is looked at again, a second later.
        try WorkerRig(log, checkpointPolls: 1, idle: Self.idle).run(idlePolls: 4_000)
        #expect(log.repeats(reference))
    }

    @Test func aStreamThatHasEndedDoesNotComeBackFromTheStore() throws {
        let records = numbered(
            (0..<30).map { Record("a", 1_000 * Int64($0), 1) }
                + (0..<40).map { Record("b", 1_000_000 + 10_000 * Int64($0), 2) } + [.end("a")]
                + (0..<5).map { Record("a", 2_000_000 + Int64($0), 1) })
        let log = SimulatedLog()
        log.append(records)
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: Self.idle)
        try rig.run()
        #expect(log.answers().suffix(5).map(\.step) == [0, 1, 2, 3, 4])
    }

    @Test func listsHoldWhatIsSpilled() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, checkpointPolls: 1, idle: Self.idle)
        let worker = rig.worker
        var lists: [[String]] = []
        var counts: Set<Int> = []
        try rig.run { consumer in
            guard consumer.polls == 80 else { return }
            #expect((worker.partitions[0]?.spilled ?? 0) > 0)
            var after: String?
            repeat {
                let page = try worker.list(prefix: "stream-", after: after, limit: 4).map(\.key)
                lists.append(page)
                after = page.last
            } while after != nil
            counts.insert(try worker.count(prefix: "")[0] ?? 0)
            let key = lists.joined().first { worker.partitions[0]?.inMemory($0) == nil }
            #expect(try worker.slot(key ?? "", withState: true, recent: 1) != nil, "asked for, it is fetched")
        }
        let all = Array(lists.joined())
        #expect(all == all.sorted() && Set(all).count == all.count && counts == [all.count])
    }
}
