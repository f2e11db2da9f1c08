import SluiceCore
import SluiceSchema

/// What the codec's benchmark times, a batch at a time.
protocol CodecLoop: AnyObject {
    /// Of all records' values.
    var bytes: Int { get }
    /// Leaves nothing in the outputs that could be taken for a batch's.
    func spoil()
    /// Does the batch that begins with a record.
    func run(_ first: Int)
    /// Whether the outputs are that batch's, to the last bit.
    func isSound(_ first: Int) -> Bool
}

final class DecodingLoop: CodecLoop {
    private let records: CodecRecords
    private let batch: Int
    private let values: [Range<Int>]
    @exclusivity(unchecked) private var decoder: ObservationDecoder
    @exclusivity(unchecked) private var columns: ObservationColumns
    @exclusivity(unchecked) private var refused = 0
    let bytes: Int

    /// - Parameter values: one of the forms that the records have.
    init(_ records: CodecRecords, _ values: [Range<Int>], _ batch: Int, isCSV: Bool) throws {
        (self.records, self.values, self.batch) = (records, values, batch)
        bytes = values.reduce(0) { $0 + $1.count }
        let names = BenchModel.names(records.features)
        decoder = try ObservationDecoder(
            InputSpecification(
                format: isCSV ? .csv(columns: ["time"] + names) : .json,
                features: names.map { InputSpecification.Feature($0) }))
        columns = ObservationColumns(featureCount: records.features)
    }

    func spoil() {
        if columns.count > 0 {
            UnsafeMutablePointer(mutating: columns.features(0))
                .update(repeating: -1, count: columns.count * records.features)
        }
        columns.removeAll()
    }

    func run(_ first: Int) {
        refused = 0
        for index in first..<(first + batch) {
            let record = InputRecord(
                value: records.bytes(values[index]), key: records.bytes(records.keys[index]), offset: Int64(index))
            if decoder.append(record, to: &columns) != nil { refused += 1 }
        }
    }

    func isSound(_ first: Int) -> Bool {
        guard refused == 0, columns.count == batch else { return false }
        for row in 0..<batch {
            let (read, index) = (columns.rows[row], first + row)
            guard read.time == records.times[index], read.offset == index,
                columns.bytes(read.key).elementsEqual(records.bytes(records.keys[index]))
            else { return false }
            for feature in 0..<records.features
            where columns.features(row)[feature] != records.numbers[index * records.features + feature] {
                return false
            }
        }
        return true
    }
}

/// Predictions are checked by reading them back.
final class EncodingLoop: CodecLoop {
    private let records: CodecRecords
    private let batch: Int
    private let layout = PredictionLayout(version: "v0", targets: ["f0"], horizons: [1], head: .point)
    private let topic: Range<Int>
    private let reader: PredictionReader
    @exclusivity(unchecked) private var arena = ByteArena()
    @exclusivity(unchecked) private var messages: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var bytes = 0

    init(_ records: CodecRecords, _ batch: Int) throws {
        (self.records, self.batch) = (records, batch)
        topic = records.append("observations")
        reader = try PredictionReader()
        for first in stride(from: 0, to: records.keys.count, by: batch) {
            run(first)
            bytes += arena.count
            spoil()
        }
    }

    func spoil() {
        arena.spoil()
        messages.removeAll(keepingCapacity: true)
    }

    func run(_ first: Int) {
        records.forecasts.withUnsafeBufferPointer { forecasts in
            guard let outputs = forecasts.baseAddress else { return }
            let (none, topic) = (UnsafeRawBufferPointer(start: nil, count: 0), records.bytes(topic))
            for index in first..<(first + batch) {
                let prediction = Prediction(
                    stream: records.bytes(records.keys[index]), time: records.times[index], sequence: none,
                    step: Int64(index), warm: true, outputs: outputs + index, anomaly: records.scores[index],
                    topic: topic, partition: 3, offset: Int64(index))
                messages.append(layout.encode(prediction, into: &arena))
            }
        }
    }

    func isSound(_ first: Int) -> Bool {
        guard messages.count == batch else { return false }
        for (row, message) in messages.enumerated() {
            let index = first + row
            guard let read = reader.read(arena.bytes(message)), read.value == records.forecasts[index],
                read.anomaly == records.scores[index], read.step == Float(index), read.isWarm,
                read.time == records.times[index], read.partition == 3, read.offset == index,
                read.stream.elementsEqual(records.bytes(records.keys[index]))
            else { return false }
        }
        return true
    }
}

extension ByteArena {
    /// Forgets the content, and leaves nothing of it that could be taken for what is written next.
    mutating func spoil() {
        base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: count)
        removeAll()
    }
}
