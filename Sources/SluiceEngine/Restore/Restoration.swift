package import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

/// Brings one partition back, in steps that leave the worker's loop its turns: facts, changelog into the store, store
/// into memory; then the worker folds again what is not in it. Can be given up at any moment.
package final class Restoration {
    static let timeoutMilliseconds = 5_000
    /// Entries of the store looked at in one step.
    private static let loadedEntries = 2_048

    let partition: Int32
    /// When it began, by the monotonic clock.
    let began: Int64
    /// Share of what is done before inputs are folded again, 0 to 1.
    package private(set) var progress = 0.0
    private var facts: RestoreFacts?
    private var store: (any PartitionStore)?
    private var changelog: ChangelogReading?
    private var planned: Planned?
    private var loading: Loading?
    private var disagreements = 0
    /// What is restored from was on this machine: there is something else.
    private var isFromStore = false

    /// Where replay begins, while the audit is read for commands that no head holds.
    private struct Planned {
        var plan: RestorePlan
        var head: ChangelogHead?
        var history: HistoryReading
    }

    /// What is being loaded, and how far that has come.
    private struct Loading {
        var state: PartitionState
        var plan: RestorePlan
        var after: [UInt8]?
        var bytes = 0
        /// Streams that lack inputs which are gone, and some of them.
        var cold = 0
        var coldNames: [String] = []
    }

    init(_ partition: Int32, began: Int64) { (self.partition, self.began) = (partition, began) }

    /// What is being loaded.
    var loaded: PartitionState? { loading?.state }

    func cancel() {
        changelog?.close()
        changelog = nil
        planned?.history.close()
        planned = nil
        store?.close()
        store = nil
        loading = nil
    }

    /// One step; the state when nothing is left to do but to fold again.
    func step(_ worker: Worker) throws -> PartitionState? {
        do {
            if loading != nil { return try load(worker) }
            if let planned {
                progress = 0.5 * planned.history.progress
                if try planned.history.step(timeoutMilliseconds: ChangelogReading.pollMilliseconds) {
                    try begin(worker, planned.plan, head: planned.head, planned.history.history)
                }
                return nil
            }
            if let changelog {
                progress = 0.5 * changelog.progress
                if try changelog.step() { try prepare(worker, head: changelog.head) }
                return nil
            }
            try gather(worker)
            return nil
        } catch let error as SluiceError where error.code == .foreignState && disagreements < Self.disagreementsMaximum
        {
            // Between two facts this process may have slept, and another owner gone on: asked anew.
            disagreements += 1
            cancel()
            throw SluiceError(.broker, "state and position do not agree", retry: .later, cause: error)
        } catch let error as SluiceError where Self.unusable.contains(error.code) && isFromStore {
            // Without a changelog the store is the truth: only what is damaged is no loss.
            guard facts?.changelog != nil || error.code == .invalidState else { throw Self.kept(error) }
            worker.resources.observer.note("the saved state cannot be used; it is made anew", partition, error: error)
            cancel()
            try worker.resources.stores.discard(partition)
            isFromStore = false
            return nil
        }
    }

    /// What to do about a saved state that is whole and cannot be used.
    private static func kept(_ error: SluiceError) -> SluiceError {
        guard error.remedy == nil else { return error }
        let remedy =
            error.code == .unknownModel
            ? "put the file of the model that the state belongs to back; to rebuild states from what the log still "
                + "holds, move the state directory away"
            : "the saved state is another log's or another model's: put back what it belongs to, or move the state "
                + "directory away to rebuild states from what the log still holds"
        return SluiceError(error.code, error.message, remedy: remedy, retry: error.retry, cause: error.cause)
    }

    /// Facts that do not agree before they are believed.
    private static let disagreementsMaximum = 2
    /// What makes a saved state as good as none.
    private static let unusable: Set<SluiceError.Code> = [.foreignState, .invalidState, .unknownModel]

    /// Gathers the facts and decides from what slots come.
    private func gather(_ worker: Worker) throws {
        let settings = worker.settings
        guard partition < settings.inputPartitions else {
            throw RestoreFacts.rehashed(
                "\(settings.inputTopic) has grown to more than \(settings.inputPartitions) partitions")
        }
        let consumer = worker.resources.consumer
        let committed = try consumer.committed([partition], timeoutMilliseconds: Self.timeoutMilliseconds).first
        let (low, high) = try consumer.watermarks(partition: partition, timeoutMilliseconds: Self.timeoutMilliseconds)
        var notes: [String] = []
        let store = try openStore(worker, &notes)
        self.store = store
        let reading = worker.delivery is ExactlyOnce ? try ChangelogReading(worker, partition) : nil
        let facts = RestoreFacts(
            partition: TopicPartition(topic: settings.inputTopic, partition: partition), committed: committed,
            stored: store.position, changelog: reading.map { ($0.low, $0.high) }, low: low, high: high,
            first: settings.firstOffset, partitions: settings.inputPartitions,
            now: worker.resources.clock.wallMilliseconds(), tombstonesMilliseconds: settings.tombstonesMilliseconds)
        self.facts = facts
        let base = RestoreBase.choose(facts, notes: &notes)
        // Before anything is emptied: of a topic made anew what is stored may be all that is left.
        try facts.checkEnd(base.isStore ? facts.stored?.offset : nil)
        try facts.checkPartitions(base.isStore ? facts.stored?.partitions : nil)
        for note in notes { worker.resources.observer.note(note, partition, error: nil) }
        switch base {
        case .store(let from):
            isFromStore = true
            if let from { return try start(reading, at: from, store, from: store.position.map { ChangelogHead($0) }) }
            try prepare(worker, head: store.position.map { ChangelogHead($0) })
        case .changelog(let from):
            self.store = try emptied(store, worker)
            if let store = self.store { try start(reading, at: from, store, from: nil) }
        case .log:
            reading?.close()
            self.store = try emptied(store, worker)
            try prepare(worker, head: nil)
        }
    }

    private func start(
        _ reading: ChangelogReading?, at from: Offset, _ store: any PartitionStore, from head: ChangelogHead?
    ) throws {
        try reading?.start(at: from, into: store, head: head)
        changelog = reading
    }

    private func openStore(_ worker: Worker, _ notes: inout [String]) throws -> any PartitionStore {
        if let store { return store }
        do {
            return try worker.resources.stores.open(partition)
        } catch let error as SluiceError where error.code == .invalidState {
            notes.append("the store of this machine is discarded: \(error)")
            try worker.resources.stores.discard(partition)
            return try worker.resources.stores.open(partition)
        }
    }

    private func emptied(_ store: any PartitionStore, _ worker: Worker) throws -> any PartitionStore {
        guard store.position != nil else { return store }
        self.store = nil
        store.close()
        try worker.resources.stores.discard(partition)
        return try worker.resources.stores.open(partition)
    }

    /// The slots' records are in the store: decides where replay begins, and makes ready to load them.
    private func prepare(_ worker: Worker, head: ChangelogHead?) throws {
        changelog?.close()
        changelog = nil
        guard let facts, store != nil else { return }
        let settings = worker.settings
        let control = try worker.resources.control.watermarks(
            TopicPartition(topic: settings.controlTopic, partition: partition),
            timeoutMilliseconds: Self.timeoutMilliseconds)
        let plan = try RestorePlan(facts, head: head, controlLow: control.low, controlHigh: control.high)
        for note in plan.notes { worker.resources.observer.note(note, partition, error: nil) }
        if !plan.lost.isEmpty, settings.lostInput == .fail { throw Self.lostInput(facts, head) }
        // A head of the changelog goes with markers.
        let isAudited = facts.changelog == nil || head == nil
        guard isAudited else { return try begin(worker, plan, head: head, nil) }
        let reading = try HistoryReading(
            try worker.resources.makeReader(), topic: settings.eventsTopic, partitions: settings.eventsPartitions,
            of: partition, isHeld: { PartitionState.holds($0, plan, head) })
        planned = Planned(plan: plan, head: head, history: reading)
    }

    /// Makes ready to load the slots.
    ///
    /// - Parameter history: the recorded commands, where the changelog does not hold them.
    private func begin(
        _ worker: Worker, _ plan: RestorePlan, head: ChangelogHead?, _ history: CommandHistory?
    ) throws {
        planned?.history.close()
        planned = nil
        guard let facts, let store else { return }
        if let history, head == nil, !history.isWhole, plan.replayFrom < plan.liveFrom {
            worker.resources.observer.note(
                "states are rebuilt without the oldest commands: retention has taken them from "
                    + "\(worker.settings.eventsTopic)", partition, error: nil)
        }
        if let unreadable = history?.unreadable, unreadable > 0 {
            worker.resources.observer.note(
                "\(unreadable) records of \(worker.settings.eventsTopic) cannot be read: commands among them are not "
                    + "repeated", partition, error: nil)
        }
        let events = history?.events ?? []
        var plan = plan
        // Commands were recorded: the partition is not new, its position is forgotten, and inputs have been answered.
        if facts.changelog == nil, !events.isEmpty { plan.commandsFrom = max(plan.commandsFrom, facts.high) }
        let markers = try Self.markers(store)
        let fold = try worker.firstModel(partition, plan, history: events, markers: markers, head: head)
        let state = PartitionState(
            partition: partition, fold: fold, recentCapacity: worker.settings.recentCapacity, store: store,
            folds: worker.folds)
        state.restore(plan, markers: markers, history: events, head: head)
        state.isCommitted = facts.committed?.offset == plan.liveFrom
        state.lostInput = worker.settings.lostInput
        state.changelogEnd = facts.changelog?.high ?? 0
        try state.rememberCommands(store)
        if facts.changelog == nil, !state.knowsCommands {
            worker.resources.observer.note(
                "nothing of it is stored before \(worker.settings.controlTopic) is read up to offset "
                    + "\(state.recordedControl): commands were recorded that no commit tells of", partition, error: nil)
        }
        loading = Loading(state: state, plan: plan)
    }

    private static func lostInput(_ facts: RestoreFacts, _ head: ChangelogHead?) -> SluiceError {
        SluiceError(
            .lostInput,
            "\(facts.partition) begins at offset \(facts.low), and states need inputs from "
                + "\(head?.replayFrom ?? 0) on: retention has passed them",
            remedy: "set state.lost_input: cold-start to set those streams back and go on, and keep inputs for longer "
                + "than the service is ever away")
    }

    private static func markers(_ store: any PartitionStore) throws -> [Event] {
        let messages = try MessageDecoder()
        var found: [Event] = []
        _ = try store.scan(prefix: ChangelogKey.markers, after: nil, limit: .max) {
            found.append(try messages.event($1))
        }
        return found
    }

    /// Takes a number of slots from the store into memory; idle ones stay where they are.
    private func load(_ worker: Worker) throws -> PartitionState? {
        guard var loading, let store else { return nil }
        let state = loading.state
        let (idle, resident) = (worker.settings.idleMilliseconds, worker.residentSlots)
        let last = try store.scan(prefix: [], after: loading.after, limit: Self.loadedEntries) { key, value in
            guard ChangelogKey.isStream(key) else { return }
            loading.bytes += key.count + value.count
            let isCold = try state.load(
                key, value, idle: idle, resident: resident, committed: loading.plan.liveFrom)
            guard isCold else { return }
            loading.cold += 1
            if loading.coldNames.count < 10 { loading.coldNames.append(String(decoding: key, as: UTF8.self)) }
        }
        loading.after = last
        self.loading = loading
        // What was replaced is in the files as well, for a time: it may be done sooner.
        progress = 0.5 + 0.5 * min(1, Double(loading.bytes) / Double(max(1, store.bytesOnDisk)))
        guard last == nil else { return nil }
        state.hasLoaded()
        if let lost = state.lostBefore {
            worker.resources.observer.note(
                "inputs before offset \(lost) are gone: \(loading.cold) streams begin cold"
                    + (loading.cold == 0 ? "" : ", among them " + loading.coldNames.joined(separator: ", ")),
                partition, error: nil)
        }
        store.releaseMemory()
        self.loading = nil
        self.store = nil
        return state
    }
}

extension SluiceError.Code {
    package static let lostInput = SluiceError.Code("input-lost")
    package static let missingPosition = SluiceError.Code("position-missing")
}

extension ChangelogHead {
    /// What a store says of itself.
    init(_ position: StoredPosition) {
        self.init(
            identity: position.identity, offset: position.offset, replayFrom: position.replayFrom,
            control: position.controlOffset, model: position.modelHash, latest: position.latest,
            partitions: position.partitions)
    }
}
