import SluiceCore
import SluiceLog
import SluiceSchema

extension Worker {
    /// Commands read in one turn of the loop.
    private static let commandsMaximum = 256
    /// Bytes of a message besides key and value, amply.
    private static let recordOverhead = 128

    /// Takes what has arrived on the control partitions: each command takes effect before the next input of its
    /// partition, but for those that an earlier life may have answered.
    ///
    /// It is recorded on the audit first: nothing is folded from a state that it set back before its record is
    /// delivered, or a crash between the two would let the same command take effect at another offset later. One that
    /// cannot take effect is refused there.
    ///
    /// - Throws: where it only cannot be said now whether a command can take effect: the next worker comes to it again.
    func takeCommands() throws {
        var hasRecorded = false
        try resources.control.poll(timeoutMilliseconds: 0, limit: Self.commandsMaximum) { _, record in
            guard let state = partitions[record.partition], record.offset >= state.controlOffset else { return }
            let event = try event(record, state)
            state.controlOffset = record.offset + 1
            delivery.applied()
            guard let event, let recorded = self.record(event) else { return }
            hasRecorded = true
            state.schedule.add(recorded)
            state.hasNewCommands = true
            state.schedule.forget(behind: state.controlOffset)
        }
        noteHowFarIsRead()
        if hasRecorded { try delivery.recorded(self) }
    }

    /// Where a control partition ends with what is no record, its end is reached all the same.
    private func noteHowFarIsRead() {
        for state in partitions.values where state.isControlled && !state.knowsCommands {
            let partition = TopicPartition(topic: settings.controlTopic, partition: state.partition)
            state.controlOffset = max(state.controlOffset, resources.control.position(partition) ?? 0)
            if state.knowsCommands { delivery.applied() }
        }
    }

    /// What is to be recorded of a command; nil for what is none, and for one that is known: recorded before a crash,
    /// it stands in the schedule at its own offset already.
    private func event(_ record: LogRecord, _ state: PartitionState) throws -> Event? {
        let command: Command
        do {
            command = try messages.command(record.value)
        } catch {
            resources.observer.note("a record of the control topic is not a command", state.partition, error: error)
            return nil
        }
        guard !state.schedule.contains(id: command.id) else { return nil }
        let offset = max(state.position, state.commandsFrom)
        do {
            try check(command, state)
            return Event(
                command, partition: state.partition, offset: offset, control: record.offset,
                previous: state.schedule.pendingModel ?? state.model)
        } catch {
            let known = Self.known(error)
            guard known.retry == .never else { throw known }
            return Event(
                refusing: command, partition: state.partition, offset: offset, control: record.offset,
                cause: "\(command.type.rawValue): \(known)")
        }
    }

    /// Whether the model that a swap names is here, and the state of an import of the model at hand.
    private func check(_ command: Command, _ state: PartitionState) throws {
        guard command.isComplete else {
            throw SluiceError(.invalidInput, "no such command is known here, or it does not say all that it takes")
        }
        if let version = command.model { _ = try folds.fold(.version(version)) }
        if case .stream(let key)? = command.target, let snapshot = command.snapshot {
            try state.check(snapshot, for: key)
        }
    }

    static func known(_ error: any Error) -> SluiceError {
        error as? SluiceError ?? SluiceError(.invalidModel, "\(error)")
    }

    /// Puts a command with its offset on the audit, which is its acknowledgement.
    ///
    /// - Returns: what is recorded: of one that is too large, its refusal; nil where even that is.
    private func record(_ event: Event) -> Event? {
        let maximum = delivery.messageBytesMax - Self.recordOverhead
        let bytes = append(event)
        if event.type == .refused {
            resources.observer.note(
                "a command is refused", event.partition, error: SluiceError(.invalidInput, event.cause ?? ""))
        }
        guard bytes > maximum else { return event }
        let open = delivery.open
        open.outputs.arena.truncate(to: open.outputs.arena.count - bytes)
        open.outputs.entries.removeLast()
        guard event.type != .refused else { return nil }
        var refusal = event
        (refusal.type, refusal.previous, refusal.snapshot) = (.refused, nil, nil)
        refusal.cause =
            "\(event.type.rawValue): its record would have \(bytes) bytes, and a message of the events topic has up to "
            + "\(maximum) (message.max.bytes)"
        return record(refusal)
    }

    /// - Returns: how many bytes it has.
    private func append(_ event: Event) -> Int {
        let open = delivery.open
        let value = event.encode(into: &open.outputs.arena)
        var key: Range<Int>?
        if case .stream(let stream) = event.target {
            let start = open.outputs.arena.count
            open.outputs.arena.append(stream)
            key = start..<open.outputs.arena.count
        }
        open.outputs.entries.append(OutputBatch.Entry(topic: .events, partition: -1, key: key, value: value))
        return open.outputs.arena.count - value.lowerBound
    }

    /// Applies the commands that take effect before the input at `offset`, in order.
    func applyScheduled(_ state: PartitionState, before offset: Offset) throws {
        while let event = state.schedule.take(before: offset) {
            guard try apply(event, to: state), event.offset >= state.liveFrom else { continue }
            delivery.applied()
        }
        reportMet(state)
    }

    /// Says how many streams commands have met that are through.
    func reportMet(_ state: PartitionState) {
        guard !state.met.isEmpty else { return }
        for (event, matched) in state.met where event.offset >= state.liveFrom {
            resources.observer.commandApplied(event, matched: matched)
        }
        state.met.removeAll()
    }

    /// Whether a command takes effect.
    ///
    /// - Throws: where it cannot at this moment: the states must not go on without it, so the partition is restored and
    ///   comes to it again.
    private func apply(_ event: Event, to state: PartitionState) throws -> Bool {
        if event.type == .swap, let version = event.model {
            do {
                _ = try folds.fold(.version(version))
            } catch let error as SluiceError where error.retry != .never || !state.swapsAhead.isEmpty {
                throw error
            } catch {
                guard state.lostInput == .coldStart else { throw PartitionState.lostModel(Self.known(error)) }
                resources.observer.note(
                    "a recorded swap cannot be repeated: the states go on with the model before it", state.partition,
                    error: Self.known(error))
                return false
            }
        }
        if event.isOfMany { state.remember(event) }
        do {
            let matched = try state.obey(event) { try folds.fold(.version($0)) }
            if let matched { state.met.append((event, matched)) }
            if event.type == .swap { folds.keep(Array(partitions.values) + gated.values.compactMap(\.loaded)) }
            return true
        } catch let error as SluiceError where error.code == .invalidInput {
            resources.observer.note(
                "a recorded import cannot be repeated: the stream goes on without it", state.partition, error: error)
            return false
        }
    }
}
