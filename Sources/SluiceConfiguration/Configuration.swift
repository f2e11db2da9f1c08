/// `sluice.yaml`, its defaults filled in, everything checked. What each setting does: `ConfigurationText.example`.
package struct Configuration: Sendable, Equatable {
    package enum Delivery: String, Sendable, CaseIterable {
        case exactlyOnce = "exactly-once"
        case atLeastOnce = "at-least-once"
    }

    /// Consumer group, transactional ids and internal topics derive from it.
    package let application: String
    /// librdkafka properties, passed through.
    package let kafka: [String: String]
    package let input: InputSection
    package let output: OutputSection
    package let boundaries: BoundariesSection
    package let model: ModelSection
    package let state: StateSection
    package let delivery: Delivery
    package let commit: Duration
    package let workers: Int
    package let train: TrainSection
    package let retrain: RetrainSection
    package let admin: AdminSection

    /// Reads every setting, in the order in which they are shown.
    init(_ reader: inout SettingsReader, tokenCount: TokenCount?) {
        application = reader.read("application", .application, required: "application")
        kafka = reader.readProperties("kafka")
        input = InputSection(&reader)
        output = OutputSection(&reader, input: input)
        boundaries = BoundariesSection(&reader)
        model = ModelSection(&reader, features: input.features.map(\.name))
        state = StateSection(&reader)
        delivery = reader.read("delivery", .choice, default: .exactlyOnce)
        commit = reader.read("commit", .duration, default: .milliseconds(100))
        workers = reader.read("workers", .integer(1...1_024), default: 2)
        train = TrainSection(&reader)
        retrain = RetrainSection(&reader, train: train)
        admin = AdminSection(&reader, tokenCount: tokenCount)
        checkKafka(&reader)
        checkTopics(&reader)
    }

    /// Tells how many access tokens a file holds, 0 where there is none; throws what is wrong with it.
    package typealias TokenCount = (_ path: String) throws -> Int

    /// Properties the engine sets itself: with another value it could not keep its promises.
    package static let ownedKafkaProperties: Set<String> = [
        "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence", "group.id", "isolation.level",
        "transactional.id",
    ]

    private func checkKafka(_ reader: inout SettingsReader) {
        let required = "kafka.bootstrap.servers"
        let servers = kafka["bootstrap.servers"]
        if servers == nil, reader.isSound(required) {
            let aliases = ["metadata.broker.list"].filter { kafka[$0] != nil }
            reader.report(required, "is missing" + (aliases.isEmpty ? "" : "; write it in place of \(aliases[0])"))
        } else if let servers, servers.isEmpty {
            reader.report(required, "is empty")
        }
        for property in kafka.keys.sorted() where Self.ownedKafkaProperties.contains(property) {
            reader.report("kafka.\(property)", "is set by Sluice itself; remove it")
        }
    }

    /// No topic may be read and written, nor serve two purposes.
    private func checkTopics(_ reader: inout SettingsReader) {
        var owners = [(input.topic, "input.topic")]
        for (topic, path) in [(output.topic, "output.topic"), (output.rejects, "output.rejects")] {
            guard reader.isSound(path) else { continue }
            if let owner = owners.first(where: { $0.0 == topic }), reader.isSound(owner.1) {
                reader.report(path, "\"\(topic)\" is \(owner.1) already")
            }
            owners.append((topic, path))
        }
        guard reader.isSound("application") else { return }
        for (topic, path) in owners where reader.isSound(path) {
            if let suffix = Self.internalTopics.first(where: { "\(application).\($0)" == topic }) {
                reader.report(path, "\"\(topic)\" is the application's own topic for \(suffix)")
            }
        }
    }

    private static let internalTopics = ["slots", "control", "models", "events"]
}
