import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

@Suite struct CommandTests {
    private static let records = mixture(200, seed: 8)

    /// The records folded again with the recorded events, as `score --commands` does.
    private func replay(_ records: [Record], _ events: [Event], partition: Int32 = 0) throws -> [Output] {
        let rig = try FoldRig(WorkerRig.specification)
        for event in events where event.partition == partition { rig.state(partition).schedule.add(event) }
        return try records.filter { $0.partition == partition }.flatMap { record in
            while let event = rig.state(partition).schedule.take(before: record.offset) {
                _ = try rig.state(partition).obey(event)
            }
            return try rig.run([record])
        }
    }

    /// Sends resets while the log is read.
    private func script(_ log: SimulatedLog, atPoll poll: Int = 8) -> (SimulatedConsumer) -> Void {
        var sent = 0
        return { consumer in
            guard sent == 0 else { return }
            if consumer.polls == poll {
                sent += 1
                log.command("one", .stream("stream-1"))
                log.command("two", .prefix(""))
                log.command("one", .stream("stream-1"))
            }
        }
    }

    @Test func aResetTakesEffectAtTheOffsetThatIsRecorded() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        try rig.run(script(log))
        let events = try log.events
        #expect(events.map(\.id) == ["one", "two"], "the same id is the same command")
        #expect(events.map(\.control) == [0, 1])
        #expect(events.allSatisfy { $0.offset > 0 && $0.offset < 200 && $0.partition == 0 && $0.by == "test" })
        #expect(log.outputs.first { $0.topic == .events }?.key == Array("stream-1".utf8))
        #expect(log.answers() == (try replay(Self.records, events)))
        #expect(log.answers() != (try replay(Self.records, [])))
        #expect(rig.notes.seen.applied.map(\.event) == events)
        #expect(rig.notes.seen.applied[1].matched > 1)
        #expect(try #require(CommitMetadata(log.committed[0]?.metadata ?? "")).controlOffset == 3)
        #expect(log.saved[0]?.position.controlOffset == 3)
    }

    /// A crash before and after every call with an effect: each command has one offset, and the answers agree with it.
    @Test(arguments: [false, true], [8, 9])
    func aCrashAnywhereLeavesACommandItsOneOffset(crashesAfter: Bool, poll: Int) throws {
        let records = Array(Self.records[..<120])
        func life(_ log: SimulatedLog) -> (SimulatedConsumer) -> Void {
            let send = log.controls.isEmpty ? script(log, atPoll: poll) : { _ in }
            return { consumer in
                send(consumer)
                if consumer.idlePolls == 2 && log.high(0) == 90 { log.append(Array(records[90...])) }
            }
        }
        var crashAt = 1
        var crashed = true
        while crashed {
            let log = SimulatedLog()
            log.append(Array(records[..<90]))
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            do {
                try WorkerRig(log, seed: UInt64(crashAt)).run(life(log))
            } catch is Crash { crashed = true }
            log.revive()
            let rig = try WorkerRig(log)
            try rig.run(life(log))
            let events = try log.events
            let reference = SimulatedLog()
            reference.outputs = try replay(records, events)
            #expect(Set(events.map(\.id)) == ["one", "two"], "crash at \(crashAt)")
            #expect(Set(events.map { "\($0.id) \($0.offset)" }).count == 2, "crash at \(crashAt)")
            #expect(log.repeats(reference), "crash at \(crashAt): \(events.map(\.offset))")
            #expect(rig.worker.partitions.isEmpty)
            crashAt += 1
        }
        #expect(crashAt > 30)
    }

    /// A crash behind a command's record, then a life that goes on behind the command and ends before it has read the
    /// control partition again.
    @Test(arguments: [90, 91]) func aLifeThatNeverReadsTheCommandAgainLeavesItItsOneEffect(ends: Int) throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<90]))
        log.crashAt = .max
        do {
            try WorkerRig(log).run { consumer in
                if log.committed[0]?.offset == 90 && log.controls.isEmpty { log.command("one", .prefix("")) }
                if try !log.events.isEmpty { log.crashAt = 0 }
            }
        } catch is Crash {}
        log.revive()
        let event = try #require(try log.events.first)
        #expect(event.offset == 90)
        let silent = try WorkerRig(log)
        silent.control.isSilent = true
        log.append(Array(Self.records[90..<ends]))
        try silent.run()
        log.append(Array(Self.records[ends...]))
        try WorkerRig(log).run()
        let reference = SimulatedLog()
        reference.outputs = try replay(Self.records, [event])
        #expect(log.repeats(reference))
        #expect(try log.events.map(\.id) == ["one"])
    }

    @Test func aCommandToAPartitionThatIsRestoringWaitsUntilItIsLive() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try WorkerRig(log).run()
        log.saved = [:]
        log.append(Array(Self.records[150..<180]))
        log.command("early", .prefix(""))
        let rig = try WorkerRig(log)
        rig.consumer.batches = [3]
        try rig.run { if $0.polls == 40 { log.append(Array(Self.records[180...])) } }
        // Not at 150: whether a life before this one answered what was there is not known.
        #expect(try log.events.map(\.offset) == [180])
        #expect(log.answers() == (try replay(Self.records, try log.events)))
    }

    @Test func aRebuiltStateRepeatsTheRecordedResets() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try WorkerRig(log).run(script(log))
        log.saved = [:]
        log.append(Array(Self.records[150...]))
        try WorkerRig(log).run()
        #expect(try log.events.count == 2, "recorded once")
        #expect(log.answers() == (try replay(Self.records, try log.events)))
    }

    @Test func resetsReachTheirOwnPartitionOnly() throws {
        let records = mixture(200, partitions: 2, seed: 4)
        let log = SimulatedLog()
        log.append(records)
        try WorkerRig(log, partitions: [0, 1]).run { consumer in
            if consumer.polls == 9 { log.command("c", .prefix("stream"), to: 1) }
        }
        #expect(try log.events.map(\.partition) == [1])
        for partition: Int32 in [0, 1] {
            #expect(log.answers(partition) == (try replay(records, try log.events, partition: partition)))
        }
    }

    @Test func whatIsNoCommandIsPassedOverAndWhatSaysTooLittleIsRefused() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let nonsense = [
            "", "{}", "[1", "{\"id\":\"x\",\"type\":\"reset\",\"by\":\"b\",\"time\":\"2026-01-01T00:00:00Z\"}",
        ]
        for text in nonsense { log.write(Array(text.utf8), toControl: 0) }
        log.command("swap", .stream("stream-1"), type: .swap)
        log.command(String(repeating: "long", count: 2_000), .stream("stream-1"))
        log.command("good", .stream("stream-1"))
        let rig = try WorkerRig(log)
        rig.producer.messageBytesMax = 5_000
        try rig.run()
        #expect(try log.events.map { "\($0.id) \($0.type.rawValue)" } == ["x refused", "swap refused", "good reset"])
        #expect(rig.notes.seen.notes.count == nonsense.count + 2)
        #expect(log.committed[0]?.metadata == "sluice3 200 7  4")
    }

    @Test(arguments: [5, 900]) func aControlPartitionWithoutItsBeginningIsReadFromWhereItBegins(low: Int64) throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run()
        log.controlLow = low
        log.command("late", .prefix(""))
        try WorkerRig(log).run()
        #expect(try log.events.map(\.control) == [low])
    }

    @Test func nothingIsFoldedBehindACommandWhoseRecordIsNotDelivered() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log)
        let producer = rig.producer
        var folded = Set<Int>()
        let notes = rig.notes
        try rig.run(idlePolls: 400) { consumer in
            if consumer.polls == 6 { log.command("c", .prefix("")) }
            producer.isBlocked = (6..<200).contains(consumer.polls)
            if (20..<200).contains(consumer.polls) { folded.insert(notes.seen.predictions) }
        }
        #expect(folded.count == 1, "the input waits")
        #expect(log.answers() == (try replay(Self.records, try log.events)))
    }

    @Test func commitMetadataIsReadBack() {
        #expect(
            CommitMetadata(CommitMetadata(replayFrom: 5, controlOffset: 12).text)
                == CommitMetadata(replayFrom: 5, controlOffset: 12))
        for origin in [nil, 7] as [Offset?] {
            let whole = CommitMetadata(
                replayFrom: 5, controlOffset: 12, identity: "id", origin: origin, partitions: 4)
            #expect(CommitMetadata(whole.text) == whole)
        }
        #expect(CommitMetadata("sluice2 5 12 id 7")?.origin == 7)
        for text in [
            "", "x", "sluice1 control=7", "sluice2 1 2", "sluice2 x 2 id", "sluice3 1 2 id",
            "sluice3 1 2 id 0",
        ] {
            #expect(CommitMetadata(text) == nil)
        }
    }
}

@Suite struct CommandScheduleTests {
    private func event(_ id: String, at offset: Offset, control: Offset) -> Event {
        Event(
            id: id, type: .reset, target: .prefix(""), partition: 0, offset: offset, by: "", time: 0, control: control)
    }

    private func drain(_ schedule: inout CommandSchedule, before offset: Offset) -> [String] {
        var ids: [String] = []
        while let event = schedule.take(before: offset) { ids.append(event.id) }
        return ids
    }

    @Test func commandsComeByOffsetThenByTheirPlaceInTheControlPartition() {
        var schedule = CommandSchedule()
        for (id, offset, control) in [("c", 7, 3), ("a", 5, 9), ("d", 7, 4), ("b", 7, 1), ("a", 1, 1)]
            as [(String, Offset, Offset)]
        {
            schedule.add(event(id, at: offset, control: control))
        }
        #expect(schedule.nextOffset == 5 && schedule.pendingControlOffset == 1)
        #expect(drain(&schedule, before: 4).isEmpty)
        #expect(drain(&schedule, before: 5) == ["a"])
        #expect(schedule.nextOffset == 7)
        schedule.add(event("e", at: 6, control: 20))
        #expect(schedule.nextOffset == 6)
        #expect(drain(&schedule, before: .max) == ["e", "b", "c", "d"])
        #expect(schedule.nextOffset == .max && schedule.pendingControlOffset == .max)
        #expect(schedule.take(before: .max) == nil)
        #expect(schedule.contains(id: "a") && !schedule.contains(id: "x"))
    }

    @Test func commandsInEffectAreLetGo() {
        var schedule = CommandSchedule()
        for number in 0..<20_000 as Range<Offset> {
            schedule.add(event("\(number)", at: number, control: number))
            _ = drain(&schedule, before: number)
            schedule.forget(behind: number + 1)
            #expect(schedule.contains(id: "\(max(0, number + 1 - CommandSchedule.idsKept))"))
        }
        #expect(schedule.idCount <= 2 * Int(CommandSchedule.idsKept))
        schedule.add(event("pending", at: .max, control: 20_000))
        for number in 20_001..<25_000 as Range<Offset> {
            schedule.add(event("\(number)", at: number, control: number))
            schedule.forget(behind: number)
        }
        #expect(schedule.contains(id: "pending"))
    }

    /// The worker polls meanwhile, as its membership asks of it, and may have to give up.
    @Test func theAuditIsReadInStepsThatCanBeGivenUp() throws {
        let records = mixture(200, seed: 8)
        let log = SimulatedLog()
        log.append(records)
        try WorkerRig(log).run { consumer in
            if consumer.polls > 4 && consumer.polls < 30 { log.command("c\(consumer.polls)", .stream("stream-1")) }
        }
        let outputs = log.answers()
        #expect(try log.events.count == 25)
        log.saved = [:]
        log.outputs.removeAll { $0.topic != .events }
        log.readLimit = 1
        let rig = try WorkerRig(log)
        var progress: [Double] = []
        try rig.run(idlePolls: 30) { [worker = rig.worker] consumer in
            if let restoration = worker.gated[0] { progress.append(restoration.progress) }
            if consumer.polls == 4 { consumer.lose([0]) }
            if consumer.polls == 6 { consumer.assign([0]) }
        }
        #expect(progress.count > 8 && Set(progress).count > 5 && progress.allSatisfy { $0 <= 0.5 }, "\(progress)")
        #expect(log.committed[0]?.offset == 200 && log.answers().isEmpty)
        log.committed = [:]
        log.saved = [:]
        try WorkerRig(log).run(idlePolls: 30)
        #expect(log.answers() == outputs)
    }

    @Test func commandsThatRetentionTookAreMissedAloud() throws {
        let log = SimulatedLog()
        log.append(mixture(200, seed: 8))
        try WorkerRig(log).run { consumer in
            if consumer.polls > 4 && consumer.polls < 30 { log.command("c\(consumer.polls)", .stream("stream-1")) }
        }
        func notes() throws -> [String] {
            let rig = try WorkerRig(log)
            try rig.run()
            return rig.notes.seen.notes
        }
        #expect(try notes().isEmpty)
        log.auditLow = 10
        #expect(try notes().isEmpty, "the saved state holds them")
        log.saved = [:]
        #expect(try notes().contains { $0.contains("without the oldest commands") })
    }

    @Test func recordsOfTheAuditThatCannotBeReadAreToldOf() throws {
        let log = SimulatedLog()
        log.append(mixture(200, seed: 8))
        try WorkerRig(log).run { if $0.polls == 5 { log.command("c", .stream("stream-1")) } }
        var broken = try #require(log.outputs.first { $0.topic == .events })
        broken.value = Array("not JSON".utf8)
        log.outputs.append(broken)
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(rig.notes.seen.notes.contains { $0.hasPrefix("1 records of pumps.events cannot be read") })
    }

    /// Commands that nobody has read, and never will.
    @Test func commandsThatRetentionTookBeforeTheyWereReadAreMissedAloud() throws {
        let log = SimulatedLog()
        log.append(mixture(100, seed: 8))
        log.command("read", .stream("stream-1"))
        try WorkerRig(log).run()
        for id in ["lost", "kept"] { log.command(id, .stream("stream-2")) }
        log.controls[0]?.removeFirst(2)
        log.controlLow = 2
        let rig = try WorkerRig(log)
        try rig.run()
        #expect(rig.notes.seen.notes.contains { $0.hasPrefix("commands 1 to 1 of the control topic are gone") })
        #expect(try log.events.map(\.id) == ["read", "kept"])
        // Made anew: it ends before what was read.
        (log.controls, log.controlLow) = ([:], 0)
        let anew = try WorkerRig(log)
        try anew.run()
        #expect(anew.notes.seen.notes.contains { $0.hasPrefix("the control topic ends at 0") })
    }
}
