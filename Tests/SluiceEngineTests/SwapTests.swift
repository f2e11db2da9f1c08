import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

@Suite struct SwapTests {
    private static let records = mixture(200, seed: 8)
    private static let first = WorkerRig.specification
    /// Another hidden size: another layout of the slots.
    private static let second = FoldSpecification(
        model: makeModel(hidden: 9, seed: 99), boundaries: first.boundaries)
    private static let third = FoldSpecification(
        model: makeModel(.gaussian, scaling: .none, seed: 12), boundaries: first.boundaries)

    private static func version(_ specification: FoldSpecification) -> String {
        specification.model.manifest.version
    }

    private static func rig(
        _ log: SimulatedLog, active: FoldSpecification = first, unreadable: String? = nil, seed: UInt64 = 0,
        changesBytes: Int? = nil
    ) throws -> WorkerRig {
        try WorkerRig(
            log, specification: active, others: [first, second, third], unreadable: unreadable, seed: seed,
            changesBytes: changesBytes)
    }

    /// The records folded again, one by one, with the recorded events.
    private func replay(_ records: [Record], _ events: [Event]) throws -> [Output] {
        let folds = try [Self.first, Self.second, Self.third].map { try Fold(specification: $0, input: pumps) }
        let state = PartitionState(partition: 0, fold: folds[0], recentCapacity: 0)
        for event in events { state.schedule.add(event) }
        return try records.flatMap { record in
            while let event = state.schedule.take(before: record.offset) {
                if event.target != nil { _ = try state.reset(event) }
                if event.type == .swap, let fold = folds.first(where: { Self.version($0.specification) == event.model })
                {
                    _ = state.swap(to: fold, at: event.offset)
                }
            }
            return try state.fold(record)
        }
    }

    private func script(_ log: SimulatedLog, atPoll poll: Int = 8) -> (SimulatedConsumer) -> Void {
        var sent = 0
        return { consumer in
            guard sent < 2, consumer.polls >= poll + 9 * sent else { return }
            sent += 1
            if sent == 1 {
                log.command("to-second", nil, type: .swap, model: Self.version(Self.second))
                log.command("reset", .stream("stream-1"))
            } else {
                log.command("to-third", nil, type: .swap, model: Self.version(Self.third))
            }
        }
    }

    @Test func aSwapTakesEffectAtTheOffsetThatIsRecorded() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try Self.rig(log)
        try rig.run(script(log))
        let events = try log.events
        #expect(events.map(\.id) == ["to-second", "reset", "to-third"])
        #expect(events.map(\.previous) == [Self.version(Self.first), nil, Self.version(Self.second)])
        #expect(events[0].offset > 0 && events[0].offset < events[2].offset && events[2].offset < 200)
        #expect(log.answers() == (try replay(Self.records, events)))
        #expect(rig.notes.seen.applied[0].matched > 1, "streams that the swap met")
        #expect(log.saved[0]?.position.modelHash == Self.third.model.hash)
    }

    /// A crash before and after every call with an effect: each swap has one offset, and the answers agree with it.
    @Test(arguments: [false, true]) func aCrashAnywhereLeavesASwapItsOneOffset(crashesAfter: Bool) throws {
        let records = Array(Self.records[..<120])
        func life(_ log: SimulatedLog) -> (SimulatedConsumer) -> Void {
            let send = log.controls.isEmpty ? script(log) : { _ in }
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
                try Self.rig(log, seed: UInt64(crashAt)).run(life(log))
            } catch is Crash { crashed = true }
            log.revive()
            try Self.rig(log).run(life(log))
            let events = try log.events
            let reference = SimulatedLog()
            reference.outputs = try replay(records, events)
            #expect(Set(events.map { "\($0.id) \($0.offset)" }).count == Set(events.map(\.id)).count, "at \(crashAt)")
            #expect(log.repeats(reference), "crash at \(crashAt): \(events.map(\.offset))")
            crashAt += 1
        }
        #expect(crashAt > 30)
    }

    /// A crash behind a swap's record, then one in a life that goes on behind the swap before it has read the control
    /// partition again.
    @Test(arguments: [false, true]) func aLifeThatNeverReadsTheSwapAgainLeavesItItsOneEffect(crashesAfter: Bool) throws
    {
        var (crashAt, crashed, stored) = (1, true, 0)
        while crashed {
            let log = SimulatedLog()
            log.append(Array(Self.records[..<90]))
            #expect(throws: Crash.self) {
                try Self.rig(log, changesBytes: 0).run { consumer in
                    if log.committed[0]?.offset == 90 && log.controls.isEmpty {
                        log.command("to-second", nil, type: .swap, model: Self.version(Self.second))
                    }
                    if try !log.events.isEmpty { log.crashAt = 0 }
                }
            }
            log.revive()
            let event = try #require(try log.events.first)
            #expect(event.offset == 90)
            log.append(Array(Self.records[90..<150]))
            let silent = try Self.rig(log, seed: UInt64(crashAt), changesBytes: 0)
            silent.control.isSilent = true
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            do { try silent.run() } catch is Crash { crashed = true }
            stored += log.trace.count { $0 == "save" }
            log.revive()
            log.append(Array(Self.records[150...]))
            try Self.rig(log).run()
            let reference = SimulatedLog()
            reference.outputs = try replay(Self.records, [event])
            #expect(log.repeats(reference), "crash at \(crashAt)")
            #expect(log.saved[0]?.position.modelHash == Self.second.model.hash)
            crashAt += 1
        }
        #expect(crashAt > 10 && stored == 0, "which commands a state holds is known only then")
    }

    /// The control topic was made anew since, and holds nothing but marks: they are read, too, and states are stored.
    @Test func aControlPartitionThatEndsWithMarksIsReadToItsEnd() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<90]))
        #expect(throws: Crash.self) {
            try Self.rig(log).run { consumer in
                if log.committed[0]?.offset == 90 && log.controls.isEmpty {
                    log.command("to-second", nil, type: .swap, model: Self.version(Self.second))
                }
                if try !log.events.isEmpty { log.crashAt = 0 }
            }
        }
        log.revive()
        (log.controls, log.controlMarks) = ([:], 3)
        log.append(Array(Self.records[90..<150]))
        let rig = try Self.rig(log)
        try rig.run()
        #expect(log.saved[0]?.position.modelHash == Self.second.model.hash)
        #expect(rig.notes.seen.notes.contains { $0.hasPrefix("nothing of it is stored before pumps.control is read") })
    }

    @Test func aRebuiltStateRepeatsTheRecordedSwapsWhateverIsActiveNow() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try Self.rig(log).run(script(log))
        log.saved = [:]
        log.append(Array(Self.records[150...]))
        try Self.rig(log, active: Self.second).run()
        #expect(log.answers() == (try replay(Self.records, try log.events)))
    }

    /// The states never go on by another model than the one that is recorded: the worker ends, to be tried again.
    @Test func aRecordedSwapWaitsForAModelThatCannotBeReadForTheMoment() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try Self.rig(log).run(script(log))
        log.saved = [:]
        log.append(Array(Self.records[150...]))
        let error = #expect(throws: SluiceError.self) {
            try Self.rig(log, unreadable: Self.version(Self.second)).run()
        }
        #expect(error?.retry == .later)
        try Self.rig(log).run()
        #expect(log.answers() == (try replay(Self.records, try log.events)))
    }

    /// Nor by another one where it is gone, but for who asks for that.
    @Test func aRecordedSwapToAModelThatIsGoneEndsTheServiceOrIsLeftOutByPolicy() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try Self.rig(log).run(script(log))
        log.saved = [:]
        log.append(Array(Self.records[150...]))
        func without(_ policy: LostInputPolicy) throws -> WorkerRig {
            try WorkerRig(log, specification: Self.first, others: [Self.third], lostInput: policy)
        }
        let before = log.answers().count
        let error = #expect(throws: SluiceError.self) { try without(.fail).run() }
        #expect(error?.code == .unknownModel && error?.retry == .never)
        #expect(error?.remedy?.contains("state.lost_input") == true)
        #expect(log.answers().count == before)
        let rig = try without(.coldStart)
        try rig.run()
        #expect(rig.notes.seen.notes.contains { $0.contains("a recorded swap cannot be repeated") })
    }

    @Test func aSavedStateGoesOnWithItsOwnModelWhateverIsActiveNow() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try Self.rig(log).run()
        log.append(Array(Self.records[150...]))
        let rig = try Self.rig(log, active: Self.second)
        try rig.run()
        #expect(log.answers() == (try replay(Self.records, [])))
        #expect(rig.notes.seen.replayed == 0)
    }

    /// The swap at the very input at which the state was saved is not in it, though it is not behind it either.
    @Test func aStateSavedBeforeTwoSwapsComesThroughBoth() throws {
        let log = SimulatedLog()
        log.append(Array(Self.records[..<150]))
        try Self.rig(log).run()
        let saved = log.saved
        log.command("to-second", nil, type: .swap, model: Self.version(Self.second))
        try Self.rig(log).run()
        log.append(Array(Self.records[150..<170]))
        try Self.rig(log).run()
        log.command("to-third", nil, type: .swap, model: Self.version(Self.third))
        log.append(Array(Self.records[170...]))
        try Self.rig(log).run()
        let events = try log.events
        #expect(events.map(\.offset).first == 150 && events.count == 2)
        log.saved = saved
        let rig = try Self.rig(log)
        try rig.run()
        #expect(rig.notes.seen.replayed == 50)
        #expect(log.answers() == (try replay(Self.records, events)))
    }

    @Test func aSwapToTheModelAtHandChangesNothingButIsRecorded() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        try Self.rig(log).run { consumer in
            if consumer.polls == 8 {
                log.command("same", nil, type: .swap, model: Self.version(Self.first))
            }
        }
        #expect(try log.events.map(\.id) == ["same"])
        #expect(log.answers() == (try replay(Self.records, [])))
    }

    @Test func aSwapToAModelThatIsNotHereIsRefused() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        log.command("lost", nil, type: .swap, model: "v404")
        try Self.rig(log).run()
        #expect(try log.events.map(\.type) == [.refused])
        #expect(log.answers() == (try replay(Self.records, [])))
    }

    /// A command to one stream is stored with the next commit, for replay does not repeat it: also where a swap gives
    /// all slots new places in between.
    @Test func aCommandBeforeASwapIsStoredWithTheNextCommit() throws {
        let rig = try FoldRig(Self.first)
        try rig.run(Array(Self.records[..<100]))
        let state = rig.state()
        let snapshot = try #require(try state.export("stream-4")).snapshot
        for stream in ["stream-0", "stream-1", "stream-2"] {
            var key = stream
            key.withUTF8 { text in
                if let slot = state.table.find(UnsafeRawBufferPointer(text)) { state.table.end(slot) }
            }
        }
        let event = Event(
            id: "one", type: .import, target: .stream("stream-5"), partition: 0, offset: 100, by: "test", time: 0,
            control: 3, snapshot: snapshot)
        #expect(try state.obey(event) == 1)
        let second = try Fold(specification: Self.second, input: pumps)
        #expect(state.swap(to: second, at: 100, control: 4) > 3)
        var outputs = OutputBatch()
        #expect(try state.writeChanges(limit: 0, stale: 0, before: 0, into: &outputs) > 0)
        let written = outputs.entries.compactMap { entry in
            entry.value == nil ? nil : entry.key.map { String(decoding: outputs.arena.bytes($0), as: UTF8.self) }
        }
        #expect(written.first == "stream-5")
    }
}

@Suite struct SwappedSlotTests {
    private static let former = FoldSpecification(model: makeModel(seed: 3))
    private static let successor = FoldSpecification(model: makeModel(hidden: 6, layers: 2, seed: 4))

    private static func record(_ stream: String, _ time: Int64, _ value: Float, at offset: Offset) -> Record {
        var record = Record(stream, time, value)
        record.offset = offset
        return record
    }

    /// Streams a and b with 20 observations each, then the other model.
    private func swapped() throws -> (PartitionState, Fold) {
        let state = PartitionState(
            partition: 0, fold: try Fold(specification: Self.former, input: pumps), recentCapacity: 10)
        for index in 0..<40 as Range<Int64> {
            try state.fold(Self.record(["a", "b"][Int(index % 2)], index, Float(index), at: index))
        }
        let fold = try Fold(specification: Self.successor, input: pumps)
        #expect(state.swap(to: fold, at: 40) == 2)
        return (state, fold)
    }

    @Test func statisticsGoOnAndTheStateIsInitial() throws {
        let (state, fold) = try swapped()
        let slot = state.table[try #require(try state.find("a"))]
        let scalars = SlotScalars(base: slot.scalars, layout: fold.layout)
        let header = slot.header.pointee
        #expect(scalars.statistics(0).count == 20 && scalars.statistics(0).mean == 19)
        #expect(header.fence == 38 && header.step == 0 && header.resets == 1)
        #expect(header.boundaryCause == .swap && header.boundaryOffset == 40)
        #expect(scalars.carried(0).isNaN)
        #expect((0..<fold.layout.shape.stateFloats).allSatisfy { slot.state[$0] == 0 })
        // Stored by nothing yet, they stay dirty.
        #expect(state.table.dirtyCount == 2 && state.table.staleCount == 0)
    }

    @Test func predictionsNameTheModelAndAreColdForSixteenSteps() throws {
        let (state, _) = try swapped()
        let texts = try (0..<18 as Range<Int64>).map { step in
            try state.fold(Self.record("a", 100 + step, 1, at: 40 + step))[0].text
        }
        #expect(texts.allSatisfy { $0.contains("\"model\":\"v4\"") })
        #expect(texts[..<16].allSatisfy { $0.contains("\"warm\":false") })
        #expect(texts[16...].allSatisfy { $0.contains("\"warm\":true") })
        #expect(texts[0].contains("\"step\":0,") && texts[17].contains("\"step\":17,"))
    }
}

extension PartitionState {
    /// Folds one record with the model at hand.
    @discardableResult
    fileprivate func fold(_ record: Record) throws -> [Output] {
        var batch = OutputBatch()
        try withLogRecords([record]) { lent in
            try fold.append(lent[0], at: 0, of: self)
            fold.run()
            fold.emit(lent, topic: "observations", messageBytesMax: 1_000_000, into: &batch)
            fold.clear()
        }
        return batch.entries.map { Output($0, batch) }
    }
}
