import SluiceCore
import SluiceLog
import SluiceSchema

/// The commands of an input partition that took effect or were refused, as the audit records them.
struct CommandHistory {
    private static let timeoutMilliseconds = 5_000

    private(set) var events: [Event] = []
    /// The audit begins with its first record: retention has taken none.
    private(set) var isWhole = true

    /// Reads the audit from its beginning to where it ends now.
    ///
    /// - Parameter eachPoll: as in `LogReader.read`.
    /// - Throws: `broker`, to be tried again, when the end is not reached.
    init(
        _ reader: any LogReader, topic: String, partitions: Int, of input: Int32, eachPoll: () throws -> Void = {}
    ) throws {
        var ranges: [TopicPartition: Range<Offset>] = [:]
        for partition in 0..<Int32(partitions) {
            let key = TopicPartition(topic: topic, partition: partition)
            let low = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds).low
            let high = try reader.highWatermark(key, timeoutMilliseconds: Self.timeoutMilliseconds)
            isWhole = isWhole && low == 0
            ranges[key] = low..<max(low, high)
        }
        let messages = try MessageDecoder()
        try reader.read(ranges, eachPoll: eachPoll) { record in
            guard let event = try? messages.event(record.value) else { return }
            if event.partition == input && (event.isCommand || event.type == .refused) { events.append(event) }
        }
    }
}
