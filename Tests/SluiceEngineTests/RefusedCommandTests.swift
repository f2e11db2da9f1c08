import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

/// A command that cannot take effect is said to, on the audit and once.
@Suite struct RefusedCommandTests {
    private static let records = mixture(200, seed: 8)

    private func lostSwap(_ log: SimulatedLog) { log.command("lost", nil, type: .swap, model: "v404") }

    @Test func theAuditSaysWhatIsRefusedAndWhy() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let rig = try WorkerRig(log)
        try rig.run { consumer in
            guard consumer.polls == 8 else { return }
            lostSwap(log)
            log.command("torn", .stream("stream-1"), type: .import, snapshot: [1, 2, 3])
            log.command("unknown", .prefix("x"), type: MessageType(rawValue: "turn"))
            log.command("lost", nil, type: .swap, model: "v404")
        }
        let events = try log.events
        #expect(events.map(\.id) == ["lost", "torn", "unknown"], "each of them once")
        #expect(events.allSatisfy { $0.type == .refused && !$0.isCommand && $0.offset > 0 && $0.by == "test" })
        #expect(events.map(\.control) == [0, 1, 2])
        #expect(events.map(\.target) == [nil, .stream("stream-1"), .prefix("x")])
        #expect(events[0].model == "v404" && events[0].cause?.hasPrefix("swap: there is no ") == true)
        #expect(events[1].snapshot == nil && events[1].cause?.hasPrefix("import: ") == true)
        #expect(events[2].cause?.hasPrefix("turn: no such command") == true)
        #expect(log.answers() == reference.answers())
        #expect(rig.notes.seen.applied.isEmpty && rig.notes.seen.notes.contains("a command is refused"))
    }

    /// Though the model has come meanwhile: a command means one thing.
    @Test(arguments: [true, false]) func aRefusedCommandStaysRefusedBehindARestart(isStored: Bool) throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try WorkerRig(log).run { if $0.polls == 8 { lostSwap(log) } }
        if !isStored { log.saved = [:] }
        log.append(Array(Self.records[150...]))
        let late = FoldSpecification(
            model: makeModel(hidden: 9, seed: 404), boundaries: WorkerRig.specification.boundaries)
        #expect(late.model.manifest.version == "v404")
        let rig = try WorkerRig(log, others: [WorkerRig.specification, late])
        try rig.run { if $0.polls == 3 { lostSwap(log) } }
        #expect(try log.events.map(\.type) == [.refused])
        #expect(log.answers() == (try SimulatedLog.uninterrupted(Self.records).answers()))
    }

    @Test(arguments: [false, true]) func aCrashAnywhereLeavesOneRefusal(crashesAfter: Bool) throws {
        let records = Array(Self.records[..<80])
        let reference = try SimulatedLog.uninterrupted(records)
        var crashAt = 1
        var crashed = true
        while crashed {
            let log = SimulatedLog()
            log.append(records)
            func life(_ consumer: SimulatedConsumer) {
                if consumer.polls == 6 && log.controls.isEmpty { lostSwap(log) }
            }
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            do { try WorkerRig(log, seed: UInt64(crashAt)).run(life) } catch is Crash { crashed = true }
            log.revive()
            try WorkerRig(log).run(life)
            #expect(Set(try log.events.map { "\($0.type.rawValue) at \($0.offset)" }).count == 1, "crash at \(crashAt)")
            #expect(log.repeats(reference), "crash at \(crashAt)")
            crashAt += 1
        }
        #expect(crashAt > 20)
    }

    @Test func aCommandWhoseRecordIsTooLargeIsRefused() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let wide = FoldSpecification(model: makeModel(hidden: 200))
        let fold = try FoldRig(wide)
        try fold.run(Array(Self.records[..<170]))
        let snapshot = try #require(try fold.state().export("stream-4")).snapshot
        let rig = try WorkerRig(log, specification: wide)
        rig.producer.messageBytesMax = snapshot.count * 4 / 3
        try rig.run { consumer in
            guard consumer.polls == 8 else { return }
            log.command("large", .stream("stream-1"), type: .import, snapshot: snapshot)
            // Its target alone is too much for any record.
            log.command("wide", .prefix(String(repeating: "x", count: rig.producer.messageBytesMax)))
            log.command("one", .stream("stream-1"))
        }
        let events = try log.events
        #expect(events.map(\.id) == ["large", "one"] && events.map(\.type) == [.refused, .reset])
        #expect(events[0].cause?.contains("message.max.bytes") == true)
        #expect(rig.notes.seen.notes.count { $0 == "a command is refused" } == 2)
    }

    /// The next worker comes to it again: nobody can say yet whether it can be obeyed.
    @Test func aSwapToAModelThatCannotBeReadForTheMomentIsNotRefused() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let second = FoldSpecification(
            model: makeModel(hidden: 9, seed: 99), boundaries: WorkerRig.specification.boundaries)
        let version = second.model.manifest.version
        let others = [WorkerRig.specification, second]
        let error = #expect(throws: SluiceError.self) {
            try WorkerRig(log, others: others, unreadable: version).run {
                if $0.polls == 8 { log.command("swap", nil, type: .swap, model: version) }
            }
        }
        #expect(error?.retry == .later)
        #expect(try log.events.isEmpty)
        try WorkerRig(log, others: others).run()
        #expect(try log.events.map(\.type) == [.swap])
    }
}
