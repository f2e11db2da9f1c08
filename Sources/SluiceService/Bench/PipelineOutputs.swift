import SluiceConfiguration
import SluiceCore
import SluiceKafka
import SluiceLog

/// What a run of the whole service wrote: counted, and the last of each partition read back.
struct PipelineOutputs: Sendable {
    private static let attemptMilliseconds = 10_000
    /// Offsets at a partition's end that are read.
    private static let tail: Offset = 200
    private static let (pollMilliseconds, quietPollsMax) = (100, 100)

    private let service: BenchService

    init(_ service: BenchService) { self.service = service }

    /// Where each partition of the output ends; none where there is no such topic yet.
    func ends() throws -> [TopicPartition: Offset] {
        let admin = try service.admin()
        defer { admin.close() }
        let topic = service.configuration.output.topic
        let found = try admin.describe([topic], timeoutMilliseconds: Self.attemptMilliseconds)
        guard let partitions = found.first(where: { $0.name == topic })?.partitions else { return [:] }
        let reader = try service.makeReader()
        defer { reader.close() }
        return try Dictionary(
            uniqueKeysWithValues: (0..<partitions).map {
                let partition = TopicPartition(topic: topic, partition: Int32($0))
                return (partition, try reader.watermarks(partition, timeoutMilliseconds: Self.attemptMilliseconds).high)
            })
    }

    /// - Throws: `input-invalid` where there are fewer than were predicted, or where one is none.
    func check(since before: [TopicPartition: Offset], predictions: Int) throws {
        let after = try ends()
        // The marks of transactions have offsets, too.
        let written = after.reduce(0) { $0 + Int($1.value - before[$1.key, default: 0]) }
        guard written >= predictions else {
            throw SluiceError(
                .invalidInput, "\(predictions) records were predicted, and the output has \(written) more than before")
        }
        let first = after.map { ($0.key, max(before[$0.key, default: 0], $0.value - Self.tail)) }
        let reader = try service.makeReader()
        defer { reader.close() }
        try reader.assign(Dictionary(uniqueKeysWithValues: first))
        let predictionReader = try PredictionReader()
        var (known, quietPolls) = (0, 0)
        while !after.allSatisfy({ reader.position($0.key) ?? 0 >= $0.value }) {
            var count = 0
            try reader.poll(timeoutMilliseconds: Self.pollMilliseconds, limit: 4_096) { _, record in
                guard let read = predictionReader.read(record.value), read.partition == record.partition,
                    read.stream.elementsEqual(record.key)
                else {
                    throw SluiceError(
                        .invalidInput, "output \(record.partition)/\(record.offset) is no prediction of its stream")
                }
                count += 1
            }
            (known, quietPolls) = (known + count, count > 0 ? 0 : quietPolls + 1)
            guard quietPolls < Self.quietPollsMax else { break }
        }
        guard known > 0 else { throw SluiceError(.invalidInput, "nothing can be read from the output") }
    }
}
