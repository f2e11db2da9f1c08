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
    /// delivered, or a crash between the two would let the same command take effect at another offset later.
    func takeCommands() throws {
        var hasRecorded = false
        try resources.control.poll(timeoutMilliseconds: 0, limit: Self.commandsMaximum) { _, record in
            guard let state = partitions[record.partition], record.offset >= state.controlOffset else { return }
            state.controlOffset = record.offset + 1
            delivery.applied()
            // Recorded before a crash: it stands in the schedule at its own offset already.
            guard let event = event(record, state), !state.schedule.contains(id: event.id), self.record(event) else {
                return
            }
            hasRecorded = true
            state.schedule.add(event)
            state.hasNewCommands = true
            state.schedule.forget(behind: state.controlOffset)
        }
        if hasRecorded { try delivery.recorded(self) }
    }

    private func event(_ record: LogRecord, _ state: PartitionState) -> Event? {
        do {
            let command = try messages.command(record.value)
            guard command.isComplete else {
                resources.observer.note(
                    "a command of the type \(command.type.rawValue) is passed over", state.partition, error: nil)
                return nil
            }
            guard canObey(command, state) else { return nil }
            return Event(
                command, partition: state.partition, offset: max(state.position, state.commandsFrom),
                control: record.offset, previous: state.schedule.pendingModel ?? state.model)
        } catch {
            resources.observer.note("a record of the control topic is not a command", state.partition, error: error)
            return nil
        }
    }

    /// Whether the model that a swap names is here, and the state of an import of the model at hand; a command is not
    /// recorded otherwise.
    private func canObey(_ command: Command, _ state: PartitionState) -> Bool {
        do {
            if let version = command.model { _ = try folds.fold(.version(version)) }
            if case .stream(let key)? = command.target, let snapshot = command.snapshot {
                try state.check(snapshot, for: key)
            }
            return true
        } catch {
            resources.observer.note(
                "a command of the type \(command.type.rawValue) cannot be obeyed and is passed over", state.partition,
                error: Self.known(error))
            return false
        }
    }

    static func known(_ error: any Error) -> SluiceError {
        error as? SluiceError ?? SluiceError(.invalidModel, "\(error)")
    }

    /// Puts a command with its offset on the audit, which is its acknowledgement; false for one too large to be
    /// recorded.
    private func record(_ event: Event) -> Bool {
        let open = delivery.open
        let value = event.encode(into: &open.outputs.arena)
        var key: Range<Int>?
        if case .stream(let stream) = event.target {
            let start = open.outputs.arena.count
            open.outputs.arena.append(stream)
            key = start..<open.outputs.arena.count
        }
        let bytes = open.outputs.arena.count - value.lowerBound
        guard bytes <= delivery.messageBytesMax - Self.recordOverhead else {
            open.outputs.arena.truncate(to: value.lowerBound)
            resources.observer.note("a command too large to be recorded is passed over", event.partition, error: nil)
            return false
        }
        open.outputs.entries.append(OutputBatch.Entry(topic: .events, partition: -1, key: key, value: value))
        return true
    }

    /// Applies the commands that take effect before the input at `offset`, in order.
    func applyScheduled(_ state: PartitionState, before offset: Offset) throws {
        while let event = state.schedule.take(before: offset) {
            guard let matched = try apply(event, to: state) else { continue }
            guard event.offset >= state.liveFrom else { continue }
            delivery.applied()
            resources.observer.commandApplied(event, matched: matched)
        }
    }

    /// How many streams a command met; nil for one that cannot take effect.
    ///
    /// - Throws: where it cannot at this moment: the states must not go on without it, so the partition is restored and
    ///   comes to it again.
    private func apply(_ event: Event, to state: PartitionState) throws -> Int? {
        if event.type == .swap, let version = event.model {
            do {
                _ = try folds.fold(.version(version))
            } catch let error as SluiceError where error.retry != .never || !state.ahead.isEmpty {
                throw error
            } catch {
                resources.observer.note(
                    "a recorded swap cannot be repeated: the states go on with the model before it", state.partition,
                    error: Self.known(error))
                return nil
            }
        }
        if event.isOfMany { state.remember(event) }
        do {
            let matched = try state.obey(event) { try folds.fold(.version($0)) }
            if event.type == .swap { folds.keep(Array(partitions.values) + gated.values.compactMap(\.loaded)) }
            return matched
        } catch let error as SluiceError where error.code == .invalidInput {
            resources.observer.note(
                "a recorded import cannot be repeated: the stream goes on without it", state.partition, error: error)
            return nil
        }
    }

    /// The commands that the audit records for a partition.
    func recordedCommands(_ partition: Int32) throws -> [Event] {
        let reader = try resources.makeReader()
        defer { reader.close() }
        return try CommandHistory(
            reader, topic: settings.eventsTopic, partitions: settings.eventsPartitions, of: partition
        ).events
    }
}
