import SluiceCore
import SluiceLog
import SluiceSchema

/// The commands of an input partition that took effect or were refused, as the audit records them.
struct CommandHistory {
    fileprivate(set) var events: [Event] = []
    /// Of each partition of the audit from which retention has taken records, or that holds some which cannot be read:
    /// the first command behind them of the input partition, by its place in the control partition.
    fileprivate var cut: [Int32: Offset] = [:]
    /// Retention has taken no record.
    fileprivate(set) var isWhole = true
    /// Records that cannot be read: nobody knows whose commands they were.
    fileprivate(set) var unreadable = 0

    /// No command from a place in the control partition on is missing: retention works on each partition of the audit
    /// by itself, and takes the oldest first; and the commands of an input partition are recorded in their order.
    func isWhole(since control: Offset) -> Bool { cut.values.allSatisfy { $0 < control } }

    fileprivate init() {}

    /// Reads the audit from its beginning to where it ends now.
    ///
    /// - Parameter eachPoll: as in `LogReader.read`.
    /// - Throws: `broker`, to be tried again, when the end is not reached.
    init(
        _ reader: any LogReader, topic: String, partitions: Int, of input: Int32, eachPoll: () throws -> Void = {}
    ) throws {
        let reading = try HistoryReading(reader, topic: topic, partitions: partitions, of: input)
        try reading.finish(eachPoll)
        self = reading.history
    }
}

/// Reads the commands of an input partition from the audit, in steps.
final class HistoryReading {
    private static let timeoutMilliseconds = 5_000

    private(set) var history = CommandHistory()
    private let reader: any LogReader
    private let input: Int32
    private let messages: MessageDecoder
    private let isHeld: (Event) -> Bool
    private var ranges: RangeReading

    /// - Parameter isHeld: whether the state at hand holds a command; of such a one the snapshot is not kept.
    init(
        _ reader: any LogReader, topic: String, partitions: Int, of input: Int32,
        isHeld: @escaping (Event) -> Bool = { _ in false }
    ) throws {
        self.reader = reader
        self.input = input
        self.isHeld = isHeld
        messages = try MessageDecoder()
        var wanted: [TopicPartition: Range<Offset>] = [:]
        for partition in 0..<Int32(partitions) {
            let key = TopicPartition(topic: topic, partition: partition)
            let low = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds).low
            let high = try reader.highWatermark(key, timeoutMilliseconds: Self.timeoutMilliseconds)
            if low > 0 { (history.isWhole, history.cut[partition]) = (false, .max) }
            wanted[key] = low..<max(low, high)
        }
        ranges = try RangeReading(reader, wanted)
    }

    /// Share of the audit that is read.
    var progress: Double { ranges.progress }

    /// Reads on; true when the end is reached.
    func step(timeoutMilliseconds: Int) throws -> Bool {
        try ranges.step(timeoutMilliseconds: timeoutMilliseconds) { try take($0) }
    }

    fileprivate func finish(_ eachPoll: () throws -> Void) throws {
        try ranges.finish(eachPoll: eachPoll) { try take($0) }
    }

    private func take(_ record: LogRecord) throws {
        guard var event = try? messages.event(record.value) else {
            history.unreadable += 1
            history.cut[record.partition] = .max
            return
        }
        guard event.partition == input, event.isCommand || event.type == .refused else { return }
        if let first = history.cut[record.partition] {
            history.cut[record.partition] = min(first, event.control ?? .max)
        }
        if isHeld(event) { event.snapshot = nil }
        history.events.append(event)
    }

    func close() { reader.close() }
}
