import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

extension Worker {
    private static let timeoutMilliseconds = 5_000
    private static let anotherModel = "the saved state was made by another model; it is rebuilt from the log"

    /// Restores one gated partition; true while something is left to do. A broker that does not answer is asked again
    /// later.
    func restoreGated() throws -> Bool {
        let gated = partitions.values.filter(\.isGated).min { $0.partition < $1.partition }
        guard gated != nil || isControlStale else { return false }
        guard resources.clock.monotonicNanoseconds() >= restoreAgainNanoseconds else { return true }
        do {
            if let gated { try restore(gated) }
            if isControlStale { try assignControl() }
        } catch let error as SluiceError where error.retry == .later {
            resources.observer.note("restoring waits for the broker", gated?.partition, error: error)
            restoreAgainNanoseconds = resources.clock.monotonicNanoseconds() + 1_000_000_000
        }
        return true
    }

    /// Gathers the facts, decides, executes.
    private func restore(_ state: PartitionState) throws {
        let partition = state.partition
        let committed = try resources.consumer.committed([partition], timeoutMilliseconds: Self.timeoutMilliseconds)
            .first
        let (low, high) = try resources.consumer.watermarks(
            partition: partition, timeoutMilliseconds: Self.timeoutMilliseconds)
        let control = try resources.control.watermarks(
            TopicPartition(topic: settings.controlTopic, partition: partition),
            timeoutMilliseconds: Self.timeoutMilliseconds)
        let history = try recordedCommands(partition)
        let fresh = PartitionState(
            partition: partition, specification: fold.specification, recentCapacity: settings.recentCapacity)
        let stored = try loadStored(fresh)
        let plan = try RestorePlan(
            partition: TopicPartition(topic: settings.inputTopic, partition: partition), stored: stored,
            committed: committed?.offset,
            committedControl: committed.flatMap { CommitMetadata($0.metadata) }?.controlOffset,
            low: low, high: high, controlLow: control.low, controlHigh: control.high)
        let restored =
            plan.usesStore
            ? fresh
            : PartitionState(
                partition: partition, specification: fold.specification, recentCapacity: settings.recentCapacity)
        if !plan.usesStore { resources.store.discard(partition) }
        for note in plan.notes { resources.observer.note(note, partition, error: nil) }
        restored.position = plan.replayFrom
        restored.replayFrom = plan.replayFrom
        restored.liveFrom = plan.liveFrom
        restored.commandsFrom = plan.commandsFrom
        restored.controlOffset = plan.controlOffset
        restored.isGated = false
        for event in history where !plan.usesStore || (event.control ?? 0) >= (stored?.controlOffset ?? 0) {
            restored.schedule.add(event)
        }
        // Commands before a state rebuilt from the log's beginning fall away with the inputs they preceded.
        try resources.consumer.start(partition: partition, at: plan.replayFrom)
        partitions[partition] = restored
        isControlStale = true
    }

    /// The saved state, into `state`; nil when there is none that can be used.
    private func loadStored(_ state: PartitionState) throws -> StorePosition? {
        do {
            let position = try resources.store.load(state.partition) { kind, bytes in
                switch kind {
                case .snapshot: _ = try snapshots.restore(bytes, into: state.table)
                case .dropped:
                    guard let slot = state.table.find(bytes) else { return }
                    state.table.end(slot)
                    state.table.releaseIfUnused(slot)
                }
            }
            state.table.clearDirty()
            guard let position, position.modelHash != fold.specification.model.hash else { return position }
            resources.observer.note(Self.anotherModel, state.partition, error: nil)
        } catch let error as SluiceError where error.code == .foreignState {
            resources.observer.note(Self.anotherModel, state.partition, error: nil)
        } catch let error as SluiceError where error.code == .invalidState {
            resources.observer.note(
                "the saved state cannot be used; it is rebuilt from the log", state.partition, error: error)
        }
        return nil
    }

    /// Reads the control partitions of what is live, from where each has come.
    func assignControl() throws {
        var positions: [TopicPartition: Offset] = [:]
        for state in partitions.values where !state.isGated {
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
