import Foundation
package import SluiceAdmin
import SluiceCore
import SluiceEngine
package import SluiceKafka
import SluiceModels
import SluiceSchema
import Synchronization

/// Answers the HTTP API from the workers, between their batches, and sends resets through the control topic.
package final class EngineBackend: AdminBackend {
    private static let recentMaximum = 256

    private struct State {
        var workers: [WorkerThread] = []
        var control: ControlPlane?
        var instance = ""
        var others: (any OtherInstances)?
        var models: ServiceModels?
        var retraining: Retraining?
        var makeRewind: (@Sendable () -> SlotRewind)?
        var isStopping = false
        /// Of the one earlier state that is being rebuilt: each reads the log.
        var rebuild: StopFlag?
    }

    private let state = Mutex(State())
    private let kafkaHealth: KafkaHealth
    let observer: MetricsObserver
    package let audit = AuditFeed()

    package init(health: KafkaHealth, observer: MetricsObserver) {
        kafkaHealth = health
        self.observer = observer
    }

    func attach(models: ServiceModels, retraining: Retraining) {
        state.withLock { state in
            state.models = models
            state.retraining = retraining
        }
    }

    /// - Parameter makeRewind: makes what rebuilds earlier states.
    func attach(
        workers: [WorkerThread], control: ControlPlane, instance: String,
        makeRewind: @escaping @Sendable () -> SlotRewind
    ) {
        state.withLock { state in
            state.makeRewind = makeRewind
            state.workers = workers
            state.control = control
            state.instance = instance
        }
    }

    func attach(others: any OtherInstances) { state.withLock { $0.others = others } }

    package var others: (any OtherInstances)? { state.withLock { $0.others } }
    var makeRewind: (@Sendable () -> SlotRewind)? { state.withLock { $0.makeRewind } }
    var retraining: Retraining? { state.withLock { $0.retraining } }
    var models: ServiceModels? { state.withLock { $0.models } }

    /// Lets go of what was attached, which holds the service itself.
    func detach() {
        state.withLock { ($0.workers, $0.control, $0.makeRewind, $0.others) = ([], nil, nil, nil) }
    }

    /// Lets workers and commands come to their end; answers say so from now on.
    func stop() {
        let (workers, control) = state.withLock { state in
            state.isStopping = true
            state.rebuild?.set()
            return (state.workers, state.control)
        }
        for worker in workers { worker.mailbox.stop() }
        control?.stop()
    }

    /// Lets one rebuild of an earlier state begin, until `endRebuild`.
    ///
    /// - Returns: what is set when it shall end.
    /// - Throws: `not-ready` when the service stops, `rebuild-busy` while another one goes on.
    func beginRebuild() throws -> StopFlag {
        try state.withLock { state in
            if state.isStopping { throw Problem(notReady: "the service is stopping") }
            if state.rebuild != nil {
                throw Problem(.rebuildBusy, "another state is being rebuilt: try again when that is done")
            }
            let stop = StopFlag()
            state.rebuild = stop
            return stop
        }
    }

    func endRebuild() { state.withLock { $0.rebuild = nil } }

    private var workers: [WorkerThread] { state.withLock { $0.workers } }

    var instance: String { state.withLock { $0.instance } }

    var ends: [Int32: Offset] { state.withLock { $0.control }?.ends ?? [:] }

    /// Asks every worker at once; those that are restarting are left out.
    func ask<Result: Sendable>(_ body: @escaping @Sendable (Worker) -> Result) async -> [Result] {
        await withTaskGroup(of: (Int, Result?).self) { group in
            for (index, worker) in workers.enumerated() {
                group.addTask { (index, await worker.mailbox.ask(body)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.compactMap(\.1)
        }
    }

    /// Asks every worker for what at most one of them has; nil where none does and each has all that is its.
    ///
    /// - Throws: `not-ready` where one was not asked or restores; what kept one from looking.
    func find<Found: Sendable>(_ body: @escaping @Sendable (Worker) throws -> Found?) async throws -> Found? {
        let answers = await ask { worker in Result { (found: try body(worker), isWhole: worker.isWhole) } }
        if let found = answers.lazy.compactMap({ try? $0.get().found }).first { return found }
        let isWhole = try answers.map { try $0.get().isWhole }
        try await requireReadiness(answers.count)
        if isWhole.contains(false) { throw Problem(notReady: "a worker was restoring") }
        return nil
    }

    package func streams(prefix: String, limit: Int, after: String?, values: Int) async throws -> StreamPage {
        let answers = await ask { worker in
            Result { try worker.list(prefix: prefix, after: after, limit: limit + 1, values: values) }
        }
        // A list that lacks a worker's streams would look as if they had ended.
        if workers.isEmpty || answers.count < workers.count { try await requireReadiness(answers.count) }
        let rows = try answers.flatMap { try $0.get() }
        let ordered = rows.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let page = ordered.prefix(limit)
        return StreamPage(
            streams: page.map { StreamSummary($0, hasValues: values > 0) },
            next: ordered.count > limit ? page.last?.key : nil)
    }

    package func stream(_ key: String, fullState: Bool) async throws -> StreamSlot? {
        try await find { try $0.slot(key, withState: fullState, recent: Self.recentMaximum) }.map { StreamSlot($0) }
    }

    package func reset(stream key: String, by caller: String) async throws -> CommandOutcome {
        guard let partition = try await find({ try $0.partition(of: key) }) else { return .unknown }
        let command = Command(id: Self.newID(), target: .stream(key), by: caller, time: Self.now())
        guard let event = try await control().perform(command, on: partition) else { return .pending(id: command.id) }
        return .applied(AppliedCommand(id: event.id, stream: key, partition: event.partition, offset: event.offset))
    }

    package func reset(_ selection: StreamSelection, dryRun: Bool, by caller: String) async throws -> ManyReset {
        let prefix = if case .prefix(let prefix) = selection { prefix } else { "" }
        let answers = await ask { worker in Result { try worker.count(prefix: prefix) } }
        try await requireReadiness(answers.count)
        let counts = try answers.reduce(into: [:]) { $0.merge(try $1.get(), uniquingKeysWith: +) }
        let matched = counts.values.reduce(0, +)
        if dryRun { return ManyReset(id: nil, matched: matched) }
        let command = Command(id: Self.newID(), target: .prefix(prefix), by: caller, time: Self.now())
        try await control().record(command, on: Array(counts.keys))
        return ManyReset(id: command.id, matched: matched)
    }

    func control() throws -> ControlPlane {
        guard let control = state.withLock({ $0.control }) else {
            throw SluiceError(.broker, "the service waits for the broker", remedy: "see /readyz", retry: .later)
        }
        return control
    }

    static func newID() -> String { UUID().uuidString.lowercased() }
    static func now() -> EpochMilliseconds { SystemClock().wallMilliseconds() }

    package func partitions() async throws -> [PartitionStatus] {
        let ends = ends
        return await views().map { owner, view in
            PartitionStatus(
                partition: view.partition, owner: owner, offset: view.position,
                // Asked a moment ago: the fold may be further.
                end: ends[view.partition].map { max($0, view.position ?? 0) },
                state: view.isLive ? .live : .restoring, progress: Float(view.progress),
                checkpointAge: view.checkpointAgeNanoseconds.map { $0 / 1_000_000 })
        }
    }

    /// Each owned partition with the worker that owns it, by partition.
    func views() async -> [(owner: String, view: PartitionView)] {
        let instance = instance
        let owned = await ask { ($0.index, $0.partitionViews()) }
        return owned.flatMap { index, views in views.map { (owner: "\(instance)/\(index)", view: $0) } }
            .sorted { $0.view.partition < $1.view.partition }
    }

    package func readiness() async -> ServiceCondition {
        if state.withLock({ $0.isStopping }) { return ServiceCondition(reasons: ["the service is stopping"]) }
        switch kafkaHealth.state {
        case .connecting: return ServiceCondition(reasons: ["no broker has been reached yet"])
        case .away(_, let reason): return ServiceCondition(reasons: ["the brokers are away: \(reason)"])
        case .connected: break
        }
        guard !workers.isEmpty else {
            let stage = state.withLock { $0.retraining }?.status
            return ServiceCondition(
                reasons: [stage.map { "there is no model yet: \($0)" } ?? "the service is starting"])
        }
        let conditions = await ask { worker in
            (
                hasJoined: worker.hasJoined, waiting: worker.partitionViews().filter { !$0.isLive },
                isBlocked: worker.isOutputBlocked, stall: worker.isCommitStalled ? worker.commitAgeNanoseconds : nil
            )
        }
        var reasons: [String] = []
        if conditions.count < workers.count {
            reasons.append("\(workers.count - conditions.count) workers are restarting")
        }
        // Whoever joins last takes partitions from the others: until then they are about to move.
        let absent = conditions.count { !$0.hasJoined }
        if absent > 0 {
            reasons.append("\(absent) of \(conditions.count) workers have not joined the consumer group yet")
        }
        for view in conditions.flatMap(\.waiting) {
            reasons.append("partition \(view.partition) is restoring: \(Int(view.progress * 100)) %")
        }
        if conditions.contains(where: \.isBlocked) { reasons.append("the output takes nothing") }
        if let longest = conditions.compactMap(\.stall).max() {
            reasons.append("commits are stalled: nothing has been committed for \(longest / 1_000_000_000) s")
        }
        return ServiceCondition(reasons: reasons)
    }

    /// What no worker knows is unknown only if all were asked and have what is theirs.
    ///
    /// - Parameter answers: how many workers were asked.
    /// - Throws: `not-ready` with the reasons.
    func requireReadiness(_ answers: Int) async throws {
        var reasons = await readiness().reasons
        if reasons.isEmpty && answers < workers.count { reasons = ["a worker was restarting"] }
        guard !reasons.isEmpty else { return }
        throw Problem(.notReady, reasons.joined(separator: "; "), reasons: reasons)
    }

    package func health() async -> ServiceCondition { ServiceCondition() }
}
