package import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
package import SluiceSchema

/// A command as the audit records it, with where that record lies.
package struct RecordedCommand: Sendable, Equatable {
    package var event: Event
    /// Of the audit.
    package var partition: Int32
    package var offset: Offset

    package init(_ event: Event, partition: Int32, offset: Offset) {
        self.event = event
        self.partition = partition
        self.offset = offset
    }
}

/// The commands on record that set streams back while a topic was served: boundaries of its data.
///
/// Resets are, and imports: the state that an import brings is not what the observations before made. Swaps are not:
/// they say something of models, and nothing of the data.
struct TopicCommands {
    private static let timeoutMilliseconds = 10_000
    private static let commandsMaximum = 10_000_000

    static let remedy =
        "the resets of that training are no longer known: train anew, and keep that topic for good (retention.ms=-1)"

    /// By partition of the input.
    private var schedules: [Int32: CommandSchedule] = [:]
    /// By the partition of the input and the id: a command to many streams has one id on all partitions.
    private var records: [Int32: [String: RecordedCommand]] = [:]
    private var count = 0

    /// Those that take effect within a range of each input partition.
    ///
    /// One audit partition after the other is read: of a command that stands there twice the same one counts each time.
    ///
    /// - Parameters:
    ///   - topic: the audit, and its partitions.
    ///   - inputs: to be read, by partition.
    ///   - repeated: of an earlier training, which is to be repeated: nothing that was recorded since.
    ///   - eachPoll: called some times a second; throws to give up.
    /// - Throws: `input-lost` where records of `repeated` are gone; `broker`, to be tried again.
    init(
        _ reader: any LogReader, topic: (name: String, partitions: Int), inputs: [Int32: Range<Offset>],
        repeated: DataManifest.Commands? = nil, eachPoll: () throws -> Void
    ) throws {
        let decoder = try MessageDecoder()
        for partition in 0..<Int32(topic.partitions) {
            let key = TopicPartition(topic: topic.name, partition: partition)
            let (low, high) = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds)
            var end = max(low, high)
            if let repeated {
                guard let known = repeated.partitions.first(where: { $0.partition == partition }) else { continue }
                try key.checkHolds(known.from..<known.to, low: low, high: high, remedy: Self.remedy)
                end = known.to
            }
            try reader.read([key: low..<end], eachPoll: eachPoll) { record in
                // What cannot be read is no record of the service.
                guard let event = try? decoder.event(record.value), let input = inputs[event.partition] else { return }
                try add(RecordedCommand(event, partition: partition, offset: record.offset), input)
            }
        }
    }

    private mutating func add(_ command: RecordedCommand, _ input: Range<Offset>) throws {
        var event = command.event
        let setsBack = event.isCommand && (event.type == .reset || event.type == .import)
        guard setsBack || event.type == .refused else { return }
        count += 1
        guard count <= Self.commandsMaximum else {
            throw SluiceError(.invalidInput, "there are more than \(Self.commandsMaximum) recorded commands")
        }
        // The state of an import is not needed, and may be large.
        event.snapshot = nil
        guard setsBack, input.contains(event.offset) else {
            schedules[event.partition, default: CommandSchedule()].remember(event)
            return
        }
        guard schedules[event.partition]?.contains(id: event.id) != true else { return }
        schedules[event.partition, default: CommandSchedule()].add(event)
        records[event.partition, default: [:]][event.id] = RecordedCommand(
            event, partition: command.partition, offset: command.offset)
    }

    /// The commands that take effect before the input at `offset`, in order, each once.
    mutating func take(_ partition: Int32, before offset: Offset) -> [RecordedCommand] {
        guard let next = schedules[partition]?.nextOffset, next <= offset else { return [] }
        var due: [RecordedCommand] = []
        while let event = schedules[partition]?.take(before: offset) {
            if let record = records[partition]?[event.id] { due.append(record) }
        }
        return due
    }
}
