internal import CLibrdkafka
package import Logging
internal import SluiceCore
package import SluiceLog
internal import Synchronization

/// `LogAdmin` over librdkafka's admin client.
///
/// The embedded broker has no admin API: its topics exist from their first mention, and it tells no configuration.
@safe
package final class KafkaAdmin: LogAdmin {
    let handle: KafkaHandle
    let answers: OpaquePointer
    private let bootstrapServers: String

    package init(_ configuration: KafkaConfiguration, health: KafkaHealth, logger: Logger) throws {
        bootstrapServers = configuration.bootstrapServers
        handle = try KafkaHandle(.admin, configuration, health: health, logger: logger)
        unsafe answers = rd_kafka_queue_new(handle.pointer)
    }

    deinit { close() }

    package func close() {
        guard unsafe handle.pointer != nil else { return }
        unsafe rd_kafka_queue_destroy(answers)
        handle.close()
    }

    /// - Throws: `broker`, to be tried again later, while no broker answers.
    package func clusterID(timeoutMilliseconds: Int) throws -> String {
        handle.context.isBusy.store(true, ordering: .relaxed)
        let id = unsafe rd_kafka_clusterid(handle.pointer, Int32(clamping: timeoutMilliseconds))
        serveErrors()
        guard let id = unsafe id else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT).during("asking for the cluster's id")
        }
        defer { unsafe rd_kafka_mem_free(handle.pointer, id) }
        return unsafe String(cString: id)
    }

    package func describe(_ names: [String], timeoutMilliseconds: Int) throws -> [TopicDescription] {
        // All topics: asking for one by name would create it where automatic creation is on.
        var topics = try metadata(timeoutMilliseconds).topics.filter { names.contains($0.name) }
        guard !topics.isEmpty,
            try !EmbeddedBroker.isEmbedded(clusterID: clusterID(timeoutMilliseconds: timeoutMilliseconds))
        else { return topics }
        for (name, entries) in try configurations(topics.map(\.name), timeoutMilliseconds) {
            for index in topics.indices where topics[index].name == name { topics[index].configuration = entries }
        }
        return topics
    }

    /// All topics, as one of the brokers knows them, and how many brokers there are.
    private func metadata(_ timeoutMilliseconds: Int) throws -> (topics: [TopicDescription], brokers: Int) {
        var answer: UnsafePointer<rd_kafka_metadata>?
        handle.context.isBusy.store(true, ordering: .relaxed)
        let code = unsafe rd_kafka_metadata(handle.pointer, 1, nil, &answer, Int32(clamping: timeoutMilliseconds))
        serveErrors()
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe answer else {
            let error = KafkaError(code)
            let unreached = "see that a broker listens at bootstrap.servers, and that this machine reaches it"
            throw error.during("asking \(bootstrapServers) for the topics", remedy: error.remedy ?? unreached)
        }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        let topics: [TopicDescription] = unsafe (0..<Int(metadata.pointee.topic_cnt)).compactMap { index in
            let topic = unsafe metadata.pointee.topics[index]
            guard unsafe topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
            return unsafe TopicDescription(name: String(cString: topic.topic), partitions: Int(topic.partition_cnt))
        }
        return unsafe (topics, Int(metadata.pointee.broker_cnt))
    }

    /// Configuration entries by topic; a topic whose entries may not be read is left out.
    private func configurations(_ names: [String], _ timeoutMilliseconds: Int) throws -> [String: [String: String]] {
        var resources: [OpaquePointer?] = unsafe names.map {
            unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0)
        }
        let count = unsafe resources.count
        defer { unsafe rd_kafka_ConfigResource_destroy_array(&resources, count) }
        let event = try unsafe ask(
            RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeoutMilliseconds, "asking for topic configurations"
        ) {
            unsafe rd_kafka_DescribeConfigs(handle.pointer, &resources, count, $0, answers)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        var answered = 0
        var found: [String: [String: String]] = [:]
        let result = unsafe rd_kafka_event_DescribeConfigs_result(event)
        guard let list = unsafe rd_kafka_DescribeConfigs_result_resources(result, &answered) else { return [:] }
        for index in 0..<answered {
            let resource = unsafe list[index]
            guard unsafe rd_kafka_ConfigResource_error(resource) == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            var size = 0
            let entries = unsafe rd_kafka_ConfigResource_configs(resource, &size)
            var values: [String: String] = [:]
            for position in 0..<size {
                guard let entry = unsafe entries?[position], let value = unsafe rd_kafka_ConfigEntry_value(entry) else {
                    continue
                }
                unsafe values[String(cString: rd_kafka_ConfigEntry_name(entry))] = unsafe String(cString: value)
            }
            unsafe found[String(cString: rd_kafka_ConfigResource_name(resource))] = values
        }
        return found
    }

    /// Creates a topic with the broker's replication, and waits until it can be described. On the embedded broker it is
    /// mentioned, and refused if it then has another number of partitions.
    /// - Throws: `topic-exists`, or `topic` with the broker's reason.
    package func create(_ topic: TopicDescription, timeoutMilliseconds: Int) throws {
        if try EmbeddedBroker.isEmbedded(clusterID: clusterID(timeoutMilliseconds: timeoutMilliseconds)) {
            return try mention(topic, timeoutMilliseconds)
        }
        let (made, reason) = unsafe withErrorText {
            unsafe rd_kafka_NewTopic_new(topic.name, Int32(clamping: topic.partitions), -1, $0, $1)
        }
        guard let made = unsafe made else { throw SluiceError(.topic, "creating topic \(topic.name): \(reason)") }
        defer { unsafe rd_kafka_NewTopic_destroy(made) }
        for (name, value) in topic.configuration { unsafe rd_kafka_NewTopic_set_config(made, name, value) }
        var requests: [OpaquePointer?] = unsafe [made]
        let event = try unsafe ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeoutMilliseconds, "creating topic \(topic.name)")
        {
            unsafe rd_kafka_CreateTopics(handle.pointer, &requests, 1, $0, answers)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        var count = 0
        let result = unsafe rd_kafka_event_CreateTopics_result(event)
        guard let list = unsafe rd_kafka_CreateTopics_result_topics(result, &count), count == 1 else { return }
        let code = unsafe rd_kafka_topic_result_error(list[0])
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return try awaitKnown(topic.name, timeoutMilliseconds) }
        let text = unsafe rd_kafka_topic_result_error_string(list[0]).map { unsafe String(cString: $0) }
        throw KafkaError(code, text).during(
            "creating topic \(topic.name)", code: code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? .topicExists : .topic
        )
    }

    /// The controller has made a topic; brokers learn of it a moment later, each by itself, and librdkafka asks any of
    /// them: known is what a few times as many answers in a row name as there are brokers.
    private func awaitKnown(_ topic: String, _ timeoutMilliseconds: Int) throws {
        let end = ContinuousClock.now + .milliseconds(timeoutMilliseconds)
        var inARow = 0
        while true {
            let (topics, brokers) = try metadata(timeoutMilliseconds)
            inARow = topics.contains { $0.name == topic } ? inARow + 1 : 0
            if inARow > Self.answersPerBroker * (brokers - 1) { return }
            guard ContinuousClock.now < end else {
                throw SluiceError(.topic, "the topic \(topic) was made, but not all brokers know it yet", retry: .later)
            }
            if inARow == 0 { unsafe rd_kafka_poll(handle.pointer, Self.pauseMilliseconds) }
        }
    }

    private static let answersPerBroker = 4

    private static let pauseMilliseconds: Int32 = 20

    private func mention(_ topic: TopicDescription, _ timeoutMilliseconds: Int) throws {
        if try metadata(timeoutMilliseconds).topics.contains(where: { $0.name == topic.name }) {
            throw SluiceError(.topicExists, "topic \(topic.name) exists")
        }
        let named = unsafe rd_kafka_topic_new(handle.pointer, topic.name, nil)
        defer { if let named = unsafe named { unsafe rd_kafka_topic_destroy(named) } }
        var answer: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(handle.pointer, 0, named, &answer, Int32(clamping: timeoutMilliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe answer else {
            throw KafkaError(code).during("mentioning topic \(topic.name)")
        }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        let partitions = unsafe metadata.pointee.topic_cnt > 0 ? Int(metadata.pointee.topics[0].partition_cnt) : 0
        guard topic.partitions == TopicDescription.brokersPartitions || partitions == topic.partitions else {
            throw SluiceError(
                .topic,
                "the embedded broker gave topic \(topic.name) \(partitions) partitions, not \(topic.partitions)",
                remedy: "start it with --partitions \(topic.partitions)")
        }
    }

    /// Sends an admin request and waits for its event, which the caller destroys.
    func ask(
        _ operation: rd_kafka_admin_op_t, _ timeoutMilliseconds: Int, _ doing: String, _ send: (OpaquePointer?) -> Void
    ) throws -> OpaquePointer {
        let options = unsafe rd_kafka_AdminOptions_new(handle.pointer, operation)
        defer { unsafe rd_kafka_AdminOptions_destroy(options) }
        let timeout = Int32(clamping: max(1, timeoutMilliseconds))
        _ = unsafe withErrorText { unsafe rd_kafka_AdminOptions_set_request_timeout(options, timeout, $0, $1) }
        unsafe send(options)
        // The request times out by itself; the margin only lets its event arrive.
        guard let event = unsafe rd_kafka_queue_poll(answers, timeout + 1_000) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT).during(doing)
        }
        let code = unsafe rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
            unsafe rd_kafka_event_destroy(event)
            throw KafkaError(code, text).during(doing)
        }
        return unsafe event
    }

    /// This handle is not polled otherwise: its errors are served after each call.
    private func serveErrors() {
        unsafe rd_kafka_poll(handle.pointer, 0)
        handle.context.isBusy.store(false, ordering: .relaxed)
    }
}
