import SluiceCore
package import SluiceLog

/// The topics of a run, and records out of an engine's outputs.
package enum Topics {
    package static let input = "observations"
    package static let control = "pumps.control"
    package static let events = "pumps.events"
    package static let predictions = "pumps.predictions"
    package static let rejects = "pumps.rejects"
    package static let slots = "pumps.slots"

    package static func name(_ topic: OutputTopic) -> String {
        switch topic {
        case .predictions: predictions
        case .rejects: rejects
        case .events: events
        case .control: control
        case .slots: slots
        case .observations: input
        }
    }

    /// What a client tells of a batch that was refused for its size: of its largest record.
    static func refusal(of records: some Collection<SimulatedRecord>, by topic: String, isAlone: Bool) -> SluiceError {
        let largest = records.max { $0.size.bytes < $1.size.bytes }
        let isBare = largest?.key?.isEmpty ?? true && largest?.value?.isEmpty ?? true
        return SluiceError(
            .delivery, "a record is refused by \(topic)", retry: .fatal,
            cause: OutputRefusal(
                topic: OutputTopic.allCases.first { name($0) == topic } ?? .observations,
                bytes: largest?.size.bytes ?? 0, isTooLarge: true, isAlone: isAlone, isBare: isBare,
                reason: BrokerError.messageTooLarge))
    }

    /// The entries of a batch from `start` on by the partitions they go to, in order.
    static func records(
        _ batch: borrowing OutputBatch, _ range: Range<Int>, _ cluster: SimulatedCluster
    ) -> [(partition: TopicPartition, record: SimulatedRecord)] {
        range.map { index in
            var record = record(batch, index)
            if record.timestamp <= 0 { record.timestamp = cluster.wallMilliseconds }
            let topic = name(batch.entries[index].topic)
            let count = cluster.topics[topic]?.count ?? 1
            // As a client's partitioner: by the key, anywhere without one.
            let any = record.key.map { Int($0.reduce(UInt32(7)) { $0 &* 31 &+ UInt32($1) }) } ?? 0
            let wanted = batch.entries[index].partition
            return (TopicPartition(topic: topic, partition: wanted >= 0 ? wanted : Int32(any % count)), record)
        }
    }

    /// An entry as a record, not yet anywhere.
    static func record(_ batch: borrowing OutputBatch, _ index: Int) -> SimulatedRecord {
        let entry = batch.entries[index]
        var record = SimulatedRecord(
            key: entry.key.map { Array(batch.arena.bytes($0)) },
            value: entry.value.map { Array(batch.arena.bytes($0)) }, timestamp: entry.timestamp)
        for header in batch.headers[entry.headers] {
            record.headers.append(
                SimulatedRecord.Header(name: header.name, value: Array(batch.arena.bytes(header.value))))
        }
        return record
    }
}
