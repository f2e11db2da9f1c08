import CoreMetrics
import Foundation
package import Logging
import ServiceLifecycle
import SluiceAdmin
package import SluiceConfiguration
import SluiceCore
import SluiceEngine
package import SluiceKafka
import SluiceLSTM
import SluiceModelFile
import SluiceModels
import SluiceSchema
import SluiceStore
import Synchronization

/// The service in one process: workers, control plane and HTTP, joined.
///
/// HTTP answers from the first moment, so that `readyz` can say what is waited for; workers start when the cluster
/// answers.
package final class ServeRuntime: Service {
    package let observer: MetricsObserver
    package let backend: EngineBackend
    package let health: KafkaHealth
    private let loaded: LoadedConfiguration
    private let modelFile: String?
    private let launch: TrainingLaunch
    private let admin: AdminServer
    private let metrics: ServiceMetrics
    private let logger: Logger
    private let stop = StopFlag()
    /// What brokers have refused from any worker.
    private let limits = OutputLimits()

    private var configuration: Configuration { loaded.configuration }

    /// - Parameters:
    ///   - modelFile: to be registered and, if it is new, predicted with; nil for the registry's active model, or a
    ///     first one that is trained.
    ///   - launch: how trainings are started.
    /// - Throws: what can be refused before anything is started: the model against the configuration, an unwritable
    ///   state directory.
    package init(
        _ loaded: LoadedConfiguration, modelFile: String?, launch: TrainingLaunch = TrainingLaunch(), logger: Logger
    ) throws {
        self.loaded = loaded
        self.modelFile = modelFile
        self.launch = launch
        self.logger = logger
        let configuration = loaded.configuration
        metrics = ServiceMetrics(registry: PrometheusRegistry())
        observer = MetricsObserver(metrics: metrics, logger: logger)
        health = KafkaHealth(logger: logger)
        backend = EngineBackend(health: health, observer: observer)
        admin = AdminServer(
            host: configuration.admin.listen.host, port: configuration.admin.listen.port,
            tokens: configuration.admin.tokens, backend: backend, metrics: metrics.registry, logger: logger)
        if let model = try modelFile.map({ try ModelFile.read($0) }) {
            _ = try configuration.inputSpecification(.record, for: model.manifest.inputs)
            _ = try configuration.foldSpecification(model)
        }
        // To whom it belongs is known once the cluster answers; whether it can be written is known now.
        try StateDirectory.checkWritable(configuration.state.directory)
    }

    /// The port HTTP is served on; waits until it is.
    package var listeningPort: Int { get async throws { try await admin.listeningPort } }

    /// Runs until graceful shutdown: what is folded is delivered, saved and committed first.
    package func run() async throws {
        // Whichever ends first ends the other, in order: HTTP without workers is no service, nor the other way round.
        let services = ([admin, Workers(runtime: self)] as [any Service]).map {
            ServiceGroupConfiguration.ServiceConfiguration(
                service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup)
        }
        // The group's own log lines tell of nothing a user of the service knows.
        var quiet = logger
        quiet.logLevel = .critical
        try await ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: quiet)).run()
    }

    /// The half of the service that works.
    private struct Workers: Service {
        let runtime: ServeRuntime

        func run() async throws {
            // A taken port is known before any record is.
            _ = try await runtime.admin.listeningPort
            try await withGracefulShutdownHandler {
                try await runtime.work()
            } onGracefulShutdown: {
                runtime.stop.set()
                runtime.backend.stop()
            }
        }
    }

    private func work() async throws {
        let cluster: Cluster
        do {
            cluster = try await onThread {
                try Cluster(self.configuration, health: self.health, logger: self.logger) {
                    self.stop.isSet
                }
            }
        } catch is CancellationError {
            return
        }
        if configuration.delivery == .exactlyOnce && cluster.isEmbedded {
            logger.warning("the embedded broker has no transactions: delivery is at-least-once")
        }
        let directory = try StateDirectory(
            configuration.state.directory,
            identity: StateIdentity(
                cluster: cluster.id, application: configuration.application, topic: configuration.input.topic))
        let models = ServiceModels(
            configuration: configuration, registry: try ModelRegistry(stateDirectory: directory.path))
        if let modelFile, let given = try models.begin(with: modelFile) {
            logger.notice(
                "the model given was here before, and another one has taken over since: that one predicts",
                metadata: [
                    "model": "\(models.registry.active?.version ?? "")", "given": "\(given)",
                    "remedy": "sluice models promote \(given)",
                ])
        }
        let retraining = Retraining(
            configuration, yaml: loaded.yamlWithSecrets, models: models, launch: launch, logger: logger,
            isCancelled: { [stop] in stop.isSet }, report: { [observer] in observer.retrained($0, $1) })
        retraining.clear()
        backend.attach(models: models, retraining: retraining)
        if models.registry.active == nil { try await train(retraining, cluster) }
        guard let active = models.registry.active, !stop.isSet else { return }
        try models.check(try models.registry.model(version: active.version))
        try await serve(cluster, directory, models, retraining)
    }

    private func train(_ retraining: Retraining, _ cluster: Cluster) async throws {
        try await onThread {
            try retraining.begin(topic: cluster.topics.input, partitions: cluster.inputPartitions) {
                try cluster.makeReader()
            }
        }
    }

    private func serve(
        _ cluster: Cluster, _ directory: StateDirectory, _ models: ServiceModels, _ retraining: Retraining
    ) async throws {
        let instance = ProcessInfo.processInfo.hostName
        let own = InstanceName(
            instance: "\(instance)-\(configuration.admin.listen.port)", worker: 0,
            address: configuration.admin.advertisement(machine: instance, port: try await listeningPort))
        let departure = Departure(workers: configuration.workers)
        let workers = (0..<configuration.workers).map { index in
            WorkerThread(index: index, logger: logger, departure: departure) { mailbox in
                try self.makeWorker(index, own, cluster, directory, models, mailbox)
            }
        }
        let control = ControlPlane(
            topics: cluster.topics, inputPartitions: cluster.inputPartitions,
            eventsPartitions: cluster.eventsPartitions,
            logger: logger, onEvent: { [audit = backend.audit] in audit.publish(AuditEvent($0)) }
        ) {
            ControlPlane.Clients(producer: try cluster.makeProducer(), reader: try cluster.makeReader())
        }
        let (settings, isExactlyOnce) = (configuration.workerSettings(cluster), isExactlyOnce(cluster))
        backend.attach(workers: workers, control: control, instance: instance) {
            SlotRewind(
                settings, hasChangelog: isExactlyOnce, makeReader: { try cluster.makeReader() },
                makeFold: { try models.fold($0) })
        }
        // The embedded broker neither knows static members nor tells who is in a group.
        if !cluster.isEmbedded {
            backend.attach(others: GroupInstances(own) { try await onThread { try cluster.members() } })
        }
        if stop.isSet { backend.stop() }
        control.start()
        for worker in workers { worker.start() }
        logger.info(
            "serving",
            metadata: [
                "cluster": "\(cluster.id)", "input": "\(cluster.topics.input)",
                "partitions": "\(cluster.inputPartitions)",
                "model": "\(models.registry.active?.version ?? "")", "workers": "\(workers.count)",
            ])
        let swaps = ModelSwaps(backend: backend, registry: models.registry, control: control, logger: logger)
        let loops = [
            Task<Void, Never> { await self.refreshGauges(models.registry) }, Task<Void, Never> { await swaps.run() },
        ]
        let schedule = Task { try await onThread { retraining.run() } }
        defer {
            for task in loops { task.cancel() }
            // The workers hold the state directory: it is free again once they are gone.
            backend.detach()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { try await worker.wait() } }
            group.addTask { await control.wait() }
            do {
                // Not `waitForAll`, which waits for the others before it says that one has failed.
                for try await _ in group {}
            } catch {
                stop.set()
                backend.stop()
                throw error
            }
        }
        stop.set()
        try await schedule.value
    }

    private func isExactlyOnce(_ cluster: Cluster) -> Bool {
        configuration.delivery == .exactlyOnce && !cluster.isEmbedded
    }

    private func makeWorker(
        _ index: Int, _ instance: InstanceName, _ cluster: Cluster, _ directory: StateDirectory,
        _ models: ServiceModels,
        _ mailbox: WorkerMailbox
    ) throws -> Worker {
        let member = InstanceName(instance: instance.instance, worker: index, address: instance.address)
        // Without the address: it may change, and a transaction left open is ended under its name.
        let name = "\(instance.instance)-\(index)"
        let isExactlyOnce = isExactlyOnce(cluster)
        return try Worker(
            index: index,
            resources: WorkerResources(
                consumer: try cluster.makeConsumer(instance: member.text),
                delivery: isExactlyOnce
                    ? .exactlyOnce { [limits] in
                        try cluster.makeTransactions(instance: name, isAlone: limits.sizes.isAlone)
                    } : .atLeastOnce(try cluster.makeProducer(isAlone: limits.sizes.isAlone)),
                control: try cluster.makeReader(), makeReader: { try cluster.makeReader() },
                stores: directory.makeStores(isExactlyOnce ? .cached : .synced), clock: SystemClock(),
                observer: observer, makeFold: { try models.fold($0) }, makeIdentity: { UUID().uuidString },
                limits: limits),
            settings: configuration.workerSettings(cluster), mailbox: mailbox)
    }

    private func refreshGauges(_ registry: ModelRegistry) async {
        var freed = FreedMemory()
        while !Task.isCancelled {
            if let active = registry.active { metrics.setModel(version: active.version, hash: active.sha256) }
            let partitions = await backend.views()
            let ends = backend.ends
            metrics.streams.record(partitions.reduce(0) { $0 + $1.view.streams })
            metrics.stateBytes.record(partitions.reduce(0) { $0 + $1.view.stateBytes })
            for (partition, end) in ends {
                let owned = partitions.first { $0.view.partition == partition }
                metrics.setLag(owned?.view.position.map { max(0, end - $0) }, partition: partition)
            }
            for (worker, age) in await backend.ask({ ($0.index, $0.commitAgeNanoseconds) }) {
                metrics.setCommitAge(Double(age) / 1e9, worker: worker)
            }
            let isReady = await backend.readiness().holds
            metrics.ready.record(isReady ? 1 : 0)
            let (records, resident) = (observer.latest.report.records, ProcessMemory.residentBytes)
            let isStored = await backend.ask { $0.isAllStored }.allSatisfy(\.self)
            if freed.isDue(records: records, isReady: isReady, isStored: isStored, resident: resident) {
                _ = await backend.ask { $0.releaseMemory() }
                if let left = try? await onThread({ ProcessMemory.trimmedResidentBytes }) {
                    freed.returned(resident: left)
                }
            }
            try? await Task.sleep(for: .seconds(2))
        }
    }
}

/// Set once, when the service is told to stop.
final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// Runs a call that blocks on a thread of its own, never on the cooperative pool.
package func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
        thread.start()
    }
}
