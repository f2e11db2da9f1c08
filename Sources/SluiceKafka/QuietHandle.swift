internal import CLibrdkafka
internal import Logging

/// A handle that fetches nothing, beside one that does; made when it is first needed.
///
/// A broker answers the requests of a connection one after the other, and a fetch at the end of the log is answered
/// after `fetch.wait.max.ms`: a question behind it would wait as long. A connection lost to idleness is no news.
/// Confined to its owner's thread.
@safe
final class QuietHandle {
    private let configuration: KafkaConfiguration
    private let owned: [String: String]
    private let health: KafkaHealth
    private let logger: Logger
    private var made: KafkaHandle?

    /// - Parameter owned: properties of which a consumer has others.
    init(_ configuration: KafkaConfiguration, owned: [String: String] = [:], health: KafkaHealth, logger: Logger) {
        self.configuration = configuration
        self.owned = owned
        self.health = health
        self.logger = logger
    }

    func opened() throws -> KafkaHandle {
        let handle = try made ?? KafkaHandle(.query, configuration, owned: owned, health: health, logger: logger)
        made = handle
        // Nobody else serves its errors.
        unsafe rd_kafka_poll(handle.pointer, 0)
        return handle
    }

    func close() {
        made?.close()
        made = nil
    }
}
