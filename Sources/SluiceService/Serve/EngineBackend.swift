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
        var models: ServiceModels?
        var retraining: Retraining?
        var makeRewind: (@Sendable () -> SlotRewind)?
        var isStopping = false
    }

    private let state = Mutex(State())
    private let kafkaHealth: KafkaHealth
    let observer: MetricsObserver
    package let audit = AuditFeed()
    /// One earlier state is rebuilt at a time: each reads the log.
    let isRewinding = Atomic<Bool>(false)

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

    var makeRewind: (@Sendable () -> SlotRewind)? { state.withLock { $0.makeRewind } }
    var retraining: Retraining? { state.withLock { $0.retraining } }
    var models: ServiceModels? { state.withLock { $0.models } }

    /// Lets go of what was attached, which holds the service itself.
    func detach() { state.withLock { ($0.workers, $0.control, $0.makeRewind) = ([], nil, nil) } }

    /// Lets workers and commands come to their end; answers say so from now on.
    func stop() {
        let (workers, control) = state.withLock { state in
            state.isStopping = true
            return (state.workers, state.control)
        }
        for worker in workers { worker.mailbox.stop() }
        control?.stop()
    }

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

    package func streams(prefix: String, limit: Int, after: String?, values: Int) async throws -> StreamPage {
        let answers = await ask { $0.list(prefix: prefix, after: after, limit: limit + 1, values: values) }
        // A list that lacks a worker's streams would look as if they had ended.
        if workers.isEmpty || answers.count < workers.count { try await requireReadiness(answers.count) }
        let rows = answers.joined()
        let ordered = rows.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let page = ordered.prefix(limit)
        return StreamPage(
            streams: page.map { StreamSummary($0, hasValues: values > 0) },
            next: ordered.count > limit ? page.last?.key : nil)
    }

    package func stream(_ key: String, fullState: Bool) async throws -> StreamSlot? {
        let found = await ask { $0.slot(key, withState: fullState, recent: Self.recentMaximum) }
        if let slot = found.compactMap(\.self).first { return StreamSlot(slot) }
        try await requireReadiness(found.count)
        return nil
    }

    package func reset(stream key: String, by caller: String) async throws -> CommandOutcome {
        let found = await ask { $0.partition(of: key) }
        guard let partition = found.compactMap(\.self).first else {
            try await requireReadiness(found.count)
            return .unknown
        }
        let command = Command(id: Self.newID(), target: .stream(key), by: caller, time: Self.now())
        guard let event = try await control().perform(command, on: partition) else { return .pending(id: command.id) }
        return .applied(AppliedCommand(id: event.id, stream: key, partition: event.partition, offset: event.offset))
    }

    package func reset(_ selection: StreamSelection, dryRun: Bool, by caller: String) async throws -> ManyReset {
        let prefix = if case .prefix(let prefix) = selection { prefix } else { "" }
        let answers = await ask { $0.count(prefix: prefix) }
        try await requireReadiness(answers.count)
        let counts = answers.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
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
                end: ends[view.partition].map { max($0, view.position) },
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
            (worker.hasJoined, worker.partitionViews().filter { !$0.isLive }, worker.isOutputBlocked)
        }
        var reasons: [String] = []
        if conditions.count < workers.count {
            reasons.append("\(workers.count - conditions.count) workers are restarting")
        }
        if !conditions.contains(where: \.0) { reasons.append("no worker has joined the consumer group yet") }
        for view in conditions.flatMap(\.1) {
            reasons.append("partition \(view.partition) is restoring: \(Int(view.progress * 100)) %")
        }
        if conditions.contains(where: \.2) { reasons.append("the output takes nothing") }
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
