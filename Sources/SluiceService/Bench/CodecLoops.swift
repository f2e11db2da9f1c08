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

    init(_ records: CodecRecords, _ batch: Int, isCSV: Bool) throws {
        (self.records, self.batch) = (records, batch)
        values = isCSV ? records.csv : records.json
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
    @exclusivity(unchecked) private var arena = ByteArena()
    @exclusivity(unchecked) private var messages: [Range<Int>] = []
    @exclusivity(unchecked) private var decoder: ObservationDecoder
    @exclusivity(unchecked) private var columns = ObservationColumns(featureCount: 3)
    @exclusivity(unchecked) private(set) var bytes = 0

    init(_ records: CodecRecords, _ batch: Int) throws {
        (self.records, self.batch) = (records, batch)
        topic = records.append("observations")
        decoder = try ObservationDecoder(
            InputSpecification(
                source: .field,
                features: [
                    InputSpecification.Feature("value", "/forecast/0/value"),
                    InputSpecification.Feature("anomaly", "/anomaly"), InputSpecification.Feature("step", "/step"),
                ], label: "/warm"))
        for first in stride(from: 0, to: records.keys.count, by: batch) {
            run(first)
            bytes += arena.count
            spoil()
        }
    }

    func spoil() {
        arena.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: arena.count)
        arena.removeAll()
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
        columns.removeAll()
        for (row, message) in messages.enumerated() {
            guard decoder.append(InputRecord(value: arena.bytes(message)), to: &columns) == nil else { return false }
            let (read, values, index) = (columns.rows[row], columns.features(row), first + row)
            guard values[0] == records.forecasts[index], values[1] == records.scores[index], values[2] == Float(index),
                read.time == records.times[index], read.offset == index, read.sourcePartition == 3, read.label == 1,
                columns.bytes(read.key).elementsEqual(records.bytes(records.keys[index]))
            else { return false }
        }
        return true
    }
}

/// Observations as JSON and as CSV, of 10,000 streams in turn, a second apart, numbers with four decimals; and what
/// they say.
final class CodecRecords {
    private static let streams = 10_000

    let features: Int
    @exclusivity(unchecked) private(set) var keys: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var json: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var csv: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var times: [EpochMilliseconds] = []
    /// `[records, features]`.
    @exclusivity(unchecked) private(set) var numbers: [Float] = []
    /// `[records]`: what is predicted, with all digits of a Float.
    @exclusivity(unchecked) private(set) var forecasts: [Float] = []
    /// `[records]`, in [0, 1).
    @exclusivity(unchecked) private(set) var scores: [Float] = []
    @exclusivity(unchecked) private var arena = ByteArena(capacity: 1 << 20)

    init(features: Int, count: Int) {
        self.features = features
        let names = BenchModel.names(features)
        var generator = SplitMix64(state: 3)
        for index in 0..<count {
            let time = 1_767_225_600_000 + Int64(index) * 1_000
            let row = (0..<features).map { _ in Double(generator.uniform(-3, 3) * 10_000).rounded() / 10_000 }
            times.append(time)
            numbers += row.map { Float($0) }
            forecasts.append(generator.uniform(-3, 3))
            scores.append(generator.uniform(0, 1))
            keys.append(append("sensor-\(100_000 + index % Self.streams)"))
            let values = zip(names, row).map { "\"\($0)\":\($1)" }.joined(separator: ",")
            json.append(append("{\"time\":\"\(Timestamp.text(time))\",\"values\":{\(values)}}"))
            csv.append(append(([Timestamp.text(time)] + row.map { "\($0)" }).joined(separator: ",")))
        }
    }

    /// Keeps a text.
    func append(_ text: String) -> Range<Int> {
        let start = arena.count
        arena.append(text)
        return start..<arena.count
    }

    /// The pointers hold until a text is kept, or the records go.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { arena.bytes(range) }
}
