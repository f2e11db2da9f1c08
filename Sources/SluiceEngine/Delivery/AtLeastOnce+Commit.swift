import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceState

/// Commits beside the fold: what one says is settled when it is begun, and is stored and committed when all outputs
/// before it are delivered, while further inputs are folded.
extension AtLeastOnce {
    struct Commit {
        enum Phase: Equatable {
            case none
            /// Its outputs are on their way to the producer.
            case handingOver
            /// The producer has all of them.
            case delivering
            /// They are delivered: what has changed is being stored.
            case storing
            /// The group's coordinator is asked.
            case committing
        }

        /// What of a partition is stored and committed.
        struct Part {
            var state: PartitionState
            var position: CommittedPosition
            /// Nil: nothing of it is stored this time.
            var stored: StoredPosition?
        }

        var phase = Phase.none
        var begunNanoseconds: Int64 = 0
        var storesBegunNanoseconds: Int64 = 0
        var parts: [Part] = []
        /// Those of the parts that are still owned.
        var positions: [CommittedPosition] = []
        /// Changed slots of all parts, encoded as they were when it was begun.
        let changes = Transaction()
        var report = CommitReport()

        static func position(_ state: PartitionState, _ settings: WorkerSettings) -> CommittedPosition {
            let metadata = CommitMetadata(
                replayFrom: state.position, controlOffset: state.appliedControlOffset, identity: state.identity,
                origin: state.origin, partitions: settings.inputPartitions)
            return CommittedPosition(partition: state.partition, offset: state.position, metadata: metadata.text)
        }
    }

    /// A commit that has no answer by then is indefinite: committing again is harmless.
    private static let answerNanoseconds: Int64 = 10_000_000_000
    /// A disk that takes longer keeps the input waiting: what is folded and not stored is folded again behind a crash.
    private static let storingNanoseconds: Int64 = 10_000_000_000
    /// Parts of a checkpoint interval in which a store is written at least, each of them synced.
    private static let storesInCheckpoint: Int64 = 10

    /// Settles what a commit says: positions as they are, and slots whose turn it is.
    ///
    /// - Parameter isLast: all that is dirty is stored.
    func beginCommit(_ worker: Worker, _ now: Int64, isLast: Bool) throws {
        wait.begin()
        commit.report = CommitReport()
        commit.begunNanoseconds = now
        for state in worker.partitions.values where state.isLive {
            var isSaved = isLast && state.knowsCommands
            if isSaved {
                try storeAll(state)
            } else if state.knowsCommands, let limit = slotsDue(state, now) {
                commit.report.slots += try state.writeChanges(
                    limit: limit, stale: settings.markedSlots, before: state.position - settings.replayRecordsMax,
                    into: &commit.changes.outputs)
                isSaved = true
            }
            commit.parts.append(
                Commit.Part(
                    state: state, position: Commit.position(state, settings),
                    stored: isSaved ? storedPosition(state) : nil))
        }
        commit.report.stateBytes += PartitionState.stateBytes(commit.changes.outputs)
        underway.beginCommit(open.outputs)
        commit.phase = .handingOver
    }

    /// How many slots are stored with this commit; nil: none, for a synced write of few is not worth its time.
    private func slotsDue(_ state: PartitionState, _ now: Int64) -> Int? {
        let elapsed = now - (state.savedNanoseconds ?? now - settings.checkpointNanoseconds)
        let due = state.slotsDue(elapsed: elapsed, now, settings)
        let isWorthIt = due >= state.slots(inBytes: settings.storeBytes)
        guard isWorthIt || state.isPressing || elapsed >= settings.checkpointNanoseconds / Self.storesInCheckpoint
        else { return nil }
        return due
    }

    /// Stores all that is dirty while nothing is folded, some at a time: each write says from where those that are
    /// still to come are folded again, so that a crash between two of them loses nothing.
    private func storeAll(_ state: PartitionState) throws {
        let changes = Transaction()
        var stale = settings.markedSlots
        repeat {
            changes.removeAll()
            commit.report.slots += try state.writeChanges(
                limit: state.slots(inBytes: settings.changesBytes), stale: stale, before: .min, into: &changes.outputs)
            stale = 0
            commit.report.stateBytes += PartitionState.stateBytes(changes.outputs)
            try state.store(changes.outputs, storedPosition(state))
        } while state.table.dirtyCount > 0
    }

    private func storedPosition(_ state: PartitionState) -> StoredPosition {
        StoredPosition(
            identity: state.identity, offset: state.position, replayFrom: state.replayOffset,
            controlOffset: state.appliedControlOffset, modelHash: state.fold.specification.model.hash,
            latest: state.latest, storedAt: clock.wallMilliseconds(), partitions: settings.inputPartitions)
    }

    /// Goes as far with the commit under way as it can.
    func advanceCommit(_ worker: Worker, timeoutMilliseconds: Int = 0) throws {
        if commit.phase == .handingOver, underway.hasCommitLeft(open.outputs) {
            try learning { try producer.mark() }
            commit.phase = .delivering
        }
        if commit.phase == .delivering, producer.isMarkDelivered { try startStores(worker) }
        if commit.phase == .storing {
            if try areStored(worker, waits: timeoutMilliseconds > 0) {
                try startCommit(worker)
            } else if isStoringLong {
                wait.refusal = SluiceError(
                    .file, "the state directory's disk has not taken a write for 10 s, and the input waits",
                    retry: .later)
            }
        }
        if commit.phase == .committing { try awaitAnswer(worker, timeoutMilliseconds) }
    }

    /// Every output is delivered: the store may be ahead of the commit. A disk syncs in some milliseconds, more when it
    /// is busy, and inputs are folded meanwhile.
    private func startStores(_ worker: Worker) throws {
        for index in commit.parts.indices where isOwned(index, worker) {
            guard let stored = commit.parts[index].stored else { continue }
            try commit.parts[index].state.startStore(commit.changes.outputs, stored)
        }
        commit.changes.removeAll()
        commit.storesBegunNanoseconds = clock.monotonicNanoseconds()
        commit.phase = .storing
    }

    /// What has gone to another owner meanwhile is his.
    private func isOwned(_ index: Int, _ worker: Worker) -> Bool {
        let state = commit.parts[index].state
        return worker.partitions[state.partition] === state
    }

    var isStoringLong: Bool {
        commit.phase == .storing
            && clock.monotonicNanoseconds() - commit.storesBegunNanoseconds > Self.storingNanoseconds
    }

    private func areStored(_ worker: Worker, waits: Bool) throws -> Bool {
        for index in commit.parts.indices where isOwned(index, worker) {
            guard try commit.parts[index].state.isStored(waits: waits) else { return false }
        }
        return true
    }

    private func startCommit(_ worker: Worker) throws {
        commit.positions.removeAll(keepingCapacity: true)
        for index in commit.parts.indices where isOwned(index, worker) {
            commit.positions.append(commit.parts[index].position)
            guard commit.parts[index].stored != nil else { continue }
            commit.parts[index].state.savedNanoseconds = commit.begunNanoseconds
            try worker.spill(commit.parts[index].state)
        }
        guard !commit.positions.isEmpty else { return committed() }
        do {
            try consumer.startCommit(commit.positions)
            commit.phase = .committing
        } catch let error as SluiceError where error.retry == .later {
            refused(error)
        }
    }

    private func awaitAnswer(_ worker: Worker, _ timeoutMilliseconds: Int) throws {
        let now = clock.monotonicNanoseconds()
        do {
            guard try consumer.isCommitAnswered(timeoutMilliseconds: timeoutMilliseconds) else {
                guard now - commit.begunNanoseconds > Self.answerNanoseconds else { return }
                return refused(SluiceError(.broker, "a commit has no answer after 10 s", retry: .later))
            }
        } catch let error as SluiceError where error.retry == .later {
            return refused(error)
        }
        committed()
    }

    private func committed() {
        commit.report.nanoseconds = clock.monotonicNanoseconds() - commit.begunNanoseconds
        wait.end()
        observer.committed(commit.report)
        // The rest is stored with the next ones, though nothing new may come; and that no input is missing any more.
        let isBehind = commit.parts.contains { part in
            let state = part.state
            return !state.isAllStored || state.lostFrom != nil || state.store?.position?.offset != state.position
        }
        if isBehind { add() }
        endCommit()
    }

    /// A rebalance under way, a coordinator that moves: the next commit says it all, and a crash before it repeats
    /// outputs.
    func refused(_ error: SluiceError) {
        add()
        wait.refusal = error
        endCommit()
    }

    private func endCommit() {
        commit.parts.removeAll(keepingCapacity: true)
        commit.phase = .none
    }
}
