import Foundation
import Logging
import ServiceLifecycle
import SluiceConfiguration
import SluiceCore
import SluiceKafka
import SluiceLog
import SluiceModelFile
import Synchronization

/// An application of a measurement's own: `serve` in this process. What it makes for itself it takes away again, but
/// for its consumer group, which has static members until their session times out: brokers forget it like any other.
final class BenchService: Sendable {
    private static let attemptMilliseconds = 10_000

    private let settings: PipelineBench.Settings
    private let logger: Logger
    private let folder: URL
    private let loaded: LoadedConfiguration
    /// What the service ended with before it was asked to.
    private let failure = Mutex<(any Error)?>(nil)

    var configuration: Configuration { loaded.configuration }

    init(_ settings: PipelineBench.Settings, input: String?, output: String?, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let name = "bench-\(UUID().uuidString.prefix(8).lowercased())"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(name)")
        let names = BenchModel.names(settings.features)
        let features = names.map { "\($0): /values/\($0)" }.joined(separator: ", ")
        do {
            loaded = try Configuration.load(
                // Records of fewer features would be predicted, too, from what is carried.
                text: "input: {features: {\(features)}, missing: reject}",
                flags: [
                    ("application", name), ("kafka.bootstrap.servers", settings.bootstrap),
                    ("input.topic", input ?? name + ".input"), ("output.topic", output ?? name + ".output"),
                    ("output.rejects", name + ".rejected"), ("delivery", settings.delivery),
                    ("workers", "\(settings.workers)"), ("state.directory", folder.path + "/state"),
                    ("retrain.every", "never"), ("admin.listen", "127.0.0.1:0"),
                    ("admin.tokens", folder.path + "/tokens.yaml"),
                ] + settings.set)
        } catch {
            throw error.asError
        }
    }

    /// Serves while `body` runs, and ends in order; then `after` is called.
    ///
    /// - Parameters:
    ///   - ownsTopics: input and output are made and taken away, too.
    ///   - body: asks `checkRunning` while it waits.
    /// - Throws: the service's own error before what followed from it.
    func run(
        ownsTopics: Bool, _ body: (ServeRuntime) async throws -> Void, after: (ServeRuntime) throws -> Void
    ) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let found = try await onThread { try self.findTopics() }
        let result: Result<ServeRuntime, any Error>
        do {
            try await onThread { try self.makeTopics(found) }
            result = .success(try await serve(body))
        } catch {
            result = .failure(error)
        }
        try await onThread { self.takeAway(ownsTopics) }
        try after(result.get())
    }

    /// - Returns: what has served.
    private func serve(_ body: (ServeRuntime) async throws -> Void) async throws -> ServeRuntime {
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
        let service = Task {
            do {
                try await group.run()
            } catch {
                failure.withLock { $0 = error }
                throw error
            }
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(runtime))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await service.value
        try result.get()
        return runtime
    }

    /// - Throws: what the service ended with, where it has.
    func checkRunning() throws {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    func cluster() throws -> Cluster {
        try Cluster(configuration, health: KafkaHealth(logger: logger), logger: logger) { false }
    }

    func admin() throws -> KafkaAdmin {
        try KafkaAdmin(KafkaConfiguration(configuration.kafka), health: KafkaHealth(logger: logger), logger: logger)
    }

    func makeReader() throws -> KafkaReader {
        try KafkaReader(KafkaConfiguration(configuration.kafka), health: KafkaHealth(logger: logger), logger: logger)
    }

    func makeFeeder() throws -> KafkaProducer {
        try KafkaProducer(
            KafkaConfiguration(configuration.kafka),
            topics: [.observations: configuration.topics(isEmbedded: false).input],
            health: KafkaHealth(logger: logger), logger: logger)
    }

    /// The topics that are there, of those that are read and written.
    private func findTopics() throws -> [TopicDescription] {
        let admin = try admin()
        defer { admin.close() }
        let known = [settings.topic, configuration.input.topic, configuration.output.topic]
        let found = try admin.describe(known, timeoutMilliseconds: Self.attemptMilliseconds)
        guard let described = found.first(where: { $0.name == settings.topic }) else {
            throw SluiceError(
                .topic, "the topic \(settings.topic) does not exist",
                remedy: "fill it with observations of --features features first")
        }
        try checkCount(described.partitions)
        return found
    }

    /// Makes output and rejects where they do not exist, and the input where it is this application's own.
    private func makeTopics(_ found: [TopicDescription]) throws {
        let admin = try admin()
        defer { admin.close() }
        let partitions = found.first { $0.name == settings.topic }?.partitions ?? 1
        let needed = [configuration.input.topic, configuration.output.topic, configuration.output.rejects]
        for name in needed where !found.contains(where: { $0.name == name }) {
            try admin.create(
                TopicDescription(name: name, partitions: partitions), timeoutMilliseconds: Self.attemptMilliseconds)
        }
    }

    private func checkCount(_ partitions: Int) throws {
        let reader = try makeReader()
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

    /// - Parameter ownsTopics: input and output are this application's own.
    private func takeAway(_ ownsTopics: Bool) {
        do {
            let admin = try admin()
            defer { admin.close() }
            let cluster = try admin.clusterID(timeoutMilliseconds: Self.attemptMilliseconds)
            if EmbeddedBroker.isEmbedded(clusterID: cluster) {
                return logger.info("the embedded broker deletes no topics: those of the measurement's application stay")
            }
            let plan = configuration.topics(isEmbedded: false)
            let own = [configuration.output.rejects] + (ownsTopics ? [plan.input, configuration.output.topic] : [])
            try admin.delete(
                plan.needs.map(\.name).filter { own.contains($0) || plan.isInternal($0) },
                timeoutMilliseconds: Self.attemptMilliseconds)
        } catch {
            logger.error("topics of the measurement's application stay", metadata: ["error": "\(error)"])
        }
    }
}
