import SluiceCore
import SluiceEngine
import SluiceLog
import SluiceSchema
import SluiceState

/// One worker's engine without its surroundings: folds all records again and again, at ever higher offsets.
final class EngineLoop {
    private let fold: Fold
    private let states: [PartitionState]
    private let records: SyntheticRecords
    private let batch: Int
    @exclusivity(unchecked) private var outputs = OutputBatch()
    private var next: Offset = 0
    @exclusivity(unchecked) private var batchRecords: [LogRecord] = []

    init(_ settings: EngineBench.Settings, partitions: Int, _ records: SyntheticRecords) throws {
        self.records = records
        batch = settings.batch
        let model = BenchModel.drawn(
            features: settings.features, hidden: settings.hidden, layers: settings.layers)
        let fold = try Fold(
            specification: FoldSpecification(model: model),
            input: InputSpecification(
                features: BenchModel.names(settings.features).map { InputSpecification.Feature($0) }))
        self.fold = fold
        states = (0..<partitions).map { PartitionState(partition: Int32($0), fold: fold, recentCapacity: 0) }
    }

    /// What the engine itself says that its streams take.
    var stateBytes: Int { states.reduce(0) { $0 + $1.table.memoryBytes } }

    /// - Returns: the number of records folded, and the longest processor time of one batch in nanoseconds.
    @discardableResult
    func pass() throws -> (folded: Int, longest: Int64) {
        var longest: Int64 = 0
        var before = threadNanoseconds()
        for first in stride(from: 0, to: records.count, by: batch) {
            try fold(first..<min(first + batch, records.count))
            let now = threadNanoseconds()
            (longest, before) = (max(longest, now - before), now)
        }
        next += Int64(records.count)
        return (records.count, longest)
    }

    private func fold(_ range: Range<Int>) throws {
        batchRecords.removeAll(keepingCapacity: true)
        for index in range { batchRecords.append(records.record(index, at: next + Int64(index))) }
        try batchRecords.withUnsafeBufferPointer { batch in
            for index in batch.indices {
                try fold.append(batch[index], at: index, of: states[records.partition(range.lowerBound + index)])
            }
            fold.run()
            fold.emit(batch, topic: "bench", messageBytesMax: 1 << 20, into: &outputs)
        }
        guard fold.report.predictions == range.count, outputs.entries.count == range.count,
            outputs.arena.count > 100 * range.count
        else {
            throw SluiceError(.invalidInput, "the benchmark's records were not all answered")
        }
        outputs.removeAll()
        fold.clear()
    }
}
