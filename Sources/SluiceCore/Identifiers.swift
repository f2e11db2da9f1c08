/// A partition of a topic, as in Kafka.
package struct TopicPartition: Hashable, Sendable {
    package let topic: String
    package let partition: Int32

    package init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

extension TopicPartition: CustomStringConvertible {
    package var description: String { "\(topic)/\(partition)" }
}

/// A position in a partition, as in Kafka: the offset of a record, or of the next one to be read.
package typealias Offset = Int64

/// Milliseconds since 1970-01-01T00:00:00Z.
package typealias EpochMilliseconds = Int64

extension EpochMilliseconds {
    /// "No time", Kafka's own mark for a record without a timestamp is −1; a record of 1969 is legal in a field.
    package static let absent = EpochMilliseconds.min
}
