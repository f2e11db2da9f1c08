import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

@Suite struct RewindTests {
    private static let records = mixture(200, seed: 8)
    private static let specification = WorkerRig.specification

    /// The state of a stream behind the first records of the mixture.
    private func state(of stream: String, behind count: Int) throws -> SlotExport? {
        let rig = try FoldRig(Self.specification)
        try rig.run(Array(Self.records[..<count]))
        return try rig.state().export(stream)
    }

    private func rewind(_ log: SimulatedLog, hasChangelog: Bool = false) -> SlotRewind {
        SlotRewind(
            WorkerSettings(
                inputTopic: SimulatedLog.input, inputPartitions: 4, controlTopic: SimulatedLog.control,
                eventsTopic: SimulatedLog.events, eventsPartitions: 1, slotsTopic: SimulatedLog.slots,
                commitNanoseconds: 1, checkpointNanoseconds: 1),
            hasChangelog: hasChangelog, makeReader: { SimulatedReader(log) },
            makeFold: { _ in try Fold(specification: Self.specification, input: pumps) })
    }

    /// The records folded again with the recorded events, as `score --commands` does.
    private func replay(_ records: [Record], _ events: [Event]) throws -> [Output] {
        let rig = try FoldRig(Self.specification)
        for event in events { rig.state().schedule.add(event) }
        return try records.flatMap { record in
            while let event = rig.state().schedule.take(before: record.offset) { _ = try rig.state().obey(event) }
            return try rig.run([record])
        }
    }

    @Test func anExportedStateGoesOnBitForBitInAnotherStream() throws {
        let export = try #require(try state(of: "stream-2", behind: 140))
        let rest = Self.records[140...].filter { $0.key == Array("stream-2".utf8) }
        let original = try FoldRig(Self.specification)
        let expected = try original.run(Self.records).filter { ($0.offset ?? 0) >= 140 }
            .filter { $0.key == Array("stream-2".utf8) && $0.topic == .predictions }
        let other = try FoldRig(Self.specification)
        let event = Event(
            id: "move", type: .import, target: .stream("moved"), partition: 0, offset: 0, by: "test", time: 0,
            control: 0, snapshot: export.snapshot)
        #expect(try other.state().obey(event) == 1)
        let moved = rest.enumerated().map { index, record in
            var moved = record
            (moved.key, moved.offset) = (Array("moved".utf8), Offset(index))
            return moved
        }
        let found = try other.run(moved).filter { $0.topic == .predictions }
        func numbers(_ outputs: [Output]) -> [Substring?] {
            outputs.map { output in
                output.text.range(of: "\"time\"").flatMap { start in
                    output.text.range(of: "\"source\"").map { output.text[start.lowerBound..<$0.lowerBound] }
                }
            }
        }
        #expect(expected.count > 5 && numbers(found) == numbers(expected))
    }

    /// The very first offset has none before it: the fence is −1, and the slot is one all the same.
    @Test func anImportBeforeTheFirstInputIsAStateLikeAnother() throws {
        let export = try #require(try state(of: "stream-2", behind: 140))
        let rig = try FoldRig(Self.specification)
        let event = Event(
            id: "move", type: .import, target: .stream("moved"), partition: 0, offset: 0, by: "test", time: 0,
            snapshot: export.snapshot)
        #expect(try rig.state().obey(event) == 1)
        let again = try #require(try rig.state().export("moved"))
        let summary = try again.snapshot.withUnsafeBytes { try SlotSnapshot.summary($0).header }
        #expect(again.step == export.step && summary.fence == -1 && rig.state().streams == 1)
        #expect(rig.state().replayOffset == 0)
    }

    private func script(_ log: SimulatedLog, atPoll poll: Int, _ snapshot: [UInt8]) -> (SimulatedConsumer) -> Void {
        { consumer in
            guard consumer.polls == poll, log.controls.isEmpty else { return }
            log.command("reset", .stream("stream-1"))
            log.command("import", .stream("stream-2"), type: .import, snapshot: snapshot)
            log.command("all", .prefix("stream-3"))
        }
    }

    @Test func anImportTakesEffectAtTheOffsetThatIsRecorded() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let export = try #require(try state(of: "stream-4", behind: 170))
        let rig = try WorkerRig(log)
        try rig.run(script(log, atPoll: 8, export.snapshot))
        let events = try log.events
        #expect(events.map(\.id) == ["reset", "import", "all"])
        #expect(events[1].snapshot == export.snapshot && events[1].offset > 0)
        #expect(log.answers() == (try replay(Self.records, events)))
        #expect(log.answers() != (try replay(Self.records, [events[0], events[2]])))
        #expect(rig.notes.seen.applied[1].matched == 1)
    }

    @Test(arguments: [false, true]) func aCrashAnywhereLeavesAnImportItsOneOffset(crashesAfter: Bool) throws {
        let records = Array(Self.records[..<120])
        let export = try #require(try state(of: "stream-4", behind: 170))
        var crashAt = 1
        var crashed = true
        while crashed {
            let log = SimulatedLog()
            log.append(records)
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            do {
                try WorkerRig(log, seed: UInt64(crashAt)).run(script(log, atPoll: 8, export.snapshot))
            } catch is Crash { crashed = true }
            log.revive()
            try WorkerRig(log).run(script(log, atPoll: 8, export.snapshot))
            let events = try log.events
            let reference = SimulatedLog()
            reference.outputs = try replay(records, events)
            #expect(Set(events.map { "\($0.id) \($0.offset)" }).count == 3, "crash at \(crashAt)")
            #expect(log.repeats(reference), "crash at \(crashAt): \(events.map(\.offset))")
            crashAt += 1
        }
        #expect(crashAt > 30)
    }

    @Test func aSnapshotThatDoesNotFitIsRefusedAndSaid() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let other = FoldSpecification(model: makeModel(seed: 77), boundaries: Self.specification.boundaries)
        let foreign = try FoldRig(other)
        try foreign.run(Array(Self.records[..<50]))
        let snapshot = try #require(try foreign.state().export("stream-0")).snapshot
        try WorkerRig(log).run { consumer in
            guard consumer.polls == 8 else { return }
            log.command("foreign", .stream("stream-1"), type: .import, snapshot: snapshot)
            log.command("torn", .stream("stream-1"), type: .import, snapshot: Array(snapshot.dropLast()))
            log.command("none", .stream("stream-1"), type: .import)
        }
        let events = try log.events
        #expect(events.map(\.id) == ["foreign", "torn", "none"] && events.allSatisfy { $0.type == .refused })
        #expect(events[0].cause?.contains("another model") == true)
        #expect(log.answers() == (try replay(Self.records, [])))
    }

    @Test func everyEarlierStateIsRebuiltFromTheLog() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let export = try #require(try state(of: "stream-4", behind: 170))
        try WorkerRig(log).run(script(log, atPoll: 8, export.snapshot))
        let events = try log.events
        let live = try FoldRig(Self.specification)
        for event in events { live.state().schedule.add(event) }
        for offset in 0...Offset(Self.records.count) {
            // Before the commands at the offset, as before its input.
            if offset > 0 { try live.run([Self.records[Int(offset) - 1]]) }
            for stream in ["stream-1", "stream-2", "stream-3"] {
                let rebuilt = try rewind(log).export(stream, partition: 0, before: offset)
                let expected = try live.state().export(stream)
                #expect(
                    rebuilt.map { bits($0.snapshot) } == expected.map { bits($0.snapshot) }, "\(stream) at \(offset)")
                #expect(rebuilt?.offset == expected.map { _ in offset })
            }
            while let event = live.state().schedule.take(before: offset) { _ = try live.state().obey(event) }
        }
    }

    /// A snapshot without what its log says of it: checksum, position and control.
    private func bits(_ snapshot: [UInt8]) -> [UInt8] { Array(snapshot[20..<72] + snapshot[88...]) }

    @Test func whatAPartitionDidNotBeginWithIsInNoEarlierState() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let live = try FoldRig(Self.specification)
        try live.run(Array(Self.records[60..<140]))
        for stream in ["stream-1", "stream-2"] {
            let rebuilt = try rewind(log).export(stream, partition: 0, before: 140, origin: 60)
            let expected = try live.state().export(stream)
            #expect(rebuilt.map { bits($0.snapshot) } == expected.map { bits($0.snapshot) })
            #expect(try rewind(log).export(stream, partition: 0, before: 60, origin: 60) == nil)
        }
    }

    @Test func whatTheLogNoLongerHoldsIsRefused() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        log.lows[0] = 10
        let error = try #require(throws: SluiceError.self) {
            try rewind(log).export("stream-1", partition: 0, before: 100)
        }
        #expect(error.code == .lostInput && error.message.contains("begins at offset 10"))
        #expect(throws: SluiceError.self) { try rewind(log).export("stream-1", partition: 0, before: 201) }
    }

    /// Where the log of inputs begins behind it, if a later head says that the stream has had no input since.
    @Test func aSnapshotIsCompleteUpToWhereALaterHeadWouldReplay() throws {
        let (stream, offset) = ("stream-3", Offset(150))
        let own = Self.records[..<150].last { $0.key == Array(stream.utf8) }
        let snapshot = Offset((try #require(own).offset) + 1)
        try #require(snapshot < 149)
        func head(_ replayFrom: Offset, at place: Offset) -> Record {
            var arena = ByteArena()
            let head = ChangelogHead(
                identity: "log", offset: 200, replayFrom: replayFrom, control: 0, model: "", latest: .absent)
            let value = head.encode(into: &arena)
            return Record(key: ChangelogKey.head, value: Array(arena.bytes(value)), offset: place)
        }
        let log = SimulatedLog()
        log.append(Self.records)
        log.inputs[0]?.removeAll { $0.offset < snapshot + 1 }
        log.lows[0] = snapshot + 1
        let export = try #require(try state(of: stream, behind: Int(snapshot)))
        let written = Record(key: Array(stream.utf8), value: export.snapshot)
        let rewind = rewind(log, hasChangelog: true)
        let expected = try #require(try state(of: stream, behind: 150))
        for covered in [snapshot + 1, 150, 200] {
            log.changelog = [written, head(covered, at: 1)]
            let rebuilt = try #require(try rewind.export(stream, partition: 0, before: offset))
            #expect(bits(rebuilt.snapshot) == bits(expected.snapshot), "\(covered)")
        }
        // Not covered; the stream has ended since; the head is older.
        var end = Record.end(stream)
        end.offset = 1
        var late = written
        late.offset = 1
        for changelog in [
            [written, head(snapshot, at: 1)], [written, end, head(200, at: 2)], [head(200, at: 0), late], [written],
        ] {
            log.changelog = changelog
            let error = #expect(throws: SluiceError.self) { try rewind.export(stream, partition: 0, before: offset) }
            #expect(error?.code == .lostInput)
        }
    }

    @Test func anEarlierStateIsRefusedWhereCommandsAreMissing() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run { consumer in
            if consumer.polls > 4 && consumer.polls < 10 { log.command("c\(consumer.polls)", .stream("stream-1")) }
        }
        _ = try rewind(log).export("stream-1", partition: 0, before: 200)
        log.auditLow = 1
        let error = #expect(throws: SluiceError.self) {
            try rewind(log).export("stream-1", partition: 0, before: 200)
        }
        #expect(error?.code == .lostInput && error?.remedy?.contains("retention.ms=-1") == true)
    }

    /// Whose command it was nobody knows: only what was certainly recorded before it does without.
    @Test func anEarlierStateIsRefusedWhereARecordOfTheAuditCannotBeRead() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run { consumer in
            if consumer.polls > 4 && consumer.polls < 10 { log.command("c\(consumer.polls)", .stream("stream-1")) }
        }
        let places = log.outputs.indices.filter { log.outputs[$0].topic == .events }
        var broken = log.outputs[places[1]]
        broken.value = Array("{".utf8)
        log.outputs.insert(broken, at: places[1] + 1)
        let error = #expect(throws: SluiceError.self) {
            try rewind(log).export("stream-1", partition: 0, before: 200)
        }
        #expect(error?.code == .lostInput)
        #expect(error?.message.contains("1 records of pumps.events cannot be read") == true)
        let history = try CommandHistory(SimulatedReader(log), topic: SimulatedLog.events, partitions: 1, of: 0)
        #expect(history.isWhole && history.events.count == 5 && history.unreadable == 1)
        let behind = try #require(history.events[2].control)
        #expect(history.isWhole(since: behind + 1) && !history.isWhole(since: behind))
    }

    /// Retention works on each partition of the audit by itself.
    @Test func whatIsLeftOfOnePartitionSaysNothingOfAnother() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try WorkerRig(log).run { consumer in
            if consumer.polls > 4 && consumer.polls < 10 { log.command("c\(consumer.polls)", .stream("stream-1")) }
        }
        func history(partitions: Int) throws -> CommandHistory {
            try CommandHistory(SimulatedReader(log), topic: SimulatedLog.events, partitions: partitions, of: 0)
        }
        #expect(try history(partitions: 2).isWhole(since: 0))
        log.auditLow = 2
        let cut = try history(partitions: 1)
        #expect(!cut.isWhole && cut.isWhole(since: 3) && !cut.isWhole(since: 2))
    }
}
