import SluiceCore
import SluiceEngine
import SluiceKafka
package import SluiceLSTM
package import SluiceLog
package import SluiceSchema

/// What a topic holds, or a part of it, up to where it ends when reading begins; with the commands that set its streams
/// back while it was served.
package struct TopicSource: ObservationSource {
    /// The audit of the service.
    package struct Audit: Sendable {
        package var topic: String
        /// Nil where there is no such topic.
        package var partitions: Int?

        package init(topic: String, partitions: Int?) {
            self.topic = topic
            self.partitions = partitions
        }

        /// For the records of an earlier training, which knew no more than it tells of.
        ///
        /// - Throws: `input-lost` where the commands that it repeated are gone with their topic.
        package func repeating(_ known: DataManifest.Commands?) throws -> Audit? {
            guard let known else { return nil }
            guard known.exists else { return Audit(topic: known.topic, partitions: nil) }
            guard partitions != nil || known.applied == 0 else {
                throw SluiceError(
                    .lostInput, "the topic \(known.topic), of which \(known.applied) commands were repeated, is gone",
                    remedy: TopicCommands.remedy)
            }
            return Audit(topic: known.topic, partitions: partitions ?? 0)
        }
    }

    private static let emptyPollsMaximum = 100

    private let topic: String
    private let partitions: Int
    private let span: TopicSpan
    private let window: Int64?
    private let audit: Audit?
    private let cluster: String?
    private let makeReader: @Sendable () throws -> any LogReader

    /// - Parameters:
    ///   - window: how long before now the span begins, in milliseconds; told to the model, which knows no now.
    ///   - audit: nil: no commands are looked for.
    ///   - cluster: its id, where it is known.
    package init(
        topic: String, partitions: Int, span: TopicSpan = .window(from: .beginning, until: nil), window: Int64? = nil,
        audit: Audit? = nil, cluster: String? = nil, makeReader: @escaping @Sendable () throws -> any LogReader
    ) {
        self.topic = topic
        self.partitions = partitions
        self.span = span
        self.window = window
        self.audit = audit
        self.cluster = cluster
        self.makeReader = makeReader
    }

    package var kind: InputSpecification.Source { .record }

    package func describe(
        _ ledger: DataLedger
    ) throws -> (files: [DataManifest.File], topic: DataManifest.Topic?) {
        let partitions = ledger.entries.sorted { $0.key < $1.key }.map { partition, entry in
            DataManifest.Partition(
                partition: Int32(partition), from: entry.offsets.lowerBound, to: entry.offsets.upperBound,
                observations: entry.observations, rejects: entry.rejects, first: entry.first, last: entry.last)
        }
        return (
            [],
            DataManifest.Topic(
                name: topic, cluster: cluster, window: window, partitions: partitions, commands: commands(ledger))
        )
    }

    package func commands(_ ledger: DataLedger) -> DataManifest.Commands? {
        audit.map { audit in
            DataManifest.Commands(
                topic: audit.topic, exists: audit.partitions != nil, applied: ledger.commands,
                partitions: ledger.commandRecords.sorted { $0.key < $1.key }.map { partition, offsets in
                    DataManifest.Commands.Records(
                        partition: partition, from: offsets.lowerBound, to: offsets.upperBound)
                })
        }
    }

    /// - Throws: `input-lost` for offsets that are gone; what the broker answers; what `body` throws.
    package func forEach(_ body: (ObservationBatch) throws -> Void) throws {
        let reader = try makeReader()
        defer { reader.close() }
        let ranges = try Dictionary(
            uniqueKeysWithValues: (0..<Int32(partitions)).map { partition in
                let key = TopicPartition(topic: topic, partition: partition)
                return (partition, try span.range(of: key, reader))
            })
        var commands = try recorded(reader, ranges) {
            try body(ObservationBatch(origin: 0, records: [], share: 0))
        }
        // One partition after the other: the order does not depend on how the broker mixes them.
        for (partition, range) in ranges.sorted(by: { $0.key < $1.key }) where !range.isEmpty {
            try read(reader, TopicPartition(topic: topic, partition: partition), range, &commands, body)
        }
    }

    private func recorded(
        _ reader: any LogReader, _ inputs: [Int32: Range<Offset>], _ eachPoll: () throws -> Void
    ) throws -> TopicCommands? {
        guard let audit, let partitions = audit.partitions else { return nil }
        var repeated: DataManifest.Commands?
        if case .records(let topic) = span { repeated = topic.commands }
        return try TopicCommands(
            reader, topic: (audit.topic, partitions), inputs: inputs, repeated: repeated, eachPoll: eachPoll)
    }

    private func read(
        _ reader: any LogReader, _ key: TopicPartition, _ range: Range<Offset>, _ commands: inout TopicCommands?,
        _ body: (ObservationBatch) throws -> Void
    ) throws {
        try reader.assign([key: range.lowerBound])
        var next = range.lowerBound
        var (isBegun, isOver) = (false, false)
        var emptyPolls = 0
        var isSilenceConfirmed = false
        while next < range.upperBound, !isOver {
            let before = next
            do {
                try reader.poll(timeoutMilliseconds: 100, limit: Limits.batchRecords) { _, record in
                    next = record.offset + 1
                    guard !isOver, record.offset < range.upperBound, isBegun || span.isDue(record) else { return }
                    isOver = span.isOver(record)
                    guard !isOver else { return }
                    var due = commands?.take(key.partition, before: record.offset) ?? []
                    // What came before the first record sets nothing back.
                    if !isBegun { due = [] }
                    isBegun = true
                    let share = Double(next - range.lowerBound) / Double(range.count)
                    try body(
                        ObservationBatch(
                            origin: Int(key.partition), commands: due, records: [InputRecord(record)],
                            share: (Double(key.partition) + share) / Double(partitions)))
                }
            } catch let error as SluiceError where error.code == .offsetOutOfRange {
                // Retention was quicker: what it took is no more there to be learned from.
                let low = try reader.watermarks(key, timeoutMilliseconds: TopicSpan.timeoutMilliseconds).low
                guard low > next else { throw error }
                guard span.maySkip else { throw key.lost(next..<min(low, range.upperBound), low: low) }
                next = low
                try reader.assign([key: next])
            }
            emptyPolls = next == before ? emptyPolls + 1 : 0
            guard emptyPolls >= Self.emptyPollsMaximum else { continue }
            // The last offsets of a partition may be marks of transactions, which are never delivered; a broker that
            // does not answer is no end. It must have answered between two silences.
            if isSilenceConfirmed { return }
            _ = try reader.watermarks(key, timeoutMilliseconds: TopicSpan.timeoutMilliseconds)
            isSilenceConfirmed = true
            emptyPolls = 0
        }
    }
}

extension InputRecord {
    fileprivate init(_ record: borrowing LogRecord) {
        self.init(
            value: record.value, key: record.key, timestamp: record.timestamp, boundary: record.boundary,
            offset: record.offset)
    }
}
