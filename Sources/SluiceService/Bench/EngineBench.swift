import SluiceCore
package import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceNumerics
import SluiceSchema
import SluiceState

/// Times the engine without a broker: records in memory are decoded, folded and answered with encoded predictions.
package enum EngineBench {
    package struct Settings: Sendable {
        package var streams, features, hidden, layers, batch: Int
        /// Of all repetitions together.
        package var seconds: Double

        package init(streams: Int, features: Int, hidden: Int, layers: Int, batch: Int, seconds: Double) {
            (self.streams, self.features, self.hidden) = (streams, features, hidden)
            (self.layers, self.batch, self.seconds) = (layers, batch, seconds)
        }
    }

    package struct Result: Sendable {
        package var settings: Settings
        /// Of the best repetition, and of the median one.
        package var recordsPerSecond: Double
        package var median: Double
        package var repetitions: Int
    }

    private static let repetitions = 7

    /// - Parameter isCancelled: ends it after the repetition at hand.
    package static func run(
        _ settings: Settings, clock: some EngineClock, isCancelled: () -> Bool = { false }
    ) throws -> Result {
        setFoldFloatEnvironment()
        let records = SyntheticRecords(settings)
        let loop = try EngineLoop(settings, records)
        // Every stream has its slot, and every buffer its size, before time is taken.
        try loop.pass()
        let share = Int64(settings.seconds * 1e9) / Int64(repetitions)
        var rates: [Double] = []
        while rates.count < repetitions, rates.isEmpty || !isCancelled() {
            let start = clock.monotonicNanoseconds()
            var folded = 0
            var elapsed: Int64 = 0
            repeat {
                folded += try loop.pass()
                elapsed = clock.monotonicNanoseconds() - start
            } while elapsed < share
            rates.append(Double(folded) * 1e9 / Double(elapsed))
        }
        rates.sort()
        return Result(
            settings: settings, recordsPerSecond: rates[rates.count - 1], median: rates[rates.count / 2],
            repetitions: rates.count)
    }
}

/// Folds all records again and again, at ever higher offsets.
private final class EngineLoop {
    private let fold: Fold
    private let state: PartitionState
    private let records: SyntheticRecords
    private let batch: Int
    private var outputs = OutputBatch()
    private var next: Offset = 0
    private var batchRecords: [LogRecord] = []

    init(_ settings: EngineBench.Settings, _ records: SyntheticRecords) throws {
        self.records = records
        batch = settings.batch
        let model = BenchModel.drawn(
            features: settings.features, hidden: settings.hidden, layers: settings.layers)
        let specification = FoldSpecification(model: model)
        fold = try Fold(
            specification: specification,
            input: InputSpecification(
                features: BenchModel.names(settings.features).map { InputSpecification.Feature($0) }))
        state = PartitionState(partition: 0, fold: fold, recentCapacity: 0)
    }

    /// - Returns: the number of records folded.
    @discardableResult
    func pass() throws -> Int {
        for first in stride(from: 0, to: records.count, by: batch) {
            let range = first..<min(first + batch, records.count)
            batchRecords.removeAll(keepingCapacity: true)
            for index in range { batchRecords.append(records.record(index, at: next + Int64(index))) }
            try batchRecords.withUnsafeBufferPointer { records in
                for index in records.indices { try fold.append(records[index], at: index, of: state) }
                fold.run()
                fold.emit(records, topic: "bench", messageBytesMax: 1 << 20, into: &outputs)
            }
            guard fold.report.predictions == range.count, outputs.entries.count == range.count,
                outputs.arena.count > 100 * range.count
            else {
                throw SluiceError(.invalidInput, "the benchmark's records were not all answered")
            }
            outputs.removeAll()
            fold.clear()
        }
        next += Int64(records.count)
        return records.count
    }
}

/// JSON observations of many streams, one after the other, a minute apart; at least as many as there are streams.
private final class SyntheticRecords {
    private static let countMin = 16_384

    private var arena = ByteArena(capacity: 1 << 20)
    private var keys: [Range<Int>] = []
    private var values: [Range<Int>] = []
    let count: Int

    init(_ settings: EngineBench.Settings) {
        count = settings.streams * max(1, (Self.countMin + settings.streams - 1) / settings.streams)
        let names = BenchModel.names(settings.features)
        var generator = SplitMix64(state: 2)
        for index in 0..<count {
            let time = Timestamp.text(1_767_225_600_000 + Int64(index / settings.streams) * 60_000)
            let features = names.map { "\"\($0)\":\(generator.uniform(-2, 2))" }.joined(separator: ",")
            keys.append(append("stream-\(index % settings.streams)"))
            values.append(append("{\"time\":\"\(time)\",\"values\":{\(features)}}"))
        }
    }

    private func append(_ text: String) -> Range<Int> {
        let start = arena.count
        arena.append(text)
        return start..<arena.count
    }

    /// The pointers hold as long as the records do.
    func record(_ index: Int, at offset: Offset) -> LogRecord {
        LogRecord(
            partition: 0, offset: offset, timestamp: .absent, key: arena.bytes(keys[index]),
            value: arena.bytes(values[index]))
    }
}
