import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

extension ExactlyOnce {
    /// Adds to the open transaction what it must say of each live partition: changed slots, its head and its positions.
    /// Partitions of which there is nothing new are left out.
    ///
    /// - Parameters:
    ///   - limit: dirty slots of a partition at most; nil: those whose turn it is.
    ///   - elapsed: nanoseconds since the transaction before.
    func seal(_ worker: Worker, limit: Int?, elapsed: Int64) throws {
        sealed.removeAll(keepingCapacity: true)
        for state in worker.partitions.values where state.isLive {
            // Their records are in this transaction: so are their effects.
            try worker.applyScheduled(state, before: state.position)
            if let sealed = try seal(state, limit ?? slotsDue(state, elapsed)) { self.sealed[state.partition] = sealed }
        }
    }

    private func seal(_ state: PartitionState, _ limit: Int) throws -> Sealed? {
        if state.identity.isEmpty { state.identity = resources.makeIdentity() }
        let entries = open.outputs.entries.count
        let slots = try state.writeChanges(
            limit: limit, stale: settings.markedSlots, before: state.position - settings.replayRecordsMax,
            into: &open.outputs)
        let sealed = Sealed(
            offset: state.position, replayFrom: state.replayOffset, controlOffset: state.appliedControlOffset,
            identity: state.identity, modelHash: state.fold.specification.model.hash, latest: state.latest)
        if sealed == committed[state.partition] && open.outputs.entries.count == entries { return nil }
        let head = ChangelogHead(
            identity: sealed.identity, offset: sealed.offset, replayFrom: sealed.replayFrom,
            control: sealed.controlOffset, model: sealed.modelHash, latest: sealed.latest,
            partitions: settings.inputPartitions)
        let value = head.encode(into: &open.outputs.arena)
        state.put(ChangelogKey.head, value, &open.outputs)
        open.positions.append(
            CommittedPosition(
                partition: state.partition, offset: sealed.offset,
                metadata: CommitMetadata(
                    replayFrom: sealed.replayFrom, controlOffset: sealed.controlOffset, identity: sealed.identity,
                    origin: state.origin, partitions: settings.inputPartitions
                ).text))
        saving[state.partition] = slots
        return sealed
    }

    /// How many dirty slots are written with a commit: as many as let the most that were dirty at a time be written
    /// within a checkpoint interval, spread evenly; but no more than memory and the next commit can take, for a commit
    /// that is late would else have more to write, and be later.
    private func slotsDue(_ state: PartitionState, _ elapsed: Int64) -> Int {
        let now = clock.monotonicNanoseconds()
        let count = state.table.dirtyCount
        if count >= state.mostDirty.count || now - state.mostDirty.nanoseconds > settings.checkpointNanoseconds {
            state.mostDirty = (count, now)
        }
        let share = Double(max(elapsed, settings.commitNanoseconds)) / Double(max(1, settings.checkpointNanoseconds))
        let due = Int((min(1, share) * Double(state.mostDirty.count)).rounded(.up))
        return max(settings.slotsMinimum, min(due, state.slots(inBytes: settings.changesBytes)))
    }
}
