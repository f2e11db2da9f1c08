internal import CLibrdkafka
internal import SluiceCore
internal import SluiceLog

/// What reports of failed deliveries mean.
extension ClientContext {
    /// Keeps the report that says most.
    func failed(_ message: UnsafePointer<rd_kafka_message_t>) {
        let code = unsafe message.pointee.err
        let topic = unsafe String(cString: rd_kafka_topic_name(message.pointee.rkt))
        let place = unsafe "\(topic)/\(message.pointee.partition)"
        guard let output = outputs[topic], Self.refusing.contains(code.rawValue) else {
            undelivered = undelivered ?? Self.undelivered(place, KafkaError(code))
            return
        }
        let refusal = unsafe OutputRefusal(
            topic: output, bytes: Self.recordBytes(message), isTooLarge: Self.tooLarge.contains(code.rawValue),
            isAlone: isAlone, isBare: message.pointee.len == 0 && message.pointee.key_len == 0,
            reason: KafkaError(code))
        // The smallest of a topic says of all others.
        if let known = undelivered?.refusal, known.topic != output || known.bytes <= refusal.bytes { return }
        undelivered = SluiceError(
            .delivery,
            "\(isAlone ? "a record" : "a batch with a record") of \(refusal.bytes) bytes is refused by \(place)",
            remedy: refusal.isTooLarge
                ? "raise max.message.bytes of the topic \(topic)"
                : "look at what the topic \(topic) demands of its records: cleanup.policy, message.timestamp.*",
            retry: .fatal, cause: refusal)
    }

    private static func undelivered(_ place: String, _ cause: KafkaError) -> SluiceError {
        SluiceError(
            .delivery, "an output for \(place) was not delivered",
            remedy: cause.remedy ?? "everything since the last commit is produced again after a restart",
            retry: .fatal, cause: cause)
    }

    private static func recordBytes(_ message: UnsafePointer<rd_kafka_message_t>) -> Int {
        var size = unsafe RecordSize(key: message.pointee.key_len, value: message.pointee.len)
        var headers: OpaquePointer?
        guard unsafe rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return size.bytes
        }
        var index = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while unsafe rd_kafka_header_get_all(headers, index, &name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR {
            unsafe size.addHeader(name: name.map { unsafe String(cString: $0).utf8.count } ?? 0, value: count)
            index += 1
        }
        return size.bytes
    }

    /// A broker's answers to a batch that it will never take.
    private static let tooLarge: Set<Int32> = Set(
        [RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE].map(\.rawValue))
    private static let refusing = tooLarge.union(
        [RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP].map(\.rawValue))
}
