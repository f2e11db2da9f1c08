import Foundation
package import Logging
import ServiceLifecycle
import SluiceConfiguration
import SluiceCore
import SluiceEngine
import SluiceKafka
import SluiceLog
import SluiceModelFile

/// Times the whole service on a broker: a new application reads a topic from its beginning and predicts every record.
package enum PipelineBench {
    package struct Settings: Sendable {
        package var bootstrap, topic: String
        /// Records to be predicted, at least.
        package var count: Int
        package var delivery: String
        package var features, hidden, layers, workers, repetitions: Int
        /// Of the configuration, over all others.
        package var set: [(path: String, value: String)]

        package init(
            bootstrap: String, topic: String, count: Int, delivery: String, features: Int, hidden: Int, layers: Int,
            workers: Int, repetitions: Int, set: [(path: String, value: String)] = []
        ) {
            self.set = set
            (self.bootstrap, self.topic, self.count, self.delivery) = (bootstrap, topic, count, delivery)
            (self.features, self.hidden, self.layers) = (features, hidden, layers)
            (self.workers, self.repetitions) = (workers, repetitions)
        }
    }

    package struct Result: Sendable {
        package var settings: Settings
        /// Of each repetition: from the arrival of the first record to the commit behind the last.
        package var rates: [Double] = []
        /// Streams with a state behind the last repetition.
        package var streams = 0

        package var recordsPerSecond: Double { rates.max() ?? 0 }
        package var median: Double { rates.sorted()[rates.count / 2] }
    }

    /// - Parameter progress: told the number of predictions, in which repetition.
    /// - Throws: `topic` where it holds less than is to be read; `invalid-input` where records are rejected;
    ///   `CancellationError`.
    package static func run(
        _ settings: Settings, logger: Logger, progress: (Int, Int) -> Void
    ) async throws -> Result {
        var result = Result(settings: settings)
        for repetition in 0..<settings.repetitions {
            let run = try PipelineRun(settings, logger: logger)
            let (rate, streams) = try await run.measure { progress($0, repetition) }
            result.rates.append(rate)
            result.streams = streams
        }
        return result
    }
}

/// One application, from its first record to its last commit. What it makes for itself it takes away again.
private final class PipelineRun: Sendable {
    private static let attemptMilliseconds = 10_000
    /// Looks for predictions, two hundred a second, of which none brings a new one before the rest is given up.
    private static let quietLooksMaximum = 12_000

    private let settings: PipelineBench.Settings
    private let logger: Logger
    private let folder: URL
    private let loaded: LoadedConfiguration

    init(_ settings: PipelineBench.Settings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let name = "bench-\(UUID().uuidString.prefix(8).lowercased())"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(name)")
        let names = BenchModel.names(settings.features)
        let features = names.map { "\($0): /values/\($0)" }.joined(separator: ", ")
        do {
            loaded = try Configuration.load(
                text: "input: {features: {\(features)}}",
                flags: [
                    ("application", name), ("kafka.bootstrap.servers", settings.bootstrap),
                    ("input.topic", settings.topic), ("output.topic", settings.topic + "-out"),
                    ("output.rejects", name + ".rejected"), ("delivery", settings.delivery),
                    ("workers", "\(settings.workers)"), ("state.directory", folder.path + "/state"),
                    ("retrain.every", "never"), ("admin.listen", "127.0.0.1:0"),
                    ("admin.tokens", folder.path + "/tokens.yaml"),
                ] + settings.set)
        } catch {
            throw error.asError
        }
    }

    /// Records a second, and streams.
    func measure(_ progress: (Int) -> Void) async throws -> (rate: Double, streams: Int) {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await onThread { try self.prepareTopics() }
        let path = folder.appendingPathComponent("model.safetensors").path
        _ = try ModelFile.write(
            BenchModel.drawn(features: settings.features, hidden: settings.hidden, layers: settings.layers), to: path)
        let runtime = try ServeRuntime(loaded, modelFile: path, logger: logger)
        var quiet = logger
        quiet.logLevel = .critical
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: runtime, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: quiet))
        let service = Task { try await group.run() }
        let streams: Int
        do {
            streams = try await follow(runtime, progress)
        } catch {
            await group.triggerGracefulShutdown()
            _ = try? await service.value
            try? await onThread { try self.deleteTopics() }
            throw error
        }
        await group.triggerGracefulShutdown()
        try await service.value
        try await onThread { try self.deleteTopics() }
        return (try rate(runtime.observer.current), streams)
    }

    private func rate(_ totals: MetricsObserver.Totals) throws -> Double {
        let report = totals.report
        guard report.rejects == 0 else {
            throw SluiceError(
                .invalidInput, "\(report.rejects) of \(report.records) records of \(settings.topic) were rejected",
                remedy: "the features must be at /values/f0 to /values/f\(settings.features - 1): see --features")
        }
        guard let first = totals.firstArrivalNanoseconds, let last = totals.lastCommitNanoseconds, last > first else {
            throw SluiceError(.invalidInput, "nothing was committed")
        }
        return Double(report.predictions) * 1e9 / Double(last - first)
    }

    /// Waits until enough is predicted; the number of streams then.
    private func follow(_ runtime: ServeRuntime, _ progress: (Int) -> Void) async throws -> Int {
        var (known, quietLooks) = (0, 0)
        while true {
            try Task.checkCancellation()
            let report = runtime.observer.latest.report
            let done = report.predictions + report.rejects
            if done >= settings.count { break }
            (known, quietLooks) = done > known ? (done, 0) : (known, quietLooks + 1)
            guard quietLooks < Self.quietLooksMaximum else {
                throw SluiceError(
                    .topic, "\(done) of \(settings.count) records came, and none since a minute",
                    remedy: "look at the broker, and at the log with SLUICE_LOG=info")
            }
            if quietLooks == 0 { progress(done) }
            try await Task.sleep(for: .milliseconds(5))
        }
        return await runtime.backend.views().reduce(0) { $0 + $1.view.streams }
    }

    private func admin() throws -> KafkaAdmin {
        try KafkaAdmin(
            KafkaConfiguration(loaded.configuration.kafka), health: KafkaHealth(logger: logger), logger: logger)
    }

    /// The output and the rejects' topic, where they do not exist.
    private func prepareTopics() throws {
        let admin = try admin()
        defer { admin.close() }
        let (input, output) = (loaded.configuration.input.topic, loaded.configuration.output)
        let found = try admin.describe([input, output.topic], timeoutMilliseconds: Self.attemptMilliseconds)
        guard let described = found.first(where: { $0.name == input }) else {
            throw SluiceError(
                .topic, "the topic \(input) does not exist",
                remedy: "fill it with observations of --features features first")
        }
        try checkCount(described.partitions)
        for name in [output.topic, output.rejects] where !found.contains(where: { $0.name == name }) {
            try admin.create(
                TopicDescription(name: name, partitions: described.partitions),
                timeoutMilliseconds: Self.attemptMilliseconds)
        }
    }

    private func checkCount(_ partitions: Int) throws {
        let reader = try KafkaReader(
            KafkaConfiguration(loaded.configuration.kafka), health: KafkaHealth(logger: logger), logger: logger)
        defer { reader.close() }
        let held = try (0..<partitions).reduce(0) { sum, partition in
            let (low, high) = try reader.watermarks(
                TopicPartition(topic: settings.topic, partition: Int32(partition)),
                timeoutMilliseconds: Self.attemptMilliseconds)
            return sum + Int(high - low)
        }
        guard held >= settings.count else {
            throw SluiceError(
                .topic, "the topic \(settings.topic) holds \(held) records, fewer than \(settings.count)",
                remedy: "fill it, or give a smaller --count")
        }
    }

    private func deleteTopics() throws {
        let admin = try admin()
        defer { admin.close() }
        let configuration = loaded.configuration
        let plan = configuration.topics(isEmbedded: false)
        try admin.delete(
            plan.needs.map(\.name).filter { $0 == configuration.output.rejects || plan.isInternal($0) },
            timeoutMilliseconds: Self.attemptMilliseconds)
    }
}
