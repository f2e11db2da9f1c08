import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceState

/// At-least-once: outputs are flushed, then (at a checkpoint) the state is stored, then offsets are committed. After a
/// crash the state is loaded, inputs between it and the committed offset are folded again without output, and work goes
/// on behind it; what was produced but not committed is produced again, the same bytes.
final class AtLeastOnce: Delivery {
    /// How long one attempt to flush may keep the worker from polling; membership needs it back within the session
    /// time-out.
    private static let flushMilliseconds = 1_000

    /// One wait for room in the producer's queue, and how many of them in a row come before the input is paused.
    private static let (roomMilliseconds, waitsMaximum) = (20, 50)

    var open = Transaction()
    /// What the producer takes as it has room, while the next outputs are encoded.
    private var sending = Transaction()
    private var underway = OutputsUnderway()
    private let producer: any LogProducer
    private let limits: OutputLimits
    private let consumer: any LogConsumer
    private let observer: any EngineObserver
    private let clock: any EngineClock
    private let settings: WorkerSettings
    private let changes = Transaction()
    private var committedNanoseconds: Int64
    private(set) var wait = CommitWait()
    /// Records of commands must be delivered before anything that depends on them.
    private var isRecording = false
    /// A command took effect: the next commit stores the state whatever the checkpoint interval says.
    private var isStoreForced = false
    /// When states that the last commit left behind are stored, though nothing new may come; `.max`: none is behind.
    private var storeNanoseconds = Int64.max
    private(set) var isBlocked = false
    /// Waits for room in a row.
    private var waits = 0

    init(_ producer: any LogProducer, _ resources: WorkerResources, _ settings: WorkerSettings) {
        self.producer = producer
        limits = resources.limits
        consumer = resources.consumer
        observer = resources.observer
        clock = resources.clock
        self.settings = settings
        committedNanoseconds = clock.monotonicNanoseconds()
    }

    var messageBytesMax: Int { producer.messageBytesMax }
    var isReady: Bool { true }
    var isHeldBack: Bool {
        isRecording || open.outputs.arena.count > settings.openBytes
            || sending.outputs.waiting + open.outputs.waiting > producer.messagesMaximum
    }
    private var isHandedOver: Bool { open.outputs.entries.isEmpty && sending.outputs.isHandedOver }

    var waitMilliseconds: Int {
        guard !isHeldBack else { return 0 }
        guard isHandedOver else { return 1 }
        let next = committedNanoseconds + settings.commitNanoseconds
        let due = wait.isDue ? next : storeNanoseconds == .max ? .max : max(next, storeNanoseconds)
        guard due < .max else { return .max }
        return max(0, Int((due - clock.monotonicNanoseconds()) / 1_000_000) + 1)
    }

    /// A first commit, before any output: that nothing is committed means for certain that nothing was answered. And
    /// the one that a crash has kept from following its store, for nothing new may come.
    func begin(_ state: PartitionState) throws {
        // What began cold is stored though nothing new may come.
        if state.lostBefore != nil { storeNanoseconds = clock.monotonicNanoseconds() }
        guard !state.isCommitted else { return }
        try consumer.commit([position(state)])
        state.isCommitted = true
    }

    private func position(_ state: PartitionState) -> CommittedPosition {
        let metadata = CommitMetadata(
            replayFrom: state.position, controlOffset: state.appliedControlOffset, identity: state.identity,
            origin: state.origin, partitions: settings.inputPartitions)
        return CommittedPosition(partition: state.partition, offset: state.position, metadata: metadata.text)
    }

    func advance(_ worker: Worker) throws {
        try learning { try producer.poll(timeoutMilliseconds: isBlocked ? Self.roomMilliseconds : 0) }
        if isRecording {
            try awaitRecorded(worker)
        } else {
            try handOver(worker)
        }
    }

    func deliver(_ records: Int, arrived nanoseconds: Int64, _ worker: Worker) throws {
        add()
        if records > 0 { underway.add(records, arrived: nanoseconds, open: open.outputs.entries.count) }
        try handOver(worker)
    }

    private func add() { wait.add(at: clock.monotonicNanoseconds()) }

    func recorded(_ worker: Worker) throws {
        isRecording = true
        add()
        try awaitRecorded(worker)
    }

    private func awaitRecorded(_ worker: Worker) throws {
        guard try flush(worker) else {
            if !isBlocked { try setBlocked(true, worker) }
            return
        }
        isRecording = false
        try unblock(worker)
    }

    func moved() { add() }

    func applied() {
        add()
        isStoreForced = true
    }

    func awaitRoom(_ worker: Worker) throws {
        waits += 1
        guard waits <= Self.waitsMaximum else { return try setBlocked(true, worker) }
        try learning { try producer.poll(timeoutMilliseconds: Self.roomMilliseconds) }
    }

    /// Hands over what the producer has room for.
    private func handOver(_ worker: Worker) throws {
        repeat {
            if sending.outputs.isHandedOver {
                sending.removeAll()
                guard !open.outputs.entries.isEmpty else { break }
                underway.close(open.outputs.entries.count)
                swap(&open, &sending)
            }
        } while try learning { try producer.produce(&sending.outputs) }
        underway.left(allBut: sending.outputs.waiting, at: clock.monotonicNanoseconds(), observer)
        if !isHeldBack { try unblock(worker) }
    }

    private func unblock(_ worker: Worker) throws {
        waits = 0
        if isBlocked { try setBlocked(false, worker) }
    }

    /// Hands over all that is open and waits for its delivery; false when that takes long.
    private func flush(_ worker: Worker) throws -> Bool {
        try handOver(worker)
        for _ in 0..<Self.waitsMaximum where !isHandedOver {
            waits += 1
            try learning { try producer.poll(timeoutMilliseconds: Self.roomMilliseconds) }
            try handOver(worker)
        }
        guard isHandedOver else { return false }
        return try learning { try producer.flush(timeoutMilliseconds: Self.flushMilliseconds) }
    }

    /// A refusal is learned from; the next worker folds again what was not committed, without what was refused.
    private func learning<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as SluiceError {
            throw limits.learned(from: error)
        }
    }

    private func setBlocked(_ blocked: Bool, _ worker: Worker) throws {
        isBlocked = blocked
        try worker.setPaused(blocked)
    }

    func commitIfDue(_ worker: Worker) throws {
        let now = clock.monotonicNanoseconds()
        guard wait.isDue || now >= storeNanoseconds, !isRecording, !isBlocked else { return }
        guard now - committedNanoseconds >= settings.commitNanoseconds else { return }
        _ = try commit(worker, now)
    }

    /// Flush, store, commit; false when the outputs are not delivered yet.
    private func commit(_ worker: Worker, _ now: Int64) throws -> Bool {
        guard try flush(worker) else { return false }
        let live = worker.partitions.values.filter(\.isLive)
        var report = CommitReport()
        storeNanoseconds = .max
        for state in live {
            let isOld = now - (state.savedNanoseconds ?? .min / 2) >= settings.checkpointNanoseconds
            let isCold = state.lostFrom != nil
            if isOld || isStoreForced || isCold { try store(worker, state, now, &report) }
            guard let saved = state.savedNanoseconds else { continue }
            if isCold { storeNanoseconds = now }
            guard state.store?.position?.offset != state.position || !state.isAllStored else { continue }
            storeNanoseconds = min(storeNanoseconds, saved + settings.checkpointNanoseconds)
        }
        let positions = live.map(position)
        do {
            if !positions.isEmpty { try consumer.commit(positions) }
        } catch let error as SluiceError where error.retry == .later {
            // A rebalance under way, a coordinator that moves: the next commit says it all, and a crash before it
            // repeats outputs.
            add()
            wait.refusal = error
            committedNanoseconds = clock.monotonicNanoseconds()
            return false
        }
        wait = CommitWait()
        isStoreForced = false
        committedNanoseconds = clock.monotonicNanoseconds()
        report.nanoseconds = committedNanoseconds - now
        observer.committed(report)
        return true
    }

    /// Stores all slots changed since they were stored last, some at a time: each write says from where those that are
    /// still to come are folded again, so that a crash between two of them loses nothing.
    private func store(_ worker: Worker, _ state: PartitionState, _ now: Int64, _ report: inout CommitReport) throws {
        var stale = settings.markedSlots
        repeat {
            changes.removeAll()
            report.slots += try state.writeChanges(
                limit: state.slots(inBytes: settings.changesBytes), stale: stale, before: .min, into: &changes.outputs)
            stale = 0
            report.stateBytes += PartitionState.stateBytes(changes.outputs)
            try state.store(
                changes.outputs,
                StoredPosition(
                    identity: state.identity, offset: state.position, replayFrom: state.replayOffset,
                    controlOffset: state.appliedControlOffset, modelHash: state.fold.specification.model.hash,
                    latest: state.latest, storedAt: clock.wallMilliseconds(), partitions: settings.inputPartitions))
        } while state.table.dirtyCount > 0
        state.savedNanoseconds = now
        try worker.spill(state)
    }

    func settle(_ worker: Worker, seconds: Int) throws {
        let end = clock.monotonicNanoseconds() + Int64(seconds) * 1_000_000_000
        // Counted as well, for clocks that stand still.
        for _ in 0..<10 * seconds where clock.monotonicNanoseconds() < end {
            if isRecording { try awaitRecorded(worker) }
            guard !isRecording else { continue }
            let isDirty = worker.partitions.values.contains { $0.isLive && $0.table.dirtyCount > 0 }
            guard wait.isDue || isDirty else { return }
            isStoreForced = true
            if try commit(worker, clock.monotonicNanoseconds()) { return }
            try learning { try producer.poll(timeoutMilliseconds: 200) }
        }
        observer.note(
            "what was folded last could not be delivered and committed in time; its inputs will be read again", nil,
            error: nil)
    }

    /// What they folded is produced all the same: it may come twice.
    func lost(_ worker: Worker) {}

    /// The producer is polled each turn; nothing else comes from its threads.
    func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    func close() { producer.close() }
}
