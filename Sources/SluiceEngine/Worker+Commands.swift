import SluiceCore
import SluiceLog
import SluiceSchema

extension Worker {
    /// Commands read in one turn of the loop.
    private static let commandsMaximum = 256

    /// Takes what has arrived on the control partitions: each command takes effect before the next input of its partition and is
    /// recorded on the audit, which is its acknowledgement.
    func takeCommands() throws {
        try resources.control.poll(timeoutMilliseconds: 0, limit: Self.commandsMaximum) { _, record in
            guard let state = partitions[record.partition], !state.isGated, record.offset >= state.controlOffset else { return }
            state.controlOffset = record.offset + 1
            isCommitDue = true
            // Recorded before a crash: it stands in the schedule at its own offset already.
            guard let event = event(record, state), !state.schedule.contains(id: event.id) else { return }
            state.schedule.add(event)
        }
    }

    private func event(_ record: LogRecord, _ state: PartitionState) -> Event? {
        do {
            let command = try messages.command(record.value)
            if command.type == .reset && command.target != nil {
                return Event(
                    command, partition: state.partition, offset: max(state.position, state.liveFrom), control: record.offset)
            }
            resources.observer.note("a command of the type \(command.type.rawValue) is passed over", state.partition, error: nil)
        } catch {
            resources.observer.note("a record of the control topic is not a command", state.partition, error: error)
        }
        return nil
    }

    /// Applies the commands that take effect before the input at `offset`, in order.
    func applyScheduled(_ state: PartitionState, before offset: Offset) {
        while let event = state.schedule.take(before: offset) {
            guard let target = event.target else { continue }
            let matched = fold.reset(target, of: state, at: event.offset)
            guard event.offset >= state.liveFrom else { continue }
            record(event, matched)
        }
    }

    /// Puts the command with its offset on the audit. After a crash it may stand there twice, with the same id and offset.
    private func record(_ event: Event, _ matched: Int) {
        let value = event.encode(into: &outputs.arena)
        var key: Range<Int>?
        if case .stream(let stream) = event.target {
            let start = outputs.arena.count
            outputs.arena.append(stream)
            key = start..<outputs.arena.count
        }
        outputs.entries.append(OutputBatch.Entry(topic: .events, partition: -1, key: key, value: value))
        isCommitDue = true
        isSaveForced = true
        resources.observer.commandApplied(event, matched: matched)
    }

    /// The commands that the audit records for a partition.
    func recordedCommands(_ partition: Int32) throws -> [Event] {
        let reader = try resources.makeHistoryReader()
        defer { reader.close() }
        return try CommandHistory.read(reader, topic: settings.eventsTopic, partitions: settings.eventsPartitions)
            .filter { $0.partition == partition }
    }
}
