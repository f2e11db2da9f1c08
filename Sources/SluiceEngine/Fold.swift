import SluiceCore
import SluiceLSTM
package import SluiceLog
import SluiceNumerics
package import SluiceSchema
package import SluiceState

/// The fold: `slot', prediction = fold(slot, observation)` for batches of records, of any size and of any streams.
///
/// A batch goes through in passes: decode every record and assign its wave (wave w holds the w-th record of each
/// stream); for each wave the scalar pass, the step in place, the forecast pass; then outputs in the order of the
/// input. Which records share a batch never changes a bit: streams do not touch each other and the kernel is
/// batch-invariant.
///
/// Confined to one thread. In the steady state nothing is allocated per record.
package final class Fold {
    package let specification: FoldSpecification
    let layout: SlotLayout
    let stepper: LSTMStepper
    let stage: StepStage
    let scalarPass: ScalarPass
    let forecastPass: ForecastPass
    let head: Head
    /// Which input the first target is; nil without one.
    let firstTarget: Int?
    @exclusivity(unchecked) var decoder: ObservationDecoder
    @exclusivity(unchecked) var columns: ObservationColumns
    let predictions: PredictionLayout
    /// What was wrong with the rejects of the batch, by row.
    var messages: [Int: String] = [:]
    /// `[Limits.batchRecords]`, the first `count` in use.
    let rows: UnsafeMutablePointer<FoldRow>
    /// `[rows][O]`: the head's values, de-normalised.
    let values: UnsafeMutablePointer<Float>
    /// `[targets]`: (m, s) of the row at hand.
    let scales: UnsafeMutablePointer<TargetScale>
    /// Rows waiting in the batch.
    @exclusivity(unchecked) package private(set) var count = 0
    /// Rows in the order of their waves, input order within a wave; wave w ends before `waveEnds[w]`.
    private let waveOrder: UnsafeMutablePointer<Int32>
    private let waveEnds: UnsafeMutablePointer<Int32>
    @exclusivity(unchecked) private var waves = 0
    @exclusivity(unchecked) package internal(set) var report = BatchReport()
    private var format: SlotSnapshot?

    package init(specification: FoldSpecification, input: InputSpecification) throws {
        self.specification = specification
        layout = specification.layout
        stepper = LSTMStepper(specification.model.parameters)
        stage = StepStage(layout: layout, drawsInitialStates: specification.initialStates.isDrawn)
        scalarPass = ScalarPass(specification)
        forecastPass = ForecastPass(specification)
        head = Head(specification.model.manifest)
        firstTarget = specification.targetInputs.first.flatMap { $0 }
        decoder = try ObservationDecoder(input)
        columns = ObservationColumns(featureCount: input.features.count)
        predictions = PredictionLayout(specification.model.manifest)
        values = .allocate(capacity: Limits.batchRecords * specification.shape.outputs)
        scales = .allocate(capacity: max(1, specification.targetInputs.count))
        scales.initialize(repeating: .identity, count: max(1, specification.targetInputs.count))
        rows = .allocate(capacity: Limits.batchRecords)
        waveOrder = .allocate(capacity: Limits.batchRecords)
        waveEnds = .allocate(capacity: Limits.batchRecords)
    }

    deinit {
        values.deallocate()
        scales.deallocate()
        rows.deallocate()
        waveOrder.deallocate()
        waveEnds.deallocate()
    }

    /// The format in which its slots are saved.
    ///
    /// - Throws: `model-invalid` for a model that was never in a file.
    func snapshots() throws -> SlotSnapshot {
        if let format { return format }
        let made = try specification.snapshots
        format = made
        return made
    }

    package var isFull: Bool { count == Limits.batchRecords }

    /// Decodes a record into the batch. Records of a partition come in offset order; the record's memory must live
    /// until `emit`.
    ///
    /// - Throws: what is wrong with the store that the stream's slot lies in.
    package func append(_ record: borrowing LogRecord, at index: Int, of partition: PartitionState) throws {
        precondition(!isFull, "callers cut batches")
        var row = FoldRow(
            partition: Unmanaged.passUnretained(partition), table: Unmanaged.passUnretained(partition.table),
            offset: record.offset, record: Int32(index), outcome: .pending,
            isLive: record.offset >= partition.liveFrom)
        partition.position = record.offset + 1
        let input = InputRecord(
            value: record.value, key: record.key, timestamp: record.timestamp, boundary: record.boundary,
            offset: record.offset)
        if let code = decoder.append(input, to: &columns) {
            row.outcome = .reject
            row.code = code
            if row.isLive { messages[count] = decoder.message(for: code) }
        } else {
            row.column = Int32(columns.count - 1)
            row.offset = columns.rows[columns.count - 1].offset
            try assignWave(&row, partition)
        }
        (rows + count).initialize(to: row)
        count += 1
    }

    private func assignWave(_ row: inout FoldRow, _ partition: PartitionState) throws {
        let observation = columns.rows[Int(row.column)]
        let key = columns.bytes(observation.key)
        if observation.isTombstone { row.outcome = .end }
        if !row.isLive, try partition.isAhead(key) { return skip(&row) }
        if observation.isTombstone {
            // A stream that was never seen has nothing to end.
            guard let slot = try partition.find(key) else { return }
            row.slot = slot
        } else {
            row.slot =
                partition.spilled == 0
                ? row.table._withUnsafeGuaranteedRef { $0.intern(key) } : try partition.slot(of: key)
        }
        if !row.isLive && row.table._withUnsafeGuaranteedRef({ $0.holds(row.slot, input: row.offset) }) {
            return skip(&row)
        }
        let header = row.table._withUnsafeGuaranteedRef { $0[row.slot].header }
        row.wave = UInt32(header.pointee.batchRows)
        precondition(row.wave < Limits.batchRecords, "a batch that was begun is run")
        header.pointee.batchRows += 1
        waves = max(waves, Int(row.wave) + 1)
    }

    /// Folded again behind a restart, and in the restored slot already.
    private func skip(_ row: inout FoldRow) {
        row.slot = .max
        row.outcome = .dropped
    }

    /// Folds the batch.
    package func run() {
        guard count > 0 else { return }
        sortByWave()
        var start = 0
        for wave in 0..<waves {
            run(waveOrder: start..<Int(waveEnds[wave]))
            start = Int(waveEnds[wave])
        }
        for index in 0..<count where rows[index].slot != .max {
            rows[index].table._withUnsafeGuaranteedRef { $0.endBatch(rows[index].slot) }
        }
    }

    /// A counting sort: rows of each wave in input order.
    private func sortByWave() {
        waveEnds.initialize(repeating: 0, count: waves)
        for index in 0..<count where rows[index].slot != .max { waveEnds[Int(rows[index].wave)] += 1 }
        // First where each wave starts; placing its rows moves that to where it ends.
        var start: Int32 = 0
        for wave in 0..<waves { (waveEnds[wave], start) = (start, start + waveEnds[wave]) }
        for index in 0..<count where rows[index].slot != .max {
            let wave = Int(rows[index].wave)
            (waveOrder + Int(waveEnds[wave])).initialize(to: Int32(index))
            waveEnds[wave] += 1
        }
    }

    private func run(waveOrder range: Range<Int>) {
        for position in range {
            if position + Self.rowsAhead < range.upperBound { fetch(Int(waveOrder[position + Self.rowsAhead])) }
            prepare(Int(waveOrder[position]))
            if stage.count == Limits.stepRows { step() }
        }
        step()
    }

    /// How far ahead of its row a slot is fetched into the cache: with many streams it is in none.
    private static var rowsAhead: Int { 8 }

    private func fetch(_ index: Int) {
        let row = rows[index]
        row.table._withUnsafeGuaranteedRef { table in
            prefetch(table[row.slot].base, count: layout.stride)
        }
    }

    /// Forgets the batch, keeps its memory.
    package func clear() {
        count = 0
        columns.removeAll()
        if !messages.isEmpty { messages.removeAll() }
        waves = 0
        report = BatchReport()
    }
}
