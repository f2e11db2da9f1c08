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
            let due = limit ?? state.slotsDue(elapsed: elapsed, clock.monotonicNanoseconds(), settings)
            if let sealed = try seal(state, due) { self.sealed[state.partition] = sealed }
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
}
