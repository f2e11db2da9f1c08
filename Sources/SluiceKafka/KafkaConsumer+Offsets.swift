internal import CLibrdkafka
package import SluiceCore
package import SluiceLog
internal import Synchronization

extension KafkaConsumer {
    package func committed(_ partitions: [Int32], timeoutMilliseconds: Int) throws -> [CommittedPosition] {
        guard !partitions.isEmpty else { return [] }
        let list = PartitionList(topic: topic, partitions)
        let code = unsafe rd_kafka_committed(handle.pointer, list.pointer, Int32(clamping: timeoutMilliseconds))
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(code).during("reading the committed offsets of \(topic)")
        }
        var positions: [CommittedPosition] = []
        for index in 0..<list.count {
            let element = list[index]
            if element.code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(element.code).during("reading the committed offset of \(topic)/\(element.partition)")
            }
            guard element.offset >= 0 else { continue }
            positions.append(
                CommittedPosition(partition: element.partition, offset: element.offset, metadata: element.metadata))
        }
        return positions
    }

    package func startCommit(_ positions: [CommittedPosition]) throws {
        forgetCommit()
        guard !positions.isEmpty else { return }
        if unsafe rd_kafka_assignment_lost(handle.pointer) != 0 {
            throw KafkaError(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST).during("committing offsets of \(topic)")
        }
        // Sent now it would wait behind the request to join, arrive with the generation before, and cost librdkafka
        // before 2.10 the whole assignment (confluentinc/librdkafka, issue 4059).
        if handle.context.isJoining.load(ordering: .relaxed) {
            throw KafkaError(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS).during("committing offsets of \(topic)")
        }
        let list = PartitionList(capacity: positions.count)
        for position in positions {
            list.add(topic, position.partition, offset: position.offset, metadata: position.metadata)
        }
        // A queue of its own: `rd_kafka_commit` would wait for the coordinator as long as the session lasts.
        unsafe answers = rd_kafka_queue_new(handle.pointer)
        let code = unsafe rd_kafka_commit_queue(handle.pointer, list.pointer, answers, nil, nil)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code).during("committing offsets of \(topic)") }
    }

    package func isCommitAnswered(timeoutMilliseconds: Int) throws -> Bool {
        guard let answers = unsafe answers else { return true }
        let timeout = Int32(clamping: timeoutMilliseconds)
        guard let event = unsafe rd_kafka_queue_poll(answers, timeout) else { return false }
        defer {
            unsafe rd_kafka_event_destroy(event)
            forgetCommit()
        }
        let outcome = unsafe rd_kafka_event_error(event)
        if outcome != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(outcome).during("committing offsets of \(topic)") }
        guard let answered = unsafe rd_kafka_event_topic_partition_list(event) else { return true }
        for index in 0..<Int(unsafe answered.pointee.cnt) {
            let element = unsafe answered.pointee.elems[index]
            if unsafe element.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw unsafe KafkaError(element.err).during("committing the offset of \(topic)/\(element.partition)")
            }
        }
        return true
    }

    /// An answer that is still to come is not heard.
    func forgetCommit() {
        if let answers = unsafe answers { unsafe rd_kafka_queue_destroy(answers) }
        unsafe answers = nil
    }

    package func watermarks(partition: Int32, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        try asking.opened().watermarks(topic, partition, timeoutMilliseconds)
    }
}

extension KafkaHandle {
    /// The first offset still there and the next one to be given, asked of the partition's leader.
    ///
    /// By the look-up of times, which knows both ends by name: `rd_kafka_query_watermark_offsets` minds no time-out
    /// once it waits for a leader that is away (librdkafka 2.0).
    func watermarks(_ topic: String, _ partition: Int32, _ timeoutMilliseconds: Int) throws -> (
        low: Offset, high: Offset
    ) {
        let end = ContinuousClock.now + .milliseconds(timeoutMilliseconds)
        let low = try offset(topic, partition, at: Offset(RD_KAFKA_OFFSET_BEGINNING), timeoutMilliseconds)
        let left = Int((end - .now) / .milliseconds(1))
        return (low, try offset(topic, partition, at: Offset(RD_KAFKA_OFFSET_END), max(1, left)))
    }

    /// - Parameter time: milliseconds since 1970, or one of librdkafka's names for the ends.
    /// - Returns: the first offset whose record is not earlier; negative where there is none or the broker cannot tell.
    func offset(_ topic: String, _ partition: Int32, at time: Int64, _ timeoutMilliseconds: Int) throws -> Offset {
        let list = PartitionList(capacity: 1)
        list.add(topic, partition, offset: time)
        let code = unsafe rd_kafka_offsets_for_times(pointer, list.pointer, Int32(clamping: timeoutMilliseconds))
        let outcome = code == RD_KAFKA_RESP_ERR_NO_ERROR ? list[0].code : code
        if outcome != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(outcome).during("looking up an offset of \(topic)/\(partition)")
        }
        return list[0].offset
    }
}
