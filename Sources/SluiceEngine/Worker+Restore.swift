import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

extension Worker {
    /// Slots looked at for idleness with each commit.
    static let sweepSlots = 4_096

    /// Steps of restoring in one turn while nothing waits for it: a small state is back within one.
    private static let stepsMaximum = 4
    private static let reportNanoseconds: Int64 = 2_000_000_000

    /// Streams of one partition that may stay in memory.
    var residentSlots: Int? {
        settings.residentSlots.map { max(1, $0 / max(1, partitions.count + gated.count)) }
    }

    /// What of a partition need not be in memory goes, and what is on disk alone comes up to the markers.
    func spill(_ state: PartitionState) throws {
        state.spill(idle: settings.idleMilliseconds, resident: residentSlots, limit: Self.sweepSlots)
        try state.catchUpSpilled(limit: settings.markedSlots)
    }

    /// A few steps of restoring one gated partition; true while something is left to do. A broker that does not answer
    /// is asked again later.
    func restoreGated() throws -> Bool {
        guard delivery.isReady else { return !gated.isEmpty }
        guard !gated.isEmpty || isControlStale else { return false }
        guard resources.clock.monotonicNanoseconds() >= restoreAgainNanoseconds else { return false }
        let next = gated.values.min { $0.partition < $1.partition }
        do {
            // What is live is kept waiting for one step, some milliseconds.
            for _ in 0..<(partitions.values.contains(where: \.isLive) ? 1 : Self.stepsMaximum) {
                guard let next, gated[next.partition] === next else { break }
                if let state = try next.step(self) {
                    state.restoring = (next.began, state.streams)
                    try install(state)
                }
            }
            if isControlStale { try assignControl() }
        } catch let error as SluiceError where error.retry == .later {
            resources.observer.note("restoring waits for the broker", next?.partition, error: error)
            restoreAgainNanoseconds = resources.clock.monotonicNanoseconds() + 1_000_000_000
        }
        return !gated.isEmpty
    }

    /// Says how far what is not live has come, every other second.
    func reportRestoring() {
        let now = resources.clock.monotonicNanoseconds()
        guard now - reportedNanoseconds >= Self.reportNanoseconds else { return }
        reportedNanoseconds = now
        let waiting = partitionViews().filter { !$0.isLive }
        guard !waiting.isEmpty else { return }
        resources.observer.restoring(
            Dictionary(waiting.map { ($0.partition, $0.progress) }, uniquingKeysWith: { $1 }))
    }

    /// Opens the partition's gate where its replay begins.
    private func install(_ state: PartitionState) throws {
        do {
            try delivery.begin(state)
            try resources.consumer.start(partition: state.partition, at: state.replayFrom)
        } catch {
            state.store?.close()
            throw error
        }
        partitions[state.partition] = state
        gated[state.partition] = nil
        isControlStale = true
    }

    /// Says that a partition is live, the first time that it is.
    func reportLive(_ state: PartitionState) {
        guard let restoring = state.restoring else { return }
        state.restoring = nil
        resources.observer.live(
            state.partition,
            RestoreReport(
                nanoseconds: resources.clock.monotonicNanoseconds() - restoring.began, streams: restoring.streams,
                replayed: state.liveFrom - state.replayFrom))
    }

    /// The model that folds the first input of a replay: the saved state's, but for swaps that it holds and that are
    /// repeated.
    ///
    /// - Parameter head: what the saved state says of itself.
    func firstModel(
        _ partition: Int32, _ plan: RestorePlan, history: [Event], markers: [Event], head: ChangelogHead?
    ) throws -> Fold {
        let swaps = (markers + history).filter { event in
            guard event.type == .swap else { return false }
            return plan.modelHash == nil
                || event.offset > plan.replayFrom && PartitionState.holds(event, plan, head)
        }
        let first = swaps.min { ($0.offset, $0.control ?? 0) < ($1.offset, $1.control ?? 0) }
        if let hash = plan.modelHash, first == nil || first?.previous == nil { return try folds.fold(.hash(hash)) }
        guard let previous = first?.previous else { return try folds.fold(.active) }
        do {
            return try folds.fold(.version(previous))
        } catch let error as SluiceError where error.code == .unknownModel && plan.modelHash == nil {
            resources.observer.note(
                "the model that the log begins with is not here: the active one stands in for it", partition,
                error: error)
            return try folds.fold(.active)
        }
    }

    /// Reads the control partitions of what is live, from where each has come. A command to what is not waits: its
    /// record would reach the log before the position that goes with it.
    private func assignControl() throws {
        var positions: [TopicPartition: Offset] = [:]
        for state in partitions.values {
            state.isControlled = state.isLive
            guard state.isLive else { continue }
            positions[TopicPartition(topic: settings.controlTopic, partition: state.partition)] = state.controlOffset
        }
        try resources.control.assign(positions)
        isControlStale = false
    }
}
