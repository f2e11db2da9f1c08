internal import CLibrdkafka
package import SluiceCore
internal import SluiceLog

extension KafkaReader {
    package func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset)
    {
        try handle.watermarks(partition.topic, partition.partition, timeoutMilliseconds)
    }

    package func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> Offset {
        let handle = try undecidedHandle()
        // Nobody else serves this handle's errors.
        unsafe rd_kafka_poll(handle.pointer, 0)
        return try handle.offset(
            partition.topic, partition.partition, at: Offset(RD_KAFKA_OFFSET_END), timeoutMilliseconds)
    }

    package func offset(
        _ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int
    ) throws -> Offset? {
        let found = try handle.offset(partition.topic, partition.partition, at: time, timeoutMilliseconds)
        return found >= 0 ? found : nil
    }
}
