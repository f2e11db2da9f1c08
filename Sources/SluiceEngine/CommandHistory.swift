import SluiceCore
import SluiceLog
import SluiceSchema

/// Reads the audit for the commands that took effect.
enum CommandHistory {
    private static let timeoutMilliseconds = 5_000

    /// Every recorded command of an input partition, from the topic's beginning to where it ends now.
    ///
    /// - Throws: `broker`, to be tried again, when the end is not reached.
    static func read(
        _ reader: any LogReader, topic: String, partitions: Int, of input: Int32
    ) throws -> [Event] {
        var ranges: [TopicPartition: Range<Offset>] = [:]
        for partition in 0..<Int32(partitions) {
            let key = TopicPartition(topic: topic, partition: partition)
            let low = try reader.watermarks(key, timeoutMilliseconds: timeoutMilliseconds).low
            let high = try reader.highWatermark(key, timeoutMilliseconds: timeoutMilliseconds)
            ranges[key] = low..<max(low, high)
        }
        let messages = try MessageDecoder()
        var events: [Event] = []
        try reader.read(ranges) { record in
            guard let event = try? messages.event(record.value) else { return }
            if event.partition == input && event.isCommand { events.append(event) }
        }
        return events
    }
}
