import Foundation
package import SluiceCore
import SluiceKafka
package import SluiceLSTM
package import SluiceLog
package import SluiceSchema

/// Recorded observations, to be read from their beginning as often as needed.
package protocol ObservationSource: Sendable {
    /// Whether streams are named by the record's key or by a field.
    var kind: InputSpecification.Source { get }
    /// What was read, to be stored with a model: of each file or partition what the ledger counted.
    func describe(_ ledger: DataLedger) throws -> (files: [DataManifest.File], topic: DataManifest.Topic?)
    /// Hands over all records in order, in batches; the bytes die with each call.
    func forEach(_ body: (ObservationBatch) throws -> Void) throws
}

package struct ObservationBatch {
    /// The number of the file, or of the partition, that these are from.
    package var origin: Int
    package var records: [InputRecord]
    /// What of the source is no record.
    package var refused: [RecordReader.Refusal] = []
    /// The format that begins here; nil: as configured, or as before.
    package var format: InputSpecification.Format?
    /// Share of the source read, 0 to 1.
    package var share: Double
}

/// Files of observations, one after the other.
package struct FileSource: ObservationSource {
    private let paths: [String]
    private let fileFormat: RecordReader.FileFormat?

    package init(_ paths: [String], fileFormat: RecordReader.FileFormat? = nil) {
        self.paths = paths
        self.fileFormat = fileFormat
    }

    package var kind: InputSpecification.Source { .field }

    package func forEach(_ body: (ObservationBatch) throws -> Void) throws {
        for (index, path) in paths.enumerated() {
            let reader = try RecordReader(path, fileFormat: fileFormat)
            var format: InputSpecification.Format? = reader.format
            var share = 0.0
            var isEmpty = true
            while try reader.next(
                limit: Limits.batchRecords,
                { rows in
                    isEmpty = false
                    try body(
                        ObservationBatch(
                            origin: index,
                            records: rows.filter { $0.refusal == nil }.map { InputRecord(value: $0.bytes) },
                            refused: rows.compactMap(\.refusal), format: format,
                            share: (Double(index) + share) / Double(paths.count)))
                    format = nil
                })
            {
                share = reader.size > 0 ? min(1, Double(reader.position) / Double(reader.size)) : 0
            }
            if isEmpty { throw Self.isEmpty(path) }
        }
    }

    package func describe(
        _ ledger: DataLedger
    ) throws -> (files: [DataManifest.File], topic: DataManifest.Topic?) {
        let files = try paths.enumerated().map { index, path in
            let (bytes, hash) = try FileHash.sha256(path)
            let entry = ledger.entries[index] ?? DataLedger.Entry()
            return DataManifest.File(
                name: path.split(separator: "/").last.map(String.init) ?? path, bytes: bytes, sha256: hash,
                observations: entry.observations, rejects: entry.rejects, first: entry.first, last: entry.last)
        }
        return (files, nil)
    }

    static func isEmpty(_ path: String) -> SluiceError {
        SluiceError(.invalidInput, "\(path) holds no observations", remedy: "fill it, or leave it out of --data")
    }
}

/// What a topic holds, or its last `window` of time, up to where it ends when reading begins.
package struct TopicSource: ObservationSource {
    private static let timeoutMilliseconds = 10_000
    private static let emptyPollsMaximum = 100

    private let topic: String
    private let partitions: Int
    private let from: EpochMilliseconds?
    private let window: Int64?
    private let cluster: String?
    private let makeReader: @Sendable () throws -> any LogReader

    /// - Parameters:
    ///   - from: records of this time and later; where the broker cannot look times up, everything is read and earlier
    ///     records are passed over.
    ///   - window: how long before now that is, in milliseconds; told to the model, which knows no now.
    ///   - cluster: its id, where it is known.
    package init(
        topic: String, partitions: Int, from: EpochMilliseconds?, window: Int64? = nil, cluster: String? = nil,
        makeReader: @escaping @Sendable () throws -> any LogReader
    ) {
        self.topic = topic
        self.partitions = partitions
        self.from = from
        self.window = window
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
        return ([], DataManifest.Topic(name: topic, cluster: cluster, window: window, partitions: partitions))
    }

    package func forEach(_ body: (ObservationBatch) throws -> Void) throws {
        let reader = try makeReader()
        defer { reader.close() }
        let keys = (0..<Int32(partitions)).map { TopicPartition(topic: topic, partition: $0) }
        let ranges = try keys.map { key in
            let (low, high) = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds)
            let start = try from.flatMap {
                try reader.offset(key, at: $0, timeoutMilliseconds: Self.timeoutMilliseconds)
            }
            return (start: start ?? low, end: high)
        }
        // One partition after the other: the order does not depend on how the broker mixes them.
        for (key, range) in zip(keys, ranges) where range.start < range.end {
            try read(reader, key, range.start, range.end, body)
        }
    }

    private func read(
        _ reader: any LogReader, _ key: TopicPartition, _ start: Offset, _ end: Offset,
        _ body: (ObservationBatch) throws -> Void
    ) throws {
        try reader.assign([key: start])
        var next = start
        var emptyPolls = 0
        var isSilenceConfirmed = false
        while next < end {
            let before = next
            do {
                try reader.poll(timeoutMilliseconds: 100, limit: Limits.batchRecords) { _, record in
                    next = record.offset + 1
                    guard record.offset < end, from.map({ record.timestamp >= $0 }) ?? true else { return }
                    let share = Double(next - start) / Double(end - start)
                    try body(
                        ObservationBatch(
                            origin: Int(key.partition), records: [InputRecord(record)], format: nil,
                            share: (Double(key.partition) + share) / Double(partitions)))
                }
            } catch let error as SluiceError where error.code == .offsetOutOfRange {
                // Retention was quicker: what it took is no more there to be learned from.
                let low = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds).low
                guard low > next else { throw error }
                next = low
                try reader.assign([key: next])
            }
            emptyPolls = next == before ? emptyPolls + 1 : 0
            guard emptyPolls >= Self.emptyPollsMaximum else { continue }
            // The last offsets of a partition may be marks of transactions, which are never delivered; a broker that
            // does not answer is no end. It must have answered between two silences.
            if isSilenceConfirmed { return }
            _ = try reader.watermarks(key, timeoutMilliseconds: Self.timeoutMilliseconds)
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
