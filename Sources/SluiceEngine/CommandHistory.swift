import SluiceCore
import SluiceLog
import SluiceSchema

/// Reads the audit for the commands that took effect.
enum CommandHistory {
    private static let timeoutMilliseconds = 5_000
    /// Records read at once.
    private static let batch = 4_096
    /// Polls in a row that may bring nothing before the broker counts as away.
    private static let emptyPollsMaximum = 50

    /// Every recorded reset and swap of an input partition, from the topic's beginning to where it ends now.
    ///
    /// - Throws: `broker`, to be tried again, when the end is not reached.
    static func read(
        _ reader: any LogReader, topic: String, partitions: Int, of input: Int32
    ) throws -> [Event] {
        var ends: [TopicPartition: Offset] = [:]
        var starts: [TopicPartition: Offset] = [:]
        for partition in 0..<Int32(partitions) {
            let key = TopicPartition(topic: topic, partition: partition)
            let low = try reader.watermarks(key, timeoutMilliseconds: timeoutMilliseconds).low
            let high = try reader.highWatermark(key, timeoutMilliseconds: timeoutMilliseconds)
            guard low < high else { continue }
            starts[key] = low
            ends[key] = high
        }
        guard !starts.isEmpty else { return [] }
        try reader.assign(starts)
        let messages = try MessageDecoder()
        var events: [Event] = []
        var emptyPolls = 0
        while !ends.isEmpty {
            var count = 0
            try reader.poll(timeoutMilliseconds: 100, limit: batch) { _, record in
                count += 1
                guard let event = try? messages.event(record.value) else { return }
                if event.partition == input && (event.type == .reset || event.type == .swap) { events.append(event) }
            }
            // By position: behind the last record lies the mark of its transaction.
            ends = ends.filter { (reader.position($0.key) ?? 0) < $0.value }
            emptyPolls = count == 0 ? emptyPolls + 1 : 0
            guard emptyPolls < emptyPollsMaximum else {
                throw SluiceError(.broker, "the audit \(topic) cannot be read to its end", retry: .later)
            }
        }
        return events
    }
}
