import Foundation
import Logging
import ServiceLifecycle
import SluiceConfiguration
import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceModelFile
import SluiceSchema
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// An embedded broker with the topics of a service, a state directory, and what it takes to run that service, feed it
/// and read what it wrote. Folder and broker are gone with the value.
final class ServiceRig: Sendable {
    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let broker: EmbeddedBroker
    let folder: String
    let loaded: LoadedConfiguration
    let model: Model

    /// - Parameters:
    ///   - partitions: of each topic, but for those in `topics`.
    ///   - kafka: librdkafka properties besides the address, as in YAML.
    ///   - more: lines of `sluice.yaml` behind those that every rig has.
    init(
        _ more: String = "", partitions: Int = 2, workers: Int = 2, topics: [String: Int] = [:], kafka: String = ""
    ) throws {
        broker = try EmbeddedBroker(logger: Self.quiet)
        folder = NSTemporaryDirectory() + "sluice-service-\(UUID().uuidString)"
        loaded = try Self.configuration(broker.bootstrap, folder, more, workers: workers, kafka: kafka)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        model = try ModelFile.write(Self.model(), to: folder + "/model.safetensors")
        for need in loaded.configuration.topics(isEmbedded: true).needs {
            try broker.create(need.name, partitions: topics[need.name] ?? partitions)
        }
    }

    deinit {
        broker.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func model() -> Model {
        var parameters = LSTMParameters(shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1))
        for index in parameters.values.indices { parameters.values[index] = Float(index % 7 - 3) / 8 }
        return Model(
            manifest: ModelManifest(name: "m", version: "v1", inputs: ["x"], targets: ["x"]), parameters: parameters)
    }

    static func configuration(
        _ bootstrap: String, _ folder: String, _ more: String = "", workers: Int = 1, kafka: String = ""
    ) throws -> LoadedConfiguration {
        let text = """
            application: pumps
            kafka: {bootstrap.servers: "\(bootstrap)", \(kafka)}
            input: {topic: observations, features: {x: /values/x}}
            output: {topic: predictions}
            state: {directory: "\(folder)/state"}
            delivery: at-least-once
            commit: 50ms
            workers: \(workers)
            admin: {listen: "127.0.0.1:0"}
            \(more)
            """
        do {
            return try Configuration.load(text: text)
        } catch {
            throw error.asError
        }
    }

    var configuration: Configuration { loaded.configuration }
    var modelFile: String { folder + "/model.safetensors" }

    /// Runs the service while `body` does, then stops it in good order.
    ///
    /// - Parameter hasModel: false: it is left to the registry, or to a first training.
    func serving<Result>(
        hasModel: Bool = true, launch: TrainingLaunch = .built, _ body: (ServeRuntime) async throws -> Result
    ) async throws -> Result {
        let runtime = try ServeRuntime(
            loaded, modelFile: hasModel ? modelFile : nil, launch: launch, logger: Self.quiet)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: runtime, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: Self.quiet))
        let running = Task { try await group.run() }
        do {
            let result = try await body(runtime)
            await group.triggerGracefulShutdown()
            try await running.value
            return result
        } catch {
            await group.triggerGracefulShutdown()
            _ = try? await running.value
            throw error
        }
    }

    /// Waits until every worker has its share of the partitions, restored: no rebalance disturbs what follows.
    func settled(_ runtime: ServeRuntime) async throws {
        let partitions = try partitions(of: configuration.input.topic)
        try await eventually("every worker has its share") {
            let views = await runtime.backend.views()
            return views.count == partitions && views.allSatisfy(\.view.isLive)
                && Set(views.map(\.owner)).count == configuration.workers
        }
    }

    /// The group's committed offset of each input partition.
    func committed() throws -> [Int32: Offset] {
        let consumer = try KafkaConsumer(
            kafka, group: configuration.application, topic: configuration.input.topic, health: Self.health,
            logger: Self.quiet)
        defer { consumer.close() }
        let partitions = Int32(try partitions(of: configuration.input.topic))
        let positions = try consumer.committed(Array(0..<partitions), timeoutMilliseconds: 20_000)
        return Dictionary(uniqueKeysWithValues: positions.map { ($0.partition, $0.offset) })
    }

    static let health = KafkaHealth(logger: quiet)

    var kafka: KafkaConfiguration {
        get throws { try KafkaConfiguration(configuration.kafka).adapted(toCluster: "mockCluster") }
    }

    func partitions(of topic: String) throws -> Int {
        let admin = try KafkaAdmin(kafka, health: Self.health, logger: Self.quiet)
        defer { admin.close() }
        return try #require(try admin.describe([topic], timeoutMilliseconds: 20_000).first).partitions
    }
}

/// Waits until `condition` holds. Other tests may hold every thread of the pool for a minute or more: what is bounded
/// is how often it is asked, which takes a minute at least.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<3_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    try #require(try await condition(), what, sourceLocation: sourceLocation)
}

extension TrainingLaunch {
    /// The `sluice` that was built with the tests.
    static let built = TrainingLaunch(
        executable: URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "sluice").path)
}
