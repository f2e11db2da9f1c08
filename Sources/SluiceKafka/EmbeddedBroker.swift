internal import CLibrdkafka
package import Logging
internal import SluiceCore
internal import Synchronization

/// librdkafka's mock cluster as a broker inside the process, with real sockets: for a first look, demonstrations and
/// tests.
///
/// It keeps nothing: memory only; 5 MiB and 100,000 batches per partition, the oldest dropped silently; no compaction,
/// no admin API, no time look-up; transactions are accepted and not isolated; the first join of a group waits 3 s.
/// Topics exist from their first mention. With a port it is reached there, by this machine alone: see
/// `BrokerForwarder`.
@safe
package final class EmbeddedBroker: Sendable {
    /// Partitions of a topic that is created by being mentioned.
    package let partitions: Int
    /// The broker's own address, for clients of this process: topics first mentioned here have 4 partitions unless
    /// created before.
    package let internalBootstrap: String
    /// The address for everyone: the forwarder's where there is one.
    package let bootstrap: String
    private let content: Mutex<Content>

    /// librdkafka's calls on a mock cluster go through its own queue and may come from any thread; the pointers are
    /// used under the mutex and not after `close`.
    @safe
    struct Content: @unchecked Sendable {
        var handle: OpaquePointer?
        var cluster: OpaquePointer?
        var forwarder: BrokerForwarder?
    }

    /// Cluster ids of librdkafka's mock cluster begin with this.
    package static func isEmbedded(clusterID: String) -> Bool { clusterID.hasPrefix("mockCluster") }

    /// - Parameters:
    ///   - partitions: of topics that are created by being mentioned through `bootstrap`.
    ///   - port: of 127.0.0.1 to be reached at by other processes; 0 takes any; nil for none.
    /// - Throws: `port-taken`, naming the port.
    package init(partitions: Int = 4, port: Int? = nil, logger: Logger) throws {
        precondition(partitions > 0)
        let settings = Settings()
        try settings.set("client.id", "sluice-broker")
        // The host of the cluster speaks to nobody itself; its complaints about that are not news.
        try settings.set("log_level", "2")
        let (handle, reason) = unsafe withErrorText { unsafe rd_kafka_new(RD_KAFKA_PRODUCER, settings.pointer, $0, $1) }
        guard let handle = unsafe handle else {
            throw SluiceError(.broker, "the embedded broker did not start: \(reason)")
        }
        settings.release()
        guard let cluster = unsafe rd_kafka_mock_cluster_new(handle, 1) else {
            unsafe rd_kafka_destroy(handle)
            throw SluiceError(.broker, "the embedded broker did not start", remedy: "is a loopback interface there?")
        }
        let own = unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
        self.partitions = partitions
        internalBootstrap = own
        do {
            let shared = unsafe Content(handle: handle, cluster: cluster, forwarder: nil)
            let forwarder = try port.map { port in
                try BrokerForwarder(port: port, to: own, logger: logger) { topic in
                    // Exists already: as good.
                    _ = unsafe rd_kafka_mock_topic_create(shared.cluster, topic, Int32(clamping: partitions), 1)
                }
            }
            bootstrap = forwarder.map { "127.0.0.1:\($0.port)" } ?? own
            unsafe content = Mutex(Content(handle: handle, cluster: cluster, forwarder: forwarder))
        } catch {
            unsafe rd_kafka_mock_cluster_destroy(cluster)
            unsafe rd_kafka_destroy(handle)
            throw error
        }
    }

    deinit { close() }

    /// - Throws: `topic-exists`.
    package func create(_ topic: String, partitions: Int) throws {
        let code = try unsafe withCluster {
            unsafe rd_kafka_mock_topic_create($0, topic, Int32(clamping: partitions), 1)
        }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let exists = code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
        throw KafkaError(code).during("creating topic \(topic)", code: exists ? .topicExists : .topic)
    }

    /// Refuses and drops all connections, or accepts them again: what a broker that is away looks like.
    package func setReachable(_ reachable: Bool) throws {
        _ = try unsafe withCluster {
            unsafe reachable ? rd_kafka_mock_broker_set_up($0, -1) : rd_kafka_mock_broker_set_down($0, -1)
        }
    }

    func withCluster<Result: Sendable>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
        try content.withLock { content in
            guard let cluster = unsafe content.cluster else {
                throw SluiceError(.broker, "the embedded broker is closed")
            }
            return try unsafe body(cluster)
        }
    }

    package func close() {
        let last = content.withLock { content in
            defer { content = Content() }
            return content
        }
        last.forwarder?.close()
        if let cluster = unsafe last.cluster { unsafe rd_kafka_mock_cluster_destroy(cluster) }
        if let handle = unsafe last.handle { unsafe rd_kafka_destroy(handle) }
    }
}
