/// A partition of a topic, as in Kafka.
public struct TopicPartition: Hashable, Sendable {
    public let topic: String
    public let partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

extension TopicPartition: CustomStringConvertible {
    public var description: String { "\(topic)/\(partition)" }
}

/// A position in a partition, as in Kafka: the offset of a record, or of the next one to be read.
public typealias Offset = Int64

/// Milliseconds since 1970-01-01T00:00:00Z.
public typealias EpochMilliseconds = Int64

extension EpochMilliseconds {
    /// "No time", Kafka's own mark for a record without a timestamp is −1; a record of 1969 is legal in a field.
    public static let absent = EpochMilliseconds.min
}
