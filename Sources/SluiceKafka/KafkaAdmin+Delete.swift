internal import CLibrdkafka
internal import SluiceCore

extension KafkaAdmin {
    /// Deletes topics; those that do not exist are none that fail.
    ///
    /// - Throws: `topic` with the broker's reason for the first that stays. The embedded broker deletes none.
    package func delete(_ names: [String], timeoutMilliseconds: Int) throws {
        guard !names.isEmpty else { return }
        var requests: [OpaquePointer?] = unsafe names.map { unsafe rd_kafka_DeleteTopic_new($0) }
        defer { unsafe rd_kafka_DeleteTopic_destroy_array(&requests, requests.count) }
        let doing = "deleting topics \(names.joined(separator: ", "))"
        let event = try unsafe ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, timeoutMilliseconds, doing) {
            unsafe rd_kafka_DeleteTopics(handle.pointer, &requests, requests.count, $0, answers)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        var count = 0
        let result = unsafe rd_kafka_event_DeleteTopics_result(event)
        guard let list = unsafe rd_kafka_DeleteTopics_result_topics(result, &count) else { return }
        for index in 0..<count {
            let code = unsafe rd_kafka_topic_result_error(list[index])
            if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART { continue }
            throw KafkaError(code).during("deleting topic \(names[index])", code: .topic)
        }
    }
}
