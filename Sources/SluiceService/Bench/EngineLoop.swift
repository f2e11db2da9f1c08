import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

/// One worker's engine without its surroundings: folds all records again and again, at ever higher offsets.
final class EngineLoop {
    /// Records compared with the reference, at most, and the multiply-adds that it may take for them: it is slow.
    private static let (checkedRecords, checkedWork) = (64, 200_000_000)

    private let model: Model
    private let input: InputSpecification
    private let fold: Fold
    private let states: [PartitionState]
    private let records: SyntheticRecords
    private let batch: Int
    @exclusivity(unchecked) private var outputs = OutputBatch()
    private var next: Offset = 0
    @exclusivity(unchecked) private var batchRecords: [LogRecord] = []
    private let reader: PredictionReader
    /// Folded so far.
    private var batches = 0
    /// Prime, so that it divides the batches of few passes.
    private static let batchesPerReading = 7

    init(_ settings: EngineBench.Settings, partitions: Int, _ records: SyntheticRecords) throws {
        self.records = records
        reader = try PredictionReader()
        batch = settings.batch
        model = BenchModel.drawn(
            features: settings.features, hidden: settings.hidden, layers: settings.layers)
        input = InputSpecification(
            features: BenchModel.names(settings.features).map { InputSpecification.Feature($0) })
        let fold = try Fold(specification: FoldSpecification(model: model), input: input)
        self.fold = fold
        states = (0..<partitions).map { PartitionState(partition: Int32($0), fold: fold, recentCapacity: 0) }
    }

    /// What the engine itself says that its streams take.
    var stateBytes: Int { states.reduce(0) { $0 + $1.table.memoryBytes } }

    /// What folding all records took.
    struct Pass {
        var folded = 0
        var nanoseconds: Int64 = 0
        /// The longest processor time of one batch.
        var longest: Int64 = 0
    }

    /// Folds all records for the first time: the first of them by themselves, and what their streams come to is
    /// compared with the reference.
    ///
    /// - Parameter meanwhile: as of `pass`.
    func begin(_ clock: some EngineClock, meanwhile: () throws -> Void) throws -> Pass {
        let work = max(1, Self.checkedWork / model.parameters.values.count)
        let checked = 0..<min(Self.checkedRecords, work, batch, records.count)
        try fold(checked)
        guard isSound(checked), try agreesWithReference(checked) else { throw Self.unsound }
        outputs.removeAll()
        fold.clear()
        return try pass(clock, from: checked.upperBound, meanwhile: meanwhile)
    }

    private func agreesWithReference(_ range: Range<Int>) throws -> Bool {
        let reference = try EngineReference(model.parameters, input)
        var partitions: [String: Int] = [:]
        for index in range {
            let record = records.record(index, at: next + Int64(index))
            partitions[String(decoding: record.key, as: UTF8.self)] = Int(record.partition)
            reference.fold(record)
        }
        return reference.agrees { name in
            guard let partition = partitions[name] else { return nil }
            let table = states[partition].table
            return Array(name.utf8).withUnsafeBytes { table.find($0) }.map { UnsafePointer(table[$0].state) }
        }
    }

    private static var unsound: SluiceError {
        SluiceError(.invalidInput, "the benchmark's records were not all answered as they must be")
    }

    /// Folds all records once, or those from one on. What it takes to spoil and to check the outputs is not counted.
    ///
    /// - Parameter meanwhile: called behind each batch; what it throws ends it.
    func pass(_ clock: some EngineClock, from start: Int = 0, meanwhile: () throws -> Void) throws -> Pass {
        var pass = Pass()
        for first in stride(from: start, to: records.count, by: batch) {
            let range = first..<min(first + batch, records.count)
            let (start, processor) = (clock.monotonicNanoseconds(), threadNanoseconds())
            try fold(range)
            pass.longest = max(pass.longest, threadNanoseconds() - processor)
            pass.nanoseconds += clock.monotonicNanoseconds() - start
            pass.folded += range.count
            guard isSound(range) else { throw Self.unsound }
            outputs.arena.spoil()
            outputs.removeAll()
            fold.clear()
            try meanwhile()
        }
        next += Int64(records.count)
        records.advance()
        return pass
    }

    private func fold(_ range: Range<Int>) throws {
        batchRecords.removeAll(keepingCapacity: true)
        for index in range { batchRecords.append(records.record(index, at: next + Int64(index))) }
        try batchRecords.withUnsafeBufferPointer { batch in
            var start = 0
            while start < batch.count {
                let partition = batch[start].partition
                let end = batch[start...].firstIndex { $0.partition != partition } ?? batch.count
                try append(batch, start..<end, of: states[Int(partition)])
                start = end
            }
            fold.run()
            fold.emit(batch, topic: "bench", messageBytesMax: 1 << 20, into: &outputs)
        }
    }

    /// As a worker does.
    private func append(
        _ batch: UnsafeBufferPointer<LogRecord>, _ range: Range<Int>, of state: PartitionState
    ) throws {
        for index in range {
            if (index - range.lowerBound) % SlotTable.fetched == 0 {
                state.table.fetch(min(SlotTable.fetched, range.upperBound - index)) { batch[index + $0].key }
            }
            try fold.append(batch[index], at: index, of: state)
        }
    }

    /// Whether each record has its prediction. All are counted; one batch in some is read back, another in every pass.
    private func isSound(_ range: Range<Int>) -> Bool {
        guard fold.report.predictions == range.count, outputs.entries.count == range.count else { return false }
        batches += 1
        return batches % Self.batchesPerReading != 1 || range.allSatisfy { isAnswered($0, by: $0 - range.lowerBound) }
    }

    private func isAnswered(_ index: Int, by entry: Int) -> Bool {
        guard let key = outputs.entries[entry].key, let value = outputs.entries[entry].value,
            let read = reader.read(outputs.arena.bytes(value))
        else { return false }
        let record = records.record(index, at: next + Int64(index))
        return read.time == records.time(index) && read.partition == record.partition && read.offset == record.offset
            && read.stream.elementsEqual(record.key) && outputs.arena.bytes(key).elementsEqual(record.key)
    }
}
