import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceNumerics
package import SluiceSchema
package import SluiceState

/// Replays files through the very fold of `serve`: one line out per observation in, in input order.
package final class Scorer {
    package struct Reject: Sendable {
        package var source: String
        /// Of the file, from 0.
        package var row: Int64
        package var code: String
        package var message: String
        /// Only where the body is cut.
        package var cut: RecordReader.Cut?
    }

    package struct Summary: Sendable, Equatable {
        package var observations = 0
        package var predictions = 0
        package var rejects = 0
        /// Streams ended by a null value.
        package var ended = 0
        /// Late ones, dropped by `input.late: drop`.
        package var dropped = 0
    }

    private let first: Fold
    private let models: [String: Fold]
    private let topic: String
    private let batch: Int
    private var partitions: [Int32: PartitionState] = [:]
    /// Only with recorded commands: tells where a row comes from before it is folded.
    private var sources: SourcePeek?
    private let events: [Event]
    private var row: Offset = 0
    private var outputs = OutputBatch()
    package private(set) var summary = Summary()

    /// - Parameters:
    ///   - topic: names the source of rows that name none.
    ///   - batch: rows folded at once, 1 to `Limits.batchRecords`; changes no bit.
    ///   - events: recorded commands, applied before the rows at their offsets.
    ///   - models: those of `models(of: events)` by version; `specification` is that of partitions without a swap that
    ///     says what it took over from.
    package init(
        _ specification: FoldSpecification, input: InputSpecification, topic: String, batch: Int, events: [Event] = [],
        models: [String: (FoldSpecification, InputSpecification)] = [:]
    ) throws {
        precondition((1...Limits.batchRecords).contains(batch))
        let first = try Fold(specification: specification, input: input)
        self.first = first
        self.models = try models.mapValues { other, input in
            // A swap back to the first model is to the very same.
            other.model.hash == specification.model.hash ? first : try Fold(specification: other, input: input)
        }
        self.topic = topic
        self.batch = batch
        self.events = events
        if !events.isEmpty { sources = try SourcePeek(input) }
        setFoldFloatEnvironment()
    }

    /// Versions of the models that fold somewhere among recorded commands: those that swaps go to, and of each
    /// partition's first swap the one before.
    package static func models(of events: [Event]) -> Set<String> {
        let partitions = Set(events.map(\.partition))
        return Set(
            events.compactMap { $0.type == .swap ? $0.model : nil }
                + partitions.compactMap { firstModel(of: $0, events) })
    }

    private static func firstModel(of partition: Int32, _ events: [Event]) -> String? {
        events.filter { $0.type == .swap && $0.partition == partition }
            .min { ($0.offset, $0.control ?? 0) < ($1.offset, $1.control ?? 0) }?.previous
    }

    /// Folds rows and hands over their outcomes in order: a prediction's line, or why there is none with the row's
    /// bytes.
    package func score(
        _ rows: [RecordReader.Row], prediction: (UnsafeRawBufferPointer) throws -> Void,
        reject: (Reject, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let records = rows.enumerated().map { index, row in
            LogRecord(partition: 0, offset: self.row + Int64(index), timestamp: .absent, key: none, value: row.bytes)
        }
        try records.withUnsafeBufferPointer { records in
            var filling = first
            for index in records.indices {
                if let refusal = rows[index].refusal {
                    try emit(filling, records, prediction, reject)
                    try refuse(records[index], refusal, reject)
                    continue
                }
                // With commands, a row that cannot be read says nothing of where it comes from: none is due before it.
                let source = sources == nil ? (0, records[index].offset) : sources?.source(of: records[index])
                let state = state(source?.0 ?? 0)
                let offset = source?.1 ?? -1
                let isDue = state.schedule.nextOffset <= offset
                if filling.count == batch || isDue || filling !== state.fold {
                    try emit(filling, records, prediction, reject)
                    if isDue { try apply(state, before: offset) }
                    filling = state.fold
                }
                try filling.append(records[index], at: index, of: state)
            }
            try emit(filling, records, prediction, reject)
        }
        row += Int64(rows.count)
    }

    private func apply(_ state: PartitionState, before offset: Offset) throws {
        while let event = state.schedule.take(before: offset) {
            _ = try state.obey(event) { version in
                guard let model = models[version] else {
                    throw SluiceError(.unknownModel, "a recorded swap goes to the model \(version), which is not given")
                }
                return model
            }
        }
    }

    private func state(_ partition: Int32) -> PartitionState {
        if let state = partitions[partition] { return state }
        let first = Self.firstModel(of: partition, events).flatMap { models[$0] } ?? first
        let state = PartitionState(partition: partition, fold: first, recentCapacity: 0)
        for event in events where event.partition == partition { state.schedule.add(event) }
        partitions[partition] = state
        return state
    }

    /// A row that the reader refused never comes to the fold.
    private func refuse(
        _ record: LogRecord, _ refusal: RecordReader.Refusal, _ reject: (Reject, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try reject(
            Reject(
                source: "\(topic)/0/\(record.offset)", row: record.offset, code: refusal.code.text,
                message: refusal.message, cut: refusal.cut), record.value)
        summary.observations += 1
        summary.rejects += 1
    }

    private func emit(
        _ fold: Fold, _ records: UnsafeBufferPointer<LogRecord>, _ prediction: (UnsafeRawBufferPointer) throws -> Void,
        _ reject: (Reject, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard fold.count > 0 else { return }
        fold.run()
        fold.emit(records, topic: topic, messageBytesMax: .max, into: &outputs)
        for entry in outputs.entries {
            let value = entry.value.map { outputs.arena.bytes($0) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
            if entry.topic == .predictions {
                try prediction(value)
                continue
            }
            func header(_ name: String) -> String {
                let found = outputs.headers[entry.headers].first { $0.name == name }
                return found.map { String(decoding: outputs.arena.bytes($0.value), as: UTF8.self) } ?? ""
            }
            let source = header(RejectMessage.Header.source)
            // A refused row is named by its place in the file, as a record by its offset.
            let row = source.split(separator: "/").last.flatMap { Int64($0) } ?? 0
            try reject(
                Reject(
                    source: source, row: row, code: header(RejectMessage.Header.error),
                    message: header(RejectMessage.Header.message)), value)
        }
        summary.observations += fold.report.records
        summary.predictions += fold.report.predictions
        summary.rejects += fold.report.rejects
        summary.ended += fold.report.ended
        summary.dropped += fold.report.dropped
        outputs.removeAll()
        fold.clear()
    }
}

/// Reads where a row says it comes from, ahead of the fold.
private struct SourcePeek: ~Copyable {
    private var decoder: ObservationDecoder
    private var columns: ObservationColumns

    init(_ input: InputSpecification) throws {
        decoder = try ObservationDecoder(input)
        columns = ObservationColumns(featureCount: input.features.count, rowsExpected: 1)
    }

    /// Nil for a row that cannot be read.
    mutating func source(of record: LogRecord) -> (Int32, Offset)? {
        columns.removeAll()
        guard decoder.append(InputRecord(value: record.value, offset: record.offset), to: &columns) == nil else {
            return nil
        }
        return (columns.rows[0].sourcePartition, columns.rows[0].offset)
    }
}
