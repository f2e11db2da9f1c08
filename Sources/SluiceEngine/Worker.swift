import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceNumerics
import SluiceSchema
import SluiceState

/// One thread's share of the service: it owns partitions outright, with their slots, and folds what arrives. How what
/// it makes leaves it is `Delivery`'s.
///
/// Confined to the thread that calls `run`; others reach it through the mailbox.
package final class Worker {
    static let pollMilliseconds = 100

    package let index: Int
    let folds: Folds
    let resources: WorkerResources
    let settings: WorkerSettings
    let mailbox: WorkerMailbox
    let delivery: any Delivery
    /// What is restored: live, or on the way there.
    package internal(set) var partitions: [Int32: PartitionState] = [:]
    /// Assigned, but their state is not there yet: nothing of them is folded.
    package internal(set) var gated: [Int32: Restoration] = [:]
    var messages: MessageDecoder
    private var pollLimit = PollLimit()
    /// The control partitions that are read are not those of what is owned.
    var isControlStale = false
    /// A rebalance has reached this worker: it is a member of the group.
    package internal(set) var hasJoined = false
    var failure: (any Error)?
    /// Not tried again before this time, after the broker did not answer.
    var restoreAgainNanoseconds: Int64 = 0
    /// That nothing is committed has been said.
    var isStallSaid = false
    /// When the progress of restoring was reported last.
    var reportedNanoseconds: Int64

    /// The producer's queue is full, or a transaction takes long, and the input is paused.
    package var isOutputBlocked: Bool { delivery.isBlocked }

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
        reportedNanoseconds = resources.clock.monotonicNanoseconds()
        switch resources.delivery {
        case .atLeastOnce(let producer): delivery = AtLeastOnce(producer, resources, settings)
        case .exactlyOnce(let make): delivery = ExactlyOnce(try make(), make, resources, settings)
        }
    }

    /// Works until the mailbox says stop, then delivers, saves and commits all that was folded.
    ///
    /// - Throws: the error that made going on impossible; nothing was committed that was not delivered and saved, so a
    ///   new worker, with clients of its own, takes up where this one committed.
    package func run() throws {
        try begin()
        do {
            while !mailbox.isStopping { try turn() }
            try finish()
        } catch {
            abandon(error)
            throw Self.mendable(error)
        }
        if let failure { throw failure }
    }

    /// A store that has turned out to be damaged is looked through by the next worker, and made anew where it must.
    package static func mendable(_ error: any Error) -> any Error {
        guard let known = error as? SluiceError, known.code == .invalidState, known.retry == .never else {
            return error
        }
        return SluiceError(known.code, known.message, remedy: known.remedy, retry: .fatal, cause: known.cause)
    }

    /// Joins the group.
    package func begin() throws {
        setFoldFloatEnvironment()
        let waker = Waker(consumer: resources.consumer)
        mailbox.attach { waker.consumer.wake() }
        resources.control.onArrival { waker.consumer.wake() }
        delivery.onAnswer { waker.consumer.wake() }
        try resources.consumer.subscribe(self)
    }

    /// Leaves the group in good order: what is folded is delivered, stored and committed.
    package func finish() throws {
        try delivery.settle(self, seconds: 30)
        mailbox.beforeLeaving()
        resources.consumer.close()
        close()
    }

    /// Leaves without a commit of what is half done.
    package func abandon(_ error: any Error) {
        failure = error
        releaseAll()
        resources.consumer.close()
        close()
    }

    private func close() {
        releaseAll()
        mailbox.detach()
        resources.control.close()
        delivery.close()
    }

    /// What other threads may hold of a consumer.
    private struct Waker: @unchecked Sendable {
        // `wake` is the one call that `LogConsumer` allows from any thread.
        let consumer: any LogConsumer
    }

    /// One turn of the loop.
    package func turn() throws {
        for request in mailbox.take() { request(self) }
        try delivery.advance(self)
        reportRestoring()
        reportStall()
        var isRestoring = false
        if !delivery.isHeldBack {
            isRestoring = try restoreGated()
            try takeCommands()
        }
        if delivery.isHeldBack && !delivery.isBlocked {
            try delivery.awaitRoom(self)
        } else {
            // Blocked, the input is paused: this keeps the membership alive, and loses nothing that was under way
            // already.
            let isBusy = isRestoring || partitions.values.contains { !$0.table.isSettled }
            let timeout = isBusy ? 1 : min(Self.pollMilliseconds, delivery.waitMilliseconds)
            var taken = 0
            try resources.consumer.poll(timeoutMilliseconds: timeout, limit: pollLimit.records) {
                taken = $0.count
                try process($0)
            }
            pollLimit.took(taken)
        }
        if let failure { throw failure }
        passMarks()
        for state in partitions.values {
            state.settle(limit: settings.settledSlots)
            reportMet(state)
            guard state.isLive else { continue }
            try applyScheduled(state, before: state.position)
            if !state.isControlled { isControlStale = true }
            // What of the past was to be repeated has been.
            if state.table.isSettled { state.table.forgetHeld() }
            reportLive(state)
            if !state.cold.isEmpty { reportCold(state) }
        }
        try delivery.commitIfDue(self)
    }

    /// Gives back, between two turns, the memory that a burst took and that nothing needs now.
    package func releaseMemory() {
        delivery.releaseMemory()
        for state in partitions.values where state.isAllStored { state.store?.releaseMemory() }
    }

    /// Whether nothing is still to be stored, which takes memory.
    package var isAllStored: Bool { delivery.isAtRest && partitions.values.allSatisfy(\.isAllStored) }

    /// Where an input ends with marks of transactions the position follows the client's behind them, as that of Kafka
    /// Streams does: before them it would seem to lack an input once retention has taken them.
    private func passMarks() {
        for state in partitions.values {
            guard let end = resources.consumer.position(state.partition), end > state.position else { continue }
            state.position = end
            delivery.moved()
        }
    }

    private func reportCold(_ state: PartitionState) {
        resources.observer.note(
            "\(state.cold.count) streams begin anew, for the model of their states is gone, among them "
                + state.cold.prefix(10).joined(separator: ", "), state.partition, error: nil)
        state.cold.removeAll()
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
            if (index - range.lowerBound) % SlotTable.fetched == 0 {
                state.table.fetch(min(SlotTable.fetched, range.upperBound - index)) { records[index + $0].key }
            }
            let offset = records[index].offset
            // Behind a restart the log is read from where the state was saved; before it nothing is new.
            if offset < state.position { continue }
            if state.schedule.nextOffset <= offset || fold.isFull {
                try emit(fold, records, arrived)
                try applyScheduled(state, before: offset)
                fold = state.fold
            }
            try fold.append(records[index], at: index, of: state)
        }
    }

    /// Folds what is appended, encodes its outputs and hands them over.
    private func emit(_ fold: Fold, _ records: UnsafeBufferPointer<LogRecord>, _ arrived: Int64) throws {
        guard fold.count > 0 else { return }
        let started = resources.clock.monotonicNanoseconds()
        fold.run()
        let stepped = resources.clock.monotonicNanoseconds()
        fold.emit(
            records, topic: settings.inputTopic, messageBytesMax: delivery.messageBytesMax,
            sizes: resources.limits.sizes, into: &delivery.open.outputs)
        var report = fold.report
        report.stepNanoseconds = stepped - started
        report.arrivedNanoseconds = arrived
        resources.observer.batchDone(report)
        try delivery.deliver(report.records - report.replayed, arrived: arrived, self)
        if report.rejects > 0 { resources.observer.rejected(fold.rejectCounts()) }
        fold.clear()
    }
}
