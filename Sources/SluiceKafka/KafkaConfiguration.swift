internal import SluiceCore

/// The `kafka:` block: librdkafka properties passed through, checked when the value is made.
///
/// Refused by name: properties the engine owns, unknown ones (with a "did you mean"), and values librdkafka refuses.
/// Properties that only a consumer or only a producer knows reach the matching handles alone.
/// Values that may be secrets are never printed: `description` shows them as `***`.
package struct KafkaConfiguration: Sendable {
    /// What the user gave, by property name.
    private(set) var properties: [String: String]
    /// Properties that follow from the cluster that answered; the user's own win.
    private var adaptations: [String: String] = [:]

    /// The brokers to ask first, as given.
    package let bootstrapServers: String
    /// Where an application without a committed offset begins: `auto.offset.reset`. The handles themselves always get
    /// `error`: a start is explicit.
    package enum OffsetReset: Sendable {
        /// At the first record, by default: a slot is a function of all records of its stream.
        case earliest
        /// Behind what is there.
        case latest
        /// Nowhere: somebody must have committed an offset.
        case error
    }
    package let offsetReset: OffsetReset

    /// - Throws: `configuration-invalid`, naming the property and the remedy.
    package init(_ properties: [String: String]) throws {
        self.properties = properties
        bootstrapServers = properties["bootstrap.servers"] ?? properties["metadata.broker.list"] ?? ""
        if bootstrapServers.isEmpty {
            throw SluiceError(
                .invalidConfiguration, "kafka: bootstrap.servers is missing",
                remedy: "name at least one broker, for example localhost:9092")
        }
        offsetReset =
            switch properties["auto.offset.reset"] {
            case "latest", "largest", "end": .latest
            case "error": .error
            default: .earliest  // Also for what is refused below.
            }
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            if let refusal = Self.refusal(of: name, value) {
                throw SluiceError(.invalidConfiguration, "kafka: \(name): \(refusal)")
            }
        }
    }

    /// What is wrong with a property, and what to do about it; nil if nothing is. The value of a secret is not
    /// repeated.
    package static func refusal(of name: String, _ value: String) -> String? {
        if let reason = owned[name] { return "belongs to the engine: \(reason); remove it" }
        return Settings().refusal(name, value)
    }

    /// Tuned to the cluster that answered. The embedded broker answers an empty fetch only when its whole waiting time
    /// is over, even if data arrives, so it gets a short one; a real broker answers at once and keeps the long one.
    package func adapted(toCluster id: String) -> KafkaConfiguration {
        var copy = self
        copy.adaptations = EmbeddedBroker.isEmbedded(clusterID: id) ? Self.embedded : [:]
        return copy
    }

    /// The embedded broker lets an empty fetch wait its whole time, and refuses commits from the moment a member joins
    /// until all others have learned of it by their heartbeats.
    private static let embedded = [
        "fetch.wait.max.ms": "10", "heartbeat.interval.ms": "200", "session.timeout.ms": "6000",
    ]

    /// The largest batch that producers send, which is also the largest message.
    package var batchBytes: Int {
        get throws { try settings(.transactions).number("message.max.bytes") ?? 1_000_000 }
    }

    /// Settings for one handle: Sluice's defaults, the cluster's, the user's, then what the engine owns.
    func settings(_ role: HandleRole, owned: [String: String] = [:]) throws -> Settings {
        let settings = Settings()
        for (name, value) in role.defaults { try settings.set(name, value) }
        for (name, value) in adaptations where PropertyTable.shared.applies(name, to: role) {
            try settings.set(name, value)
        }
        // Sorted: where two names mean the same property, the same one wins in every run.
        for (name, value) in properties.sorted(by: { $0.key < $1.key })
        where PropertyTable.shared.applies(name, to: role) && name != "auto.offset.reset" {
            try settings.set(name, value)
        }
        for (name, value) in role.owned { try settings.set(name, value) }
        for (name, value) in owned { try settings.set(name, value) }
        return settings
    }
}

extension KafkaConfiguration: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        properties.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(Self.isSecret($0.key) ? "***" : $0.value)" }.joined(separator: " ")
    }
    package var debugDescription: String { description }
}

extension KafkaConfiguration: CustomReflectable {
    /// Nothing to reflect on: `dump` would print secrets.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension KafkaConfiguration {
    /// Properties the engine sets itself, each with the reason.
    static let owned = [
        "isolation.level": "input is read committed, or aborted records would change predictions",
        "enable.auto.commit": "offsets are committed only together with the state they belong to",
        "auto.commit.enable": "offsets are committed only together with the state they belong to",
        "enable.auto.offset.store": "offsets are committed only together with the state they belong to",
        "auto.commit.interval.ms": "the commit interval is `commit:` at the top of the configuration",
        "enable.idempotence": "outputs keep their order and are never doubled by a retry",
        "transactional.id": "it is derived from `application:` and the worker",
        "group.id": "it is `application:`",
        "group.instance.id": "every worker has its own, by which instances find each other",
        "test.mock.num.brokers": "the embedded broker is `sluice broker`",
        "enable.partition.eof": "the engine knows where a partition ends",
        "delivery.report.only.error": "every delivery is counted",
    ]

    /// Whether a property's value may be a secret.
    static func isSecret(_ name: String) -> Bool {
        let marks = ["password", "secret", "key.pem", "oauthbearer", "username", "token", "certificate.pem"]
        return marks.contains { name.contains($0) }
    }
}
