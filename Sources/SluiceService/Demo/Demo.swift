import Foundation
package import Logging
import ServiceLifecycle
import SluiceAdmin
import SluiceConfiguration
import SluiceCore
import SluiceEngine
import SluiceKafka
import SluiceModelFile
import SluiceModels
package import SluiceTraining
import Synchronization

/// The whole service on this machine with nothing else installed: an embedded broker, a model trained on the first part
/// of the bundled series, the rest replayed through topics beside the machine's own metrics, one reset by command.
package final class Demo: Sendable {
    package struct Options: Sendable {
        /// Seconds; nil: until it is told to stop.
        package var duration: Double?
        package var port: Int?
        /// Hours of the recorded series a second.
        package var speed: Double
        /// A duration such as `15s`, or `never`.
        package var retrainEvery: String
        package var launch: TrainingLaunch

        package init(
            duration: Double? = nil, port: Int? = nil, speed: Double = 60, retrainEvery: String = "10s",
            launch: TrainingLaunch = TrainingLaunch()
        ) {
            self.duration = duration
            self.port = port
            self.speed = speed
            self.retrainEvery = retrainEvery
            self.launch = launch
        }
    }

    /// What the demo shows while it runs.
    package struct View: Sendable {
        package var elapsed: Double
        package var address: String
        package var streams: [(name: String, stream: DemoLedger.Stream, resets: Int64)]
        package var observations: Int
        package var predictions: Int
        package var boundaries: Int
        package var resets: Int
        package var rejects: Int
        package var retrainings: Int
        /// The active model, and what the service trains now.
        package var model: String
        package var training: String?
        package var forecastErrors: DemoLedger.Errors
    }

    package enum Event: Sendable {
        /// A sentence about what happens now.
        case stage(String)
        case epoch(TrainingProgress.Epoch, of: Int)
        case view(View)
        case reset(stream: String, offset: Int64)
        /// How a retraining ended.
        case retrained(String)
        case summary(DemoSummary)
    }

    /// Share of the recorded year that is trained on.
    private static let trainingShare = 0.7
    private static let viewSeconds = 1.0
    /// Looks for predictions, ten a second, of which none brings a new one before the rest is given up.
    private static let quietLooksMaximum = 100

    private let options: Options
    private let logger: Logger
    private let report: @Sendable (Event) -> Void
    private let began = Date()
    private let hasServiceEnded = Atomic<Bool>(false)
    /// For the work on threads, which know of no task.
    private let stop = StopFlag()

    package init(_ options: Options, logger: Logger, report: @escaping @Sendable (Event) -> Void) {
        self.options = options
        self.logger = logger
        self.report = report
    }

    /// Runs to the end of the duration, or until the task is cancelled; then stops everything and sums up, if there is
    /// something to sum up.
    package func run() async throws {
        try await withTaskCancellationHandler {
            do {
                try await show()
            } catch is CancellationError {
                report(.stage("told to stop before it served"))
            }
        } onCancel: {
            stop.set()
        }
    }

    private func show() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let series = try DemoSeries.bundled()
        let firstRow = Int(Double(series[0].rows.count) * Self.trainingShare)
        let broker = try EmbeddedBroker(logger: logger)
        defer { broker.close() }
        report(.stage("an embedded broker listens at \(broker.bootstrap); it keeps nothing"))
        let loaded = try Self.configuration(broker.bootstrap, folder, options)
        let configuration = loaded.configuration
        let cluster = try await onThread { [logger, stop] in
            try Cluster(configuration, health: KafkaHealth(logger: logger), logger: logger) { stop.isSet }
        }
        let ledger = DemoLedger()
        let feeder = DemoFeeder(series, firstRow: firstRow, hoursPerSecond: options.speed, ledger: ledger) {
            try cluster.makeProducer()
        }
        try await onThread { try feeder.feedHistory() }
        report(.stage("\(ledger.observations) hours of history are in the topic \(configuration.input.topic)"))
        let modelFile = try await train(configuration, cluster, folder)
        let runtime = try ServeRuntime(loaded, modelFile: modelFile, launch: options.launch, logger: logger)
        try await serve(runtime, Show(configuration: configuration, cluster: cluster, ledger: ledger, feeder: feeder))
    }

    /// What the show works with.
    private struct Show: Sendable {
        let configuration: Configuration
        let cluster: Cluster
        let ledger: DemoLedger
        let feeder: DemoFeeder
    }

    private static func configuration(
        _ bootstrap: String, _ folder: URL, _ options: Options
    ) throws -> LoadedConfiguration {
        let text = """
            application: demo
            kafka: {bootstrap.servers: "\(bootstrap)"}
            input: {topic: observations, features: {value: /values/value}}
            output: {topic: predictions}
            boundaries: {daily: "00:00 UTC"}
            model: {hidden: 32, horizons: [1, 6], head: quantile, scaling: global}
            train: {epochs: 12, chunk: 24, rows: 32, learning_rate: 0.005, patience: 0, threads: 1}
            state: {directory: "\(folder.path)/state"}
            delivery: at-least-once
            retrain: {every: \(options.retrainEvery), window: 36500d, promote: always}
            admin:
              listen: "127.0.0.1:\(options.port ?? FreePort.preferring(8_080))"
              tokens: "\(folder.path)/tokens.yaml"
            """
        do {
            return try Configuration.load(text: text, name: "demo")
        } catch {
            throw error.asError
        }
    }

    /// Trains on what the topic holds, as `sluice train --from-topic` does.
    private func train(_ configuration: Configuration, _ cluster: Cluster, _ folder: URL) async throws -> String {
        report(.stage("training on it, with the state carried as in service"))
        let job = TrainingJob(configuration, memory: DatasetMemory(folder: folder.path))
        let source = TopicSource(topic: configuration.input.topic, partitions: cluster.inputPartitions) {
            try cluster.makeReader()
        }
        let outcome = try await onThread { [report, stop] in
            try job.run(
                source, isCancelled: { stop.isSet },
                progress: { progress in
                    if case .training(.epoch(let epoch)) = progress { report(.epoch(epoch, of: job.training.epochs)) }
                })
        }
        try Task.checkCancellation()
        let path = folder.appendingPathComponent("model.safetensors").path
        _ = try ModelFile.write(outcome.result.model, to: path)
        return path
    }

    private func serve(_ runtime: ServeRuntime, _ show: Show) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: runtime, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        // No child of this task: who is told to stop sums up while the service still runs, and ends it then.
        let service = Task {
            defer { hasServiceEnded.store(true, ordering: .relaxed) }
            try await group.run()
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await service.value }
            tasks.addTask {
                // Whatever ends the show ends the service with it, in order.
                do {
                    try await self.run(show, runtime)
                } catch is CancellationError {
                    // Told to stop: the summary has been made.
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    private func run(_ show: Show, _ runtime: ServeRuntime) async throws {
        let address = "http://127.0.0.1:\(try await runtime.listeningPort)"
        report(.stage("serving; HTTP at \(address)"))
        let (ledger, feeder) = (show.ledger, show.feeder)
        let reader = DemoReader(
            topic: show.configuration.output.topic, partitions: show.cluster.inputPartitions, ledger: ledger
        ) { try show.cluster.makeReader() }
        reader.start()
        feeder.start()
        defer {
            feeder.stop()
            reader.stop()
        }
        await follow(runtime, ledger, address, feeder)
        if let error = feeder.error { throw error }
        feeder.stop()
        await settle(ledger, feeder)
        report(.summary(DemoSummary(ledger, runtime.observer.current, series: "temperature/")))
    }

    /// Shows the state of things until the time is over or the task is cancelled, and resets one stream on the way.
    private func follow(
        _ runtime: ServeRuntime, _ ledger: DemoLedger, _ address: String, _ feeder: DemoFeeder
    ) async {
        var (hasReset, hasCaughtUp, retrainings) = (false, false, 0)
        let history = ledger.history
        while !Task.isCancelled, feeder.error == nil, options.duration.map({ elapsed < $0 }) ?? true {
            let view = await view(runtime, ledger, address)
            report(.view(view))
            if !hasCaughtUp, view.predictions >= history {
                runtime.observer.forgetLatencies()
                hasCaughtUp = true
            }
            if view.retrainings > retrainings, let text = runtime.observer.current.lastRetraining {
                retrainings = view.retrainings
                report(.retrained(text))
            }
            // The stream that has come furthest since its boundary, so that the reset shows.
            let candidate = view.streams.filter { $0.stream.isWarm && $0.stream.step > 0 }
                .max { $0.stream.step < $1.stream.step }
            if !hasReset, let stream = candidate?.name {
                if case .applied(let reset)? = try? await runtime.backend.reset(stream: stream, by: "demo") {
                    hasReset = true
                    report(.reset(stream: stream, offset: reset.offset))
                }
            }
            let left = options.duration.map { $0 - elapsed } ?? Self.viewSeconds
            try? await Task.sleep(for: .seconds(max(0, min(Self.viewSeconds, left))))
        }
    }

    private var elapsed: Double { -began.timeIntervalSinceNow }

    private func view(_ runtime: ServeRuntime, _ ledger: DemoLedger, _ address: String) async -> View {
        var streams: [(name: String, stream: DemoLedger.Stream, resets: Int64)] = []
        for (name, stream) in ledger.streams {
            let slot = try? await runtime.backend.stream(name, fullState: false)
            streams.append((name, stream, slot?.resets ?? 0))
        }
        let totals = runtime.observer.current
        return View(
            elapsed: elapsed, address: address, streams: streams, observations: ledger.observations,
            predictions: ledger.predictions, boundaries: totals.report.boundaries, resets: totals.resets,
            rejects: totals.report.rejects,
            retrainings: totals.retrainings, model: runtime.backend.models?.registry.active?.version ?? "",
            training: runtime.backend.retraining?.status, forecastErrors: ledger.errors(prefix: "temperature/"))
    }

    /// Waits for the last predictions as long as some come, also after being told to stop.
    private func settle(_ ledger: DemoLedger, _ feeder: DemoFeeder) async {
        let waiting = Task.detached {
            var (seen, looks) = (0, 0)
            while looks < Self.quietLooksMaximum, !self.hasServiceEnded.load(ordering: .relaxed) {
                if feeder.isOver && ledger.predictions >= ledger.observations { break }
                try? await Task.sleep(for: .milliseconds(100))
                looks = ledger.predictions > seen ? 0 : looks + 1
                seen = ledger.predictions
            }
        }
        await waiting.value
    }
}
