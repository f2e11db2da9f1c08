import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState

/// Exactly-once: one transaction per commit interval holds predictions, rejects, audit, slots, heads and positions. It
/// is committed beside the fold, which fills the next one meanwhile; aborted, the same bytes are sent again, because a
/// step cannot be undone. Follows Kafka Streams' EOS v2 (KIP-447).
final class ExactlyOnce: Delivery {
    /// Outputs kept for the next transaction while one is under way; beyond it nothing is taken in.
    static let openBytesMaximum = 64 << 20
    /// One wait for the transaction under way to end, and how many of them in a row come before the input is paused.
    private static let (roomMilliseconds, waitsMaximum) = (2, 500)
    /// Where a transaction is sent before the interval is over.
    private static let fullBytes = 16 << 20
    /// Slots of a partition in one transaction while all of them are to be stored.
    var settledSlots = 16_384
    /// Between two new producers at most: what is not allowed is asked for now and then.
    private static let pauseMilliseconds: Int64 = 10_000

    var open = Transaction()
    private var underway = (open: OutputsUnderway(), sent: OutputsUnderway())
    /// Sent, its outcome not known yet.
    var sent = Transaction()
    /// Where each partition of `sent` stands with it.
    var sealed: [Int32: Sealed] = [:]
    /// Slots of each partition in `sent`.
    var saving: [Int32: Int] = [:]
    /// What of each partition is committed.
    var committed: [Int32: Sealed] = [:]
    var machine = TransactionMachine()
    var producer: any TransactionalProducer
    let makeProducer: () throws -> any TransactionalProducer
    let resources: WorkerResources
    let settings: WorkerSettings
    var clock: any EngineClock { resources.clock }
    private var onAnswerBody: (@Sendable () -> Void)?
    /// When the last transaction was sent.
    private var sentNanoseconds: Int64
    private(set) var wait = CommitWait()
    private(set) var isHeldBack = false
    private(set) var isBlocked = false
    /// Waits for room in a row.
    private var waits = 0
    /// Why the producer is made anew in the next turn.
    var anew: SluiceError?
    /// Times that it was given up, all in all and without a commit between.
    private var restarts = (total: 0, inARow: 0)
    /// The producer was given up; the next one is made at this time.
    private var makeNanoseconds: Int64?

    /// Where a partition stands with a transaction.
    struct Sealed: Equatable {
        var offset: Offset
        var replayFrom: Offset
        var controlOffset: Offset
        var identity: String
        var modelHash: String
        var latest: EpochMilliseconds
    }

    init(
        _ producer: any TransactionalProducer, _ makeProducer: @escaping () throws -> any TransactionalProducer,
        _ resources: WorkerResources, _ settings: WorkerSettings
    ) {
        self.producer = producer
        self.makeProducer = makeProducer
        self.resources = resources
        self.settings = settings
        sentNanoseconds = resources.clock.monotonicNanoseconds()
        perform(machine.start())
    }

    var messageBytesMax: Int { producer.messageBytesMax }
    var isReady: Bool { machine.isInitialised && anew == nil }
    var waitMilliseconds: Int {
        if machine.isUnderway || !machine.isInitialised { return CommitWait.stepMilliseconds }
        guard wait.isDue else { return .max }
        return max(
            0, Int((sentNanoseconds + settings.commitNanoseconds - clock.monotonicNanoseconds()) / 1_000_000) + 1)
    }

    func onAnswer(_ body: @escaping @Sendable () -> Void) {
        onAnswerBody = body
        producer.onAnswer(body)
    }

    /// Nothing leaves before its transaction: outputs only wait.
    func deliver(_ records: Int, arrived nanoseconds: Int64, _ worker: Worker) throws {
        add()
        if records > 0 { underway.open.add(records, arrived: nanoseconds, open.outputs) }
    }
    func recorded(_ worker: Worker) throws { add() }
    func applied() { add() }
    func moved() { add() }
    private func add() { wait.add(at: clock.monotonicNanoseconds()) }

    /// Nothing is known of it before its first transaction, which says soon where it began: somebody else would begin
    /// elsewhere. That inputs were gone, and what began cold for it, is said once though nothing new may come.
    func begin(_ state: PartitionState) throws {
        let isUnsaid = !state.isCommitted && state.origin != nil
        if isUnsaid || state.lostBefore != nil || !state.table.dirty.isEmpty { add() }
    }

    func advance(_ worker: Worker) throws {
        if let anew { try restart(worker, anew) }
        guard try isMade() else { return }
        if machine.needsMembership { try join() }
        while let answer = producer.answer() {
            if case .failed(let failure) = answer {
                wait.refusal = failure.error
                if failure.error.refusal != nil { return try leaveOut(worker, failure.error) }
            }
            switch machine.answered(answer) {
            case .committed: try finishCommit(worker)
            case .anew(let error):
                anew = error
                return try restart(worker, error)
            case let action: perform(action)
            }
            if machine.needsMembership { try join() }
        }
        isHeldBack = machine.isUnderway && open.outputs.arena.count > Self.openBytesMaximum
        guard !isHeldBack else { return }
        waits = 0
        if isBlocked { try setBlocked(false, worker) }
    }

    func awaitRoom(_ worker: Worker) throws {
        waits += 1
        guard waits <= Self.waitsMaximum else { return try setBlocked(true, worker) }
        clock.pause(milliseconds: Self.roomMilliseconds)
    }

    var isAtRest: Bool { machine.isIdle && open.outputs.entries.isEmpty }

    /// Idle, nobody else has `sent`.
    func releaseMemory() {
        guard machine.isIdle else { return }
        for transaction in [open, sent] { transaction.releaseMemory() }
    }

    private func setBlocked(_ blocked: Bool, _ worker: Worker) throws {
        isBlocked = blocked
        try worker.setPaused(blocked)
    }

    private func perform(_ action: TransactionMachine.Action) {
        guard case .call(let step) = action else { return }
        switch step {
        case .initialise: producer.start(.initialise)
        case .produce: producer.start(.produce(sent))
        case .sendPositions: preconditionFailure("a membership belongs to it")
        case .commit: producer.start(.commit)
        case .abort:
            resources.observer.transactionFailed(.aborted)
            producer.start(.abort)
        }
    }

    /// Sends positions in the name of the member as it is now; a member that is joining anew is waited for.
    private func join() throws {
        do {
            let membership = try resources.consumer.membership()
            _ = machine.joined()
            producer.start(.sendPositions(sent, membership))
        } catch let error as SluiceError where error.retry == .later {
            wait.refusal = error
        }
    }

    func commitIfDue(_ worker: Worker) throws {
        guard machine.isIdle else { return }
        guard wait.isDue else {
            // What was given up has been folded again, or is somebody else's.
            if wait.since != nil, worker.isWhole { wait.end() }
            return
        }
        let now = clock.monotonicNanoseconds()
        let isOver = now - sentNanoseconds >= settings.commitNanoseconds
        guard isOver || open.outputs.arena.count > Self.fullBytes else { return }
        try send(worker, now)
    }

    /// Seals what is open and begins to send it; nothing where there is nothing to say.
    private func send(_ worker: Worker, _ now: Int64, limit: Int? = nil) throws {
        wait.begin()
        let elapsed = now - sentNanoseconds
        sentNanoseconds = now
        saving.removeAll(keepingCapacity: true)
        try seal(worker, limit: limit, elapsed: elapsed)
        guard !sealed.isEmpty || !open.outputs.entries.isEmpty else {
            wait.end()
            return try catchUp(worker)
        }
        swap(&open, &sent)
        underway = (underway.sent, underway.open)
        perform(machine.send())
    }

    /// Partitions of which nothing was to be said: slots that are in their store alone may be behind all the same.
    private func catchUp(_ worker: Worker) throws {
        for state in worker.partitions.values
        where state.isLive && state.catchingUp != nil && sealed[state.partition] == nil {
            add()
            try worker.spill(state)
        }
    }

    /// The transaction is in the log: the store may hold it too.
    private func finishCommit(_ worker: Worker) throws {
        var report = CommitReport()
        report.stateBytes = PartitionState.stateBytes(sent.outputs)
        wait.end()
        for (partition, sealed) in sealed {
            committed[partition] = sealed
            report.slots += saving[partition] ?? 0
            guard let state = worker.partitions[partition] else { continue }
            try state.store(
                sent.outputs,
                StoredPosition(
                    identity: sealed.identity, offset: sealed.offset, replayFrom: sealed.replayFrom,
                    controlOffset: sealed.controlOffset,
                    changelogOffset: state.changelogEnd,
                    modelHash: sealed.modelHash, latest: sealed.latest, storedAt: clock.wallMilliseconds(),
                    partitions: settings.inputPartitions))
            state.changelogEnd = producer.changelogEnd(partition) ?? state.changelogEnd
            state.savedNanoseconds = clock.monotonicNanoseconds()
            let isCold = state.lostFrom != nil
            try worker.spill(state)
            // The rest goes with the next ones, though nothing new may come; and that no input is missing any more.
            if isCold || !state.isAllStored { add() }
        }
        try catchUp(worker)
        underway.sent.leftAll(at: clock.monotonicNanoseconds(), resources.observer)
        sealed.removeAll(keepingCapacity: true)
        sent.removeAll()
        restarts.inARow = 0
        report.nanoseconds = clock.monotonicNanoseconds() - sentNanoseconds
        resources.observer.committed(report)
    }

    /// Whatever was not committed is void: a new producer of the same name decides what is under way, and the log says
    /// where each partition stands. It is made at once, and later each time that nothing was committed between.
    func restart(_ worker: Worker, _ error: SluiceError) throws {
        resources.observer.note("transactions begin anew, from what the log says", nil, error: error)
        resources.observer.transactionFailed(.begunAnew)
        producer.close()
        for transaction in [open, sent] { transaction.removeAll() }
        underway.open.removeAll()
        underway.sent.removeAll()
        sealed.removeAll()
        committed.removeAll()
        worker.restoreAll()
        machine = TransactionMachine()
        anew = nil
        wait.begin()
        wait.refusal = error
        let pause = restarts.inARow == 0 ? 0 : min(Self.pauseMilliseconds, 50 << min(restarts.inARow, 10))
        restarts = (restarts.total + 1, restarts.inARow + 1)
        makeNanoseconds = clock.monotonicNanoseconds() + pause * 1_000_000
        _ = try isMade()
    }

    /// Whether there is a producer; makes it when its time has come.
    private func isMade() throws -> Bool {
        guard let time = makeNanoseconds else { return true }
        guard clock.monotonicNanoseconds() >= time else { return false }
        producer = try makeProducer()
        makeNanoseconds = nil
        if let body = onAnswerBody { producer.onAnswer(body) }
        perform(machine.start())
        return true
    }

    /// Brokers take a record in no attempt: begins anew without it.
    ///
    /// - Throws: the error, where nothing can be left out.
    private func leaveOut(_ worker: Worker, _ error: SluiceError) throws {
        let error = resources.limits.learned(from: error)
        guard error.retry == .fatal else { throw error }
        restarts.inARow = 0
        try restart(worker, error)
    }

    /// Outputs, heads and positions are committed once, which is enough: the next owner folds again what slots lack.
    /// In the first half of the time slots are written besides, to spare it that.
    func settle(_ worker: Worker, seconds: Int) throws {
        let began = clock.monotonicNanoseconds()
        let (half, end) = (began + Int64(seconds) * 500_000_000, began + Int64(seconds) * 1_000_000_000)
        let own = restarts.total
        var isSent = false
        // Counted as well, for clocks that stand still.
        for _ in 0..<1_000 * seconds where anew == nil && clock.monotonicNanoseconds() < end {
            try advance(worker)
            // Begun anew, nothing is left that could be settled.
            guard own == restarts.total, makeNanoseconds == nil else { return }
            if machine.isIdle {
                let now = clock.monotonicNanoseconds()
                if isSent && now >= half { return }
                try send(worker, now, limit: isSent ? settledSlots : nil)
                if machine.isIdle { return }
                isSent = true
            }
            clock.pause(milliseconds: 1)
        }
        if machine.isInitialised && anew == nil && !(isSent && machine.isIdle) {
            anew = SluiceError(
                .delivery, "a transaction did not end before its partitions had to be given up", retry: .fatal)
        }
    }

    func lost(_ worker: Worker) {
        anew = SluiceError(.delivery, "partitions were lost with a transaction open", retry: .fatal)
    }

    func close() { producer.close() }
}
