import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceState

/// At-least-once: outputs are delivered, then the state is stored, then offsets are committed, all beside the fold.
/// After a crash the state is loaded, inputs between it and the committed offset are folded again without output, and
/// work goes on behind it; what was produced but not committed is produced again, the same bytes.
final class AtLeastOnce: Delivery {
    /// How long one attempt to flush may keep the worker from polling; membership needs it back within the session
    /// time-out.
    private static let flushMilliseconds = 1_000

    /// One wait for the answer to a last commit, and half of that for another try.
    private static let settlingMilliseconds = 100

    /// One wait for room in the producer's queue, and how many of them in a row come before the input is paused.
    private static let (roomMilliseconds, waitsMaximum) = (20, 50)

    /// The producer takes of each partition what it has room for, while further outputs are appended.
    var open = Transaction()
    var underway = OutputsUnderway()
    let producer: any LogProducer
    private let limits: OutputLimits
    let consumer: any LogConsumer
    private let stores: any PartitionStores
    let observer: any EngineObserver
    let clock: any EngineClock
    let settings: WorkerSettings
    /// The commit under way.
    var commit = Commit()
    var wait = CommitWait()
    /// Records of commands must be delivered before anything that depends on them.
    private var isRecording = false
    private(set) var isBlocked = false
    /// Waits for room in a row.
    private var waits = 0

    init(_ producer: any LogProducer, _ resources: WorkerResources, _ settings: WorkerSettings) {
        self.producer = producer
        limits = resources.limits
        consumer = resources.consumer
        stores = resources.stores
        observer = resources.observer
        clock = resources.clock
        self.settings = settings
        commit.begunNanoseconds = clock.monotonicNanoseconds()
    }

    var messageBytesMax: Int { producer.messageBytesMax }
    var isReady: Bool { true }
    var isHeldBack: Bool {
        isRecording || isStoringLong || open.outputs.waitingBytes > settings.openBytes
            || producer.pending + open.outputs.waiting > producer.messagesMaximum
    }
    private var isHandedOver: Bool { open.outputs.isHandedOver }

    var waitMilliseconds: Int {
        guard !isHeldBack else { return 0 }
        guard isHandedOver, commit.phase == .none else { return CommitWait.stepMilliseconds }
        guard wait.isDue else { return .max }
        let due = commit.begunNanoseconds + settings.commitNanoseconds
        return max(0, Int((due - clock.monotonicNanoseconds()) / 1_000_000) + 1)
    }

    /// A first commit, before any output: that nothing is committed means for certain that nothing was answered. And
    /// what a crash has kept from being stored, or what began cold, is stored though nothing new may come.
    func begin(_ state: PartitionState) throws {
        if state.lostBefore != nil || !state.table.dirty.isEmpty { add() }
        guard !state.isCommitted else { return }
        // This one takes its place.
        if commit.phase == .committing {
            refused(SluiceError(.broker, "the commit before is not heard of any more", retry: .later))
        }
        try consumer.commit([Commit.position(state, settings)])
        state.isCommitted = true
    }

    func advance(_ worker: Worker) throws {
        try learning { try producer.poll(timeoutMilliseconds: isBlocked ? Self.roomMilliseconds : 0) }
        if isRecording {
            try awaitRecorded(worker)
        } else {
            try handOver(worker)
        }
        try advanceCommit(worker)
    }

    func deliver(_ records: Int, arrived nanoseconds: Int64, _ worker: Worker) throws {
        add()
        if records > 0 { underway.add(records, arrived: nanoseconds, open.outputs) }
        try handOver(worker)
    }

    func add() { wait.add(at: clock.monotonicNanoseconds()) }

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
    func applied() { add() }

    func awaitRoom(_ worker: Worker) throws {
        waits += 1
        guard waits <= Self.waitsMaximum else { return try setBlocked(true, worker) }
        try learning { try producer.poll(timeoutMilliseconds: Self.roomMilliseconds) }
    }

    /// Hands over what the producer has room for.
    private func handOver(_ worker: Worker) throws {
        if !isHandedOver { _ = try learning { try producer.produce(&open.outputs) } }
        underway.left(open.outputs, at: clock.monotonicNanoseconds(), observer)
        dropHandedOver()
        if !isHeldBack { try unblock(worker) }
    }

    /// While a partition waits for the answer to its request there may always be something left: what has gone is
    /// dropped where that is the larger part, so that no byte of what goes costs the move of more than one.
    private func dropHandedOver() {
        if isHandedOver {
            guard !open.outputs.entries.isEmpty else { return }
            underway.removeAll()
            return open.removeAll()
        }
        let (all, waiting) = (open.outputs.arena.count, open.outputs.waitingBytes)
        guard all > settings.openBytes / 8, all > 2 * waiting else { return }
        underway.dropHandedOver(from: open.outputs)
        open.outputs.dropHandedOver()
    }

    var isAtRest: Bool { commit.phase == .none && open.outputs.entries.isEmpty }

    func releaseMemory() {
        for transaction in [open, commit.changes] { transaction.releaseMemory() }
    }

    private func unblock(_ worker: Worker) throws {
        waits = 0
        if isBlocked { try setBlocked(false, worker) }
    }

    /// Hands over all that is open and waits for its delivery; false when that takes long.
    func flush(_ worker: Worker) throws -> Bool {
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
    func learning<Result>(_ body: () throws -> Result) throws -> Result {
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
        guard wait.isDue, commit.phase == .none, !isRecording, !isBlocked else { return }
        let now = clock.monotonicNanoseconds()
        guard now - commit.begunNanoseconds >= settings.commitNanoseconds else { return }
        try beginCommit(worker, now, isLast: false)
        try advanceCommit(worker)
    }

    func settle(_ worker: Worker, seconds: Int) throws {
        let end = clock.monotonicNanoseconds() + Int64(seconds) * 1_000_000_000
        var isLast = false
        // Counted as well, for clocks that stand still.
        for _ in 0..<10 * seconds where clock.monotonicNanoseconds() < end {
            if isRecording { try awaitRecorded(worker) }
            guard !isRecording else { continue }
            let isDirty = worker.partitions.values.contains { $0.isLive && $0.table.dirtyCount > 0 }
            guard wait.since != nil || isDirty else { return }
            guard try flush(worker) else { continue }
            if commit.phase == .none {
                try beginCommit(worker, clock.monotonicNanoseconds(), isLast: true)
                isLast = true
            }
            try advanceCommit(worker, timeoutMilliseconds: Self.settlingMilliseconds)
            guard commit.phase == .none else { continue }
            if wait.refusal == nil {
                if isLast { return }
                continue
            }
            try learning { try producer.poll(timeoutMilliseconds: 2 * Self.settlingMilliseconds) }
        }
        observer.note(
            "what was folded last could not be delivered and committed in time; its inputs will be read again", nil,
            error: nil)
    }

    /// What they folded is produced all the same: it may come twice.
    func lost(_ worker: Worker) {}

    func onAnswer(_ body: @escaping @Sendable () -> Void) {
        producer.onDelivery(body)
        stores.onWritten(body)
    }
    func close() { producer.close() }
}
