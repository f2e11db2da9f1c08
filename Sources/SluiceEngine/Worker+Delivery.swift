import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceState

extension Worker {
    /// Something must be with the producer, or delivered, before any input may be folded.
    var isHeldBack: Bool { delivered < outputs.entries.count || isRecording }

    /// Hands outputs to the producer; waits for delivery where a command's record is among them. While either is not
    /// done the input is paused: what is kept here never exceeds the outputs of one poll.
    func deliver() throws {
        delivered = try resources.producer.produce(outputs, from: delivered)
        guard delivered == outputs.entries.count else {
            if !isOutputBlocked { try setBlocked(true) }
            try resources.producer.poll(timeoutMilliseconds: 20)
            return
        }
        if isRecording {
            guard try resources.producer.flush(timeoutMilliseconds: Self.flushMilliseconds) else {
                if !isOutputBlocked { try setBlocked(true) }
                return
            }
            isRecording = false
        }
        outputs.removeAll()
        delivered = 0
        if isOutputBlocked { try setBlocked(false) }
    }

    private func setBlocked(_ blocked: Bool) throws {
        isOutputBlocked = blocked
        let owned = Array(partitions.keys)
        if blocked { try resources.consumer.pause(owned) } else { try resources.consumer.resume(owned) }
        resources.observer.outputBlocked(blocked)
    }

    func commitIfDue() throws {
        guard isCommitDue, !isHeldBack else { return }
        let now = resources.clock.monotonicNanoseconds()
        guard now - committedNanoseconds >= settings.commitNanoseconds else { return }
        _ = try commit(now)
    }

    /// Flush, save, commit; false when the outputs are not delivered yet.
    func commit(_ now: Int64) throws -> Bool {
        guard try resources.producer.flush(timeoutMilliseconds: Self.flushMilliseconds) else { return false }
        var saved = 0
        for state in partitions.values {
            let isOld = now - (state.savedNanoseconds ?? .min / 2) >= settings.checkpointNanoseconds
            if state.isLive && (isOld || isSaveForced) { saved += try save(state, now) }
        }
        let positions = partitions.values.filter(\.isLive).map { state in
            CommittedPosition(
                partition: state.partition, offset: state.position,
                metadata: CommitMetadata(controlOffset: state.appliedControlOffset).text)
        }
        do {
            if !positions.isEmpty { try resources.consumer.commit(positions) }
        } catch let error as SluiceError where error.retry == .later {
            // A rebalance under way, a coordinator that moves: the next commit says it all, and a crash before it
            // repeats outputs.
            if !isCommitRefused { resources.observer.note("commits are refused, and tried again", nil, error: error) }
            isCommitRefused = true
            committedNanoseconds = resources.clock.monotonicNanoseconds()
            return false
        }
        isCommitRefused = false
        isCommitDue = false
        isSaveForced = false
        committedNanoseconds = resources.clock.monotonicNanoseconds()
        resources.observer.committed(nanoseconds: committedNanoseconds - now, saved: saved)
        return true
    }

    /// Saves the slots changed since the last save, or all of them where the store asks for that.
    private func save(_ state: PartitionState, _ now: Int64) throws -> Int {
        let table = state.table
        let isEverything = state.isSavedByAnother || resources.store.wantsEverything(state.partition)
        let snapshots = try state.fold.specification.snapshots
        defer { state.savedNanoseconds = now }
        if !isEverything && table.dirty.isEmpty && table.dropped.isEmpty && !isSaveForced { return 0 }
        changes.removeAll()
        if isEverything {
            table.forEach { changes.put($0, of: table, as: snapshots) }
        } else {
            for key in table.dropped { changes.drop(key) }
            for slot in table.dirty where table[slot].header.pointee.isUsed {
                changes.put(slot, of: table, as: snapshots)
            }
        }
        try resources.store.save(
            state.partition,
            StorePosition(
                offset: state.position, controlOffset: state.appliedControlOffset,
                modelHash: state.fold.specification.model.hash),
            changes, isEverything: isEverything)
        state.isSavedByAnother = false
        table.clearDirty()
        return changes.count
    }

    /// Before leaving: everything folded is delivered, saved and committed, for as long as the broker takes it.
    func finish() throws {
        try settle(partitions.values.map { $0 }, attempts: 30)
    }

    /// Delivers, saves and commits; gives up after so many seconds without progress, which loses nothing: what is not
    /// committed is read again.
    func settle(_ states: [PartitionState], attempts: Int) throws {
        for _ in 0..<attempts {
            if isHeldBack { try deliver() }
            guard !isHeldBack else {
                try resources.producer.poll(timeoutMilliseconds: 1_000)
                continue
            }
            guard isCommitDue || states.contains(where: { $0.isLive && !$0.table.dirty.isEmpty }) else { return }
            isSaveForced = true
            if try commit(resources.clock.monotonicNanoseconds()) { return }
            try resources.producer.poll(timeoutMilliseconds: 200)
        }
        resources.observer.note(
            "what was folded last could not be delivered and committed in time; its inputs will be read again", nil,
            error: nil)
    }
}

/// What travels in the metadata string of a commit.
struct CommitMetadata: Equatable {
    private static let prefix = "sluice1 control="

    var controlOffset: Offset

    init(controlOffset: Offset) { self.controlOffset = controlOffset }

    /// Nil for a commit that was made by something else.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let offset = Offset(text.dropFirst(Self.prefix.count)) else { return nil }
        controlOffset = offset
    }

    var text: String { "\(Self.prefix)\(controlOffset)" }
}
