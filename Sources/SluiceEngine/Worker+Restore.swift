import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

extension Worker {
    private static let timeoutMilliseconds = 5_000

    /// Restores one gated partition; true while something is left to do. A broker that does not answer is asked again
    /// later.
    func restoreGated() throws -> Bool {
        let next = gated.min()
        guard next != nil || isControlStale else { return false }
        guard resources.clock.monotonicNanoseconds() >= restoreAgainNanoseconds else { return true }
        do {
            if let next { try restore(next) }
            if isControlStale { try assignControl() }
        } catch let error as SluiceError where error.retry == .later {
            resources.observer.note("restoring waits for the broker", next, error: error)
            restoreAgainNanoseconds = resources.clock.monotonicNanoseconds() + 1_000_000_000
        }
        return true
    }

    /// Gathers the facts, decides, executes.
    private func restore(_ partition: Int32) throws {
        let committed = try resources.consumer.committed([partition], timeoutMilliseconds: Self.timeoutMilliseconds)
            .first
        let (low, high) = try resources.consumer.watermarks(
            partition: partition, timeoutMilliseconds: Self.timeoutMilliseconds)
        let control = try resources.control.watermarks(
            TopicPartition(topic: settings.controlTopic, partition: partition),
            timeoutMilliseconds: Self.timeoutMilliseconds)
        let history = try recordedCommands(partition)
        let stored = try loadStored(partition)
        let plan = try RestorePlan(
            partition: TopicPartition(topic: settings.inputTopic, partition: partition), stored: stored?.position,
            committed: committed?.offset,
            committedControl: committed.flatMap { CommitMetadata($0.metadata) }?.controlOffset,
            low: low, high: high, controlLow: control.low, controlHigh: control.high)
        if stored == nil { resources.store.discard(partition) }
        let restored = try stored?.state ?? fresh(partition, try firstModel(partition, history))
        for note in plan.notes { resources.observer.note(note, partition, error: nil) }
        restored.position = plan.replayFrom
        restored.replayFrom = plan.replayFrom
        restored.liveFrom = plan.liveFrom
        restored.commandsFrom = plan.commandsFrom
        restored.controlOffset = plan.controlOffset
        for event in history where (event.control ?? 0) >= (stored?.position.controlOffset ?? 0) {
            restored.schedule.add(event)
        }
        // Commands before a state rebuilt from the log's beginning fall away with the inputs they preceded.
        try resources.consumer.start(partition: partition, at: plan.replayFrom)
        partitions[partition] = restored
        gated.remove(partition)
        isControlStale = true
    }

    private func fresh(_ partition: Int32, _ fold: Fold) -> PartitionState {
        PartitionState(partition: partition, fold: fold, recentCapacity: settings.recentCapacity)
    }

    /// The model that folded a partition's log before its first recorded swap; the active one where none is recorded.
    private func firstModel(_ partition: Int32, _ history: [Event]) throws -> Fold {
        let swaps = history.filter { $0.type == .swap }
        let first = swaps.min { ($0.offset, $0.control ?? 0) < ($1.offset, $1.control ?? 0) }
        guard let previous = first?.previous else { return try folds.fold(.active) }
        do {
            return try folds.fold(.version(previous))
        } catch let error as SluiceError where error.code == .unknownModel {
            resources.observer.note(
                "the model that the log begins with is not here: the active one stands in for it", partition,
                error: error)
            return try folds.fold(.active)
        }
    }

    /// The saved state; nil when there is none that can be used.
    private func loadStored(_ partition: Int32) throws -> (state: PartitionState, position: StorePosition)? {
        do {
            guard let hash = try resources.store.modelHash(partition) else { return nil }
            let state = fresh(partition, try folds.fold(.hash(hash)))
            let snapshots = try state.fold.specification.snapshots
            let position = try resources.store.load(partition) { kind, bytes in
                switch kind {
                case .snapshot: _ = try snapshots.restore(bytes, into: state.table)
                case .dropped:
                    guard let slot = state.table.find(bytes) else { return }
                    state.table.end(slot)
                    state.table.releaseIfUnused(slot)
                }
            }
            state.table.clearDirty()
            return position.map { (state, $0) }
        } catch let error as SluiceError where Self.unusable.contains(error.code) {
            resources.observer.note(
                "the saved state cannot be used; it is rebuilt from the log", partition, error: error)
            return nil
        }
    }

    /// What makes a saved state as good as none.
    private static let unusable: Set<SluiceError.Code> = [.foreignState, .invalidState, .unknownModel]

    /// Reads the control partitions of what is live, from where each has come.
    func assignControl() throws {
        var positions: [TopicPartition: Offset] = [:]
        for state in partitions.values {
            positions[TopicPartition(topic: settings.controlTopic, partition: state.partition)] = state.controlOffset
        }
        try resources.control.assign(positions)
        isControlStale = false
    }
}

/// What restoring a partition comes to: a pure decision from facts.
struct RestorePlan: Equatable {
    /// False: the saved state is left aside and everything is folded from the log.
    var usesStore: Bool
    /// First input folded again.
    var replayFrom: Offset
    /// First input answered.
    var liveFrom: Offset
    /// First input before which a new command may take effect.
    var commandsFrom: Offset
    var controlOffset: Offset
    var notes: [String] = []

    /// - Parameters:
    ///   - stored: the saved state, nil without a usable one.
    ///   - committed: the group's offset, nil before the first commit.
    ///   - low, high: first offset still in the log, and the one the next record will get.
    ///   - controlLow, controlHigh: likewise of the control partition.
    /// - Throws: `state-foreign` when state or commit lie beyond the log's end: it is another log.
    init(
        partition: TopicPartition, stored: StorePosition?, committed: Offset?, committedControl: Offset?, low: Offset,
        high: Offset, controlLow: Offset, controlHigh: Offset
    ) throws {
        let furthest = max(stored?.offset ?? 0, committed ?? 0)
        guard furthest <= high else {
            throw SluiceError(
                .foreignState, "\(partition) ends at offset \(high), but the service had come to \(furthest)",
                remedy:
                    "the topic was deleted and made anew: use another application name, or move the state directory "
                    + "away and reset the group's offsets")
        }
        usesStore = stored != nil
        // A save is never behind its commit by more than a checkpoint, and may be ahead of it after a crash between
        // them.
        liveFrom = max(stored?.offset ?? 0, committed ?? low)
        replayFrom = stored?.offset ?? (committed == nil ? liveFrom : low)
        let control = max(stored?.controlOffset ?? 0, committedControl ?? 0)
        commandsFrom = 0
        // Retention took commands that were never read, or the topic was made anew: all that is there is new.
        controlOffset = (controlLow...max(controlLow, controlHigh)).contains(control) ? control : controlLow
        if replayFrom < low {
            notes.append(
                "inputs \(replayFrom)..<\(low) are no longer in the log; streams that had any go on without them")
            replayFrom = low
        }
        liveFrom = max(liveFrom, replayFrom)
        // Inputs that were there may have been answered behind the last commit. Before the first one only a crash in
        // the very first moments has answered any, and a long log should not keep commands waiting.
        commandsFrom = stored == nil && committed == nil ? liveFrom : max(liveFrom, high)
        if stored == nil, liveFrom > replayFrom {
            notes.append("no saved state: \(liveFrom - replayFrom) inputs are folded again to rebuild it")
        }
        if stored == nil, committed != nil, low > 0 {
            notes.append("the log begins at offset \(low): streams older than that begin there")
        }
    }
}
