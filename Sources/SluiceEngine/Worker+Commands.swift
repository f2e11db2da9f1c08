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
            guard let command = recordedCommand(record, state) else { return }
            // Recorded before a crash: it stands in the schedule at its own offset already.
            guard !state.schedule.contains(id: command.id) else { return }
            state.schedule.add(command)
        }
    }

    private func recordedCommand(_ record: LogRecord, _ state: PartitionState) -> RecordedCommand? {
        guard let command = try? ControlCommand(record.value) else {
            resources.observer.note("a record of the control topic is not a command", state.partition, error: nil)
            return nil
        }
        return RecordedCommand(
            id: command.id, target: command.target, partition: state.partition,
            offset: max(state.position, state.liveFrom), controlOffset: record.offset, by: command.by)
    }

    /// Applies the commands that take effect before the input at `offset`, in order.
    func applyScheduled(_ state: PartitionState, before offset: Offset) {
        while let command = state.schedule.take(before: offset) {
            let matched = fold.reset(command.target, of: state, at: command.offset)
            guard command.offset >= state.liveFrom else { continue }
            record(command, matched)
        }
    }

    /// Puts the command with its offset on the audit. After a crash it may stand there twice, with the same id and offset.
    private func record(_ command: RecordedCommand, _ matched: Int) {
        outputs.append(command.event(matched: matched, milliseconds: resources.clock.wallMilliseconds()))
        isCommitDue = true
        isSaveForced = true
        resources.observer.commandApplied(command, matched: matched)
    }

    /// The commands that the audit records for a partition.
    func recordedCommands(_ partition: Int32) throws -> [RecordedCommand] {
        let reader = try resources.makeHistoryReader()
        defer { reader.close() }
        return try CommandHistory.read(reader, topic: settings.eventsTopic, partitions: settings.eventsPartitions).filter { $0.partition == partition }
    }
}
