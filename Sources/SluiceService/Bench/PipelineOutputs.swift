import SluiceConfiguration
import SluiceCore
import SluiceKafka
import SluiceLog

/// What a run of the whole service wrote: read again and counted, the last of each partition decoded.
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

    /// - Returns: what they come to.
    /// - Throws: `input-invalid` where there are fewer than were predicted, or more exactly-once, or where one of the
    ///   last is none.
    func check(since before: [TopicPartition: Offset], predictions: Int) throws -> OutputDigests {
        let after = try ends()
        let reader = try service.makeReader()
        defer { reader.close() }
        try reader.assign(Dictionary(uniqueKeysWithValues: after.map { ($0.key, before[$0.key, default: 0]) }))
        let predictionReader = try PredictionReader()
        var (written, quietPolls) = (0, 0)
        var digests = OutputDigests()
        while !after.allSatisfy({ reader.position($0.key) ?? 0 >= $0.value }) {
            let known = written
            try reader.poll(timeoutMilliseconds: Self.pollMilliseconds, limit: 4_096) { topic, record in
                written += 1
                digests.add(record)
                let end = after[TopicPartition(topic: topic, partition: record.partition)] ?? 0
                guard record.offset >= end - Self.tail else { return }
                guard let read = predictionReader.read(record.value), read.partition == record.partition,
                    read.stream.elementsEqual(record.key)
                else {
                    throw SluiceError(
                        .invalidInput, "output \(record.partition)/\(record.offset) is no prediction of its stream")
                }
            }
            quietPolls = written > known ? 0 : quietPolls + 1
            guard quietPolls < Self.quietPollsMax else {
                throw SluiceError(.invalidInput, "the output cannot be read to its end: \(written) of it came")
            }
        }
        // Counted, not told from the ends: the marks of transactions have offsets, too.
        let isOnce = service.configuration.delivery == .exactlyOnce
        guard written == predictions || written > predictions && !isOnce else {
            throw SluiceError(
                .invalidInput, "\(predictions) records were predicted, and the output has \(written) more than before")
        }
        return digests
    }
}
