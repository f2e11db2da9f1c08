import SluiceCore
import SluiceLSTM
package import SluiceLog
import SluiceNumerics
import SluiceSchema
package import SluiceState

/// What a worker is given: its own clients, shared with nobody.
package struct WorkerResources {
    package var consumer: any LogConsumer
    package var producer: any LogProducer
    /// Reads the control partitions of what is owned.
    package var control: any LogReader
    /// Makes a reader of the audit, used while restoring.
    package var makeHistoryReader: () throws -> any LogReader
    package var store: any StateStore
    package var clock: any EngineClock
    package var observer: any EngineObserver
    /// Makes the fold of a model.
    package var makeFold: (ModelReference) throws -> Fold

    package init(
        consumer: any LogConsumer, producer: any LogProducer, control: any LogReader,
        makeHistoryReader: @escaping () throws -> any LogReader, store: any StateStore, clock: any EngineClock,
        observer: any EngineObserver, makeFold: @escaping (ModelReference) throws -> Fold
    ) {
        self.consumer = consumer
        self.producer = producer
        self.control = control
        self.makeHistoryReader = makeHistoryReader
        self.store = store
        self.clock = clock
        self.observer = observer
        self.makeFold = makeFold
    }
}

/// What a worker must know that is not the fold's.
package struct WorkerSettings: Sendable {
    package var inputTopic: String
    package var controlTopic: String
    package var eventsTopic: String
    package var eventsPartitions: Int
    package var commitNanoseconds: Int64
    package var checkpointNanoseconds: Int64
    /// Predictions kept per partition for people to look at.
    package var recentCapacity: Int

    package init(
        inputTopic: String, controlTopic: String, eventsTopic: String, eventsPartitions: Int,
        commitNanoseconds: Int64, checkpointNanoseconds: Int64, recentCapacity: Int = 4_096
    ) {
        self.inputTopic = inputTopic
        self.controlTopic = controlTopic
        self.eventsTopic = eventsTopic
        self.eventsPartitions = eventsPartitions
        self.commitNanoseconds = commitNanoseconds
        self.checkpointNanoseconds = checkpointNanoseconds
        self.recentCapacity = recentCapacity
    }
}

/// One thread's share of the service: it owns partitions outright, with their slots, and folds what arrives.
///
/// At-least-once: outputs are flushed, then (at a checkpoint) the state is saved, then offsets are committed. After a
/// crash the state is loaded, inputs between it and the committed offset are folded again without output, and work goes
/// on behind it; what was produced but not committed is produced again, the same bytes.
///
/// Confined to the thread that calls `run`; others reach it through the mailbox.
package final class Worker {
    static let pollMilliseconds = 100
    /// How long one attempt to flush may keep the worker from polling; membership needs it back within the session
    /// time-out.
    static let flushMilliseconds = 1_000

    package let index: Int
    let folds: Folds
    let resources: WorkerResources
    let settings: WorkerSettings
    let mailbox: WorkerMailbox
    /// What is restored: live, or on the way there.
    package internal(set) var partitions: [Int32: PartitionState] = [:]
    /// Assigned, but their state is not there yet: nothing of them is folded.
    package internal(set) var gated: Set<Int32> = []
    var outputs = OutputBatch()
    /// Outputs of the batch before it are with the producer.
    var delivered = 0
    var changes = StoreChanges()
    var messages: MessageDecoder
    var committedNanoseconds: Int64
    /// Folded since the last commit.
    var isCommitDue = false
    /// The last commit was refused for a while; said once.
    var isCommitRefused = false
    /// Outputs hold records of commands that must be delivered before anything that depends on them.
    var isRecording = false
    /// The control partitions that are read are not those of what is owned.
    var isControlStale = false
    /// A command took effect: the next commit saves the state whatever the checkpoint interval says.
    var isSaveForced = false
    /// The producer's queue is full and the input is paused.
    package internal(set) var isOutputBlocked = false
    /// A rebalance has reached this worker: it is a member of the group.
    package internal(set) var hasJoined = false
    var failure: (any Error)?
    /// Not tried again before this time, after the broker did not answer.
    var restoreAgainNanoseconds: Int64 = 0

    /// - Parameter index: which of the service's workers it is.
    package init(
        index: Int, resources: WorkerResources, settings: WorkerSettings, mailbox: WorkerMailbox
    ) throws {
        self.index = index
        folds = Folds(resources.makeFold)
        self.resources = resources
        self.settings = settings
        self.mailbox = mailbox
        messages = try MessageDecoder()
        committedNanoseconds = resources.clock.monotonicNanoseconds()
    }

    /// Works until the mailbox says stop, then delivers, saves and commits all that was folded.
    ///
    /// - Throws: the error that made going on impossible; nothing was committed that was not delivered and saved, so a
    ///   new worker, with clients of its own, takes up where this one committed.
    package func run() throws {
        setFoldFloatEnvironment()
        let consumer = resources.consumer
        let waker = Waker(consumer: consumer)
        mailbox.attach { waker.consumer.wake() }
        resources.control.onArrival { waker.consumer.wake() }
        defer {
            mailbox.detach()
            resources.control.close()
            resources.producer.close()
        }
        try consumer.subscribe(self)
        do {
            while !mailbox.isStopping { try turn() }
            try finish()
            mailbox.beforeLeaving()
            consumer.close()
        } catch {
            // Leaving must not commit what is half done.
            failure = error
            partitions.removeAll()
            consumer.close()
            throw error
        }
        if let failure { throw failure }
    }

    /// What other threads may hold of a consumer.
    private struct Waker: @unchecked Sendable {
        // `wake` is the one call that `LogConsumer` allows from any thread.
        let consumer: any LogConsumer
    }

    /// One turn of the loop.
    private func turn() throws {
        for request in mailbox.take() { request(self) }
        if isHeldBack { try deliver() }
        var isRestoring = false
        if !isHeldBack {
            isRestoring = try restoreGated()
            try takeCommands()
        }
        // Held back, the input is paused: this keeps the membership alive, and loses nothing that was under way
        // already.
        let timeout = isHeldBack ? 0 : isRestoring ? 10 : waitMilliseconds()
        try resources.consumer.poll(timeoutMilliseconds: timeout, limit: Limits.batchRecords) { try process($0) }
        if let failure { throw failure }
        for state in partitions.values where state.isLive { try applyScheduled(state, before: state.position) }
        try resources.producer.poll(timeoutMilliseconds: 0)
        try commitIfDue()
    }

    private func waitMilliseconds() -> Int {
        guard isCommitDue else { return Self.pollMilliseconds }
        let due = committedNanoseconds + settings.commitNanoseconds - resources.clock.monotonicNanoseconds()
        return max(0, min(Self.pollMilliseconds, Int(due / 1_000_000) + 1))
    }

    /// Folds records as they came, cut where a recorded command takes effect.
    func process(_ records: UnsafeBufferPointer<LogRecord>) throws {
        guard !records.isEmpty else { return }
        let arrived = resources.clock.monotonicNanoseconds()
        var filling: Fold?
        var start = 0
        while start < records.count {
            let partition = records[start].partition
            var end = start + 1
            while end < records.count && records[end].partition == partition { end += 1 }
            if let state = partitions[partition] {
                if let filling, filling !== state.fold { try emit(filling, records, arrived) }
                try fold(records, start..<end, arrived, state)
                filling = state.fold
            }
            start = end
        }
        if let filling { try emit(filling, records, arrived) }
    }

    private func fold(
        _ records: UnsafeBufferPointer<LogRecord>, _ range: Range<Int>, _ arrived: Int64, _ state: PartitionState
    ) throws {
        var fold = state.fold
        for index in range {
            let offset = records[index].offset
            // Behind a restart the log is read from where the state was saved; before it nothing is new.
            if offset < state.position { continue }
            if state.schedule.nextOffset <= offset || fold.isFull {
                try emit(fold, records, arrived)
                try applyScheduled(state, before: offset)
                fold = state.fold
            }
            fold.append(records[index], at: index, of: state)
        }
    }

    /// Folds what is appended, encodes its outputs and hands them over.
    private func emit(_ fold: Fold, _ records: UnsafeBufferPointer<LogRecord>, _ arrived: Int64) throws {
        guard fold.count > 0 else { return }
        let started = resources.clock.monotonicNanoseconds()
        fold.run()
        let stepped = resources.clock.monotonicNanoseconds()
        fold.emit(
            records, topic: settings.inputTopic, messageBytesMax: resources.producer.messageBytesMax, into: &outputs)
        isCommitDue = true
        try deliver()
        var report = fold.report
        report.stepNanoseconds = stepped - started
        report.latencyNanoseconds = resources.clock.monotonicNanoseconds() - arrived
        resources.observer.batchDone(report)
        if report.rejects > 0 { resources.observer.rejected(fold.rejectCounts()) }
        fold.clear()
    }
}
