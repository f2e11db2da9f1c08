internal import CLibrdkafka
package import SluiceCore
internal import SluiceLog

extension KafkaReader {
    package func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset)
    {
        try idleHandle().watermarks(partition.topic, partition.partition, timeoutMilliseconds)
    }

    package func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> Offset {
        try undecided.opened().offset(
            partition.topic, partition.partition, at: Offset(RD_KAFKA_OFFSET_END), timeoutMilliseconds)
    }

    package func offset(
        _ partition: TopicPartition, at time: EpochMilliseconds, timeoutMilliseconds: Int
    ) throws -> Offset? {
        let found = try handle.offset(partition.topic, partition.partition, at: time, timeoutMilliseconds)
        return found >= 0 ? found : nil
    }
}
